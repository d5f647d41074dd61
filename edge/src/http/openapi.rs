//! `/openapi.json`: the description of the API for programs, OpenAPI 3.1, made from the table of routes and the types
//! of `paydown::api`. It is written where the dashboard is built and served as a file; the Worker does not carry it.

use paydown::api::{
    AdvanceRequest, ApiKey, AttachRequest, Credit, CreditDetail, CreditsQuery, Debit, DebitsQuery,
    DecisionRequest, Exception, ExceptionDetail, ExceptionsQuery, ExternalPaymentRequest, Health, KeyRequest,
    LoginRequest, NewApiKey, NoteRequest, Page, PageQuery, PauseRequest, Plan, PlanRequest, Problem, Refund,
    RefundRequest, ResolutionRequest, ResolutionsRequest, Resolved, Run, RunDetail, RunRequest, Settings,
    Stop, Summary, SummaryQuery, WhoAmI,
};
use paydown::credit::Facts;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::routes::{Access, ROUTES, Route};

/// The description of all routes.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answered::<Problem>();
    let mut paths = Map::new();
    // The sandbox is never part of a deployment.
    for route in ROUTES.iter().filter(|route| !route.path.starts_with("/v1/sandbox/")) {
        if let Some(operation) = operation(route, &mut schemas) {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            if let Value::Object(methods) = path {
                methods.insert(route.method.to_owned(), operation.finished(route));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Paydown",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Cash advances and their repayment, every cent accounted for.",
            "description": ABOUT,
        },
        "servers": [{ "url": "/", "description": "This installation" }],
        "tags": TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "responses": REFUSALS.map(|(status, _)| (status.to_string(), refusal(status, &problem))).into_iter()
                .collect::<Map<String, Value>>(),
            "securitySchemes": {
                "api_key": { "type": "http", "scheme": "bearer", "description": "An API key, by its secret." },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "paydown_session",
                    "description": "The dashboard's session, begun by POST /v1/session.",
                },
            },
        },
    })
}

const ABOUT: &str = "Amounts are integers in minor units of the one configured currency. Instants end in `_at` and are \
RFC 3339 in UTC; civil dates are `YYYY-MM-DD` in the business time zone. Unknown members and parameters are refused. \
Every answer carries `X-Request-Id`; what is refused is an RFC 9457 problem whose `code` is for programs. A list is \
read page by page: its `next_cursor` is the `cursor` of the next call, and a page may be short although more follows. \
Each list is CSV by `Accept: text/csv`, its next page in the header `Link`.";

const TAGS: [(&str, &str); 9] = [
    ("advances", "Money leaves, once for each idempotency key."),
    ("credits", "The advances and how they are repaid."),
    ("debits", "What is collected, and when."),
    ("refunds", "What was paid too much, and goes back."),
    ("runs", "The daily debits processor."),
    ("exceptions", "What a person must look at."),
    ("operators", "Stop and start."),
    ("access", "API keys and the dashboard's sessions."),
    ("figures", "The book in numbers, and by which settings it is kept."),
];

/// The schemas of all types, each once.
struct Schemas {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Schemas {
    fn new() -> Schemas {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Schemas {
            answers: settings().for_serialize().into_generator(),
            requests: settings().for_deserialize().into_generator(),
        }
    }

    fn answered<T: JsonSchema>(&mut self) -> Schema {
        self.answers.subschema_for::<T>()
    }

    fn asked<T: JsonSchema>(&mut self) -> Schema {
        self.requests.subschema_for::<T>()
    }

    /// The parameters that a query's type stands for.
    fn parameters<T: JsonSchema>(&mut self) -> Vec<Value> {
        let schema = T::json_schema(&mut self.requests).to_value();
        let member = |name: &str| schema.get(name).cloned().unwrap_or_default();
        let required: Vec<Value> = member("required").as_array().cloned().unwrap_or_default();
        let properties = member("properties").as_object().cloned().unwrap_or_default();
        let parameter = |(name, schema): (&String, &Value)| {
            let mut schema = not_null(schema);
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            json!({
                "name": name, "in": "query", "required": required.contains(&Value::from(name.as_str())),
                "description": description, "schema": schema,
            })
        };
        properties.iter().map(parameter).collect()
    }

    fn definitions(&mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        all.extend(self.requests.take_definitions(true));
        all
    }
}

/// The schema without `null`, which a query cannot carry.
fn not_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(members) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(types)) = members.get("type") {
        let types: Vec<Value> = types.iter().filter(|name| **name != "null").cloned().collect();
        if let [only] = types.as_slice() {
            members.insert("type".into(), only.clone());
        }
    }
    if let Some(Value::Array(choices)) = members.remove("anyOf") {
        let choice = choices
            .into_iter()
            .find(|choice| choice.get("type").is_none_or(|kind| kind != "null"))
            .unwrap_or_default();
        members.extend(choice.as_object().cloned().unwrap_or_default());
    }
    schema
}

/// What a route takes and answers, beside what follows from the table of routes.
struct Operation {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<(Schema, Value)>,
    answers: Vec<(u16, &'static str, Map<String, Value>)>,
    problems: Vec<u16>,
}

impl Operation {
    fn new(
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
        description: &'static str,
    ) -> Operation {
        let (parameters, answers) = (vec![], vec![]);
        Operation { id, tag, summary, description, parameters, body: None, answers, problems: vec![] }
    }

    fn query(mut self, parameters: Vec<Value>) -> Operation {
        self.parameters.extend(parameters);
        self
    }

    fn body(mut self, schema: Schema, example: Value) -> Operation {
        self.body = Some((schema, example));
        self
    }

    fn answers(mut self, status: u16, description: &'static str, schema: Schema) -> Operation {
        let content = [("application/json".to_owned(), json!({ "schema": schema }))];
        self.answers.push((status, description, Map::from_iter(content)));
        self
    }

    /// The same status with another media type, a text.
    fn or_text(mut self, kind: &str) -> Operation {
        let content = json!({ "schema": { "type": "string" } });
        match self.answers.last_mut() {
            Some((_, _, contents)) => {
                contents.insert(kind.to_owned(), content);
            }
            None => self.answers.push((200, "As text.", Map::from_iter([(kind.to_owned(), content)]))),
        }
        self
    }

    fn keyed(mut self, description: &str) -> Operation {
        self.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true, "description": description,
            "schema": { "type": "string", "pattern": IDEMPOTENCY_KEY },
            "example": "till-4-0000017",
        }));
        self
    }

    /// A further name in the path.
    fn within(mut self, name: &str, description: &str) -> Operation {
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": { "type": "string", "format": "uuid" },
        }));
        self
    }

    fn problem(mut self, status: u16) -> Operation {
        self.problems.push(status);
        self
    }

    /// With what follows from the route: who may call it, its path, and how it can be refused.
    fn finished(mut self, route: &Route) -> Value {
        if route.path.contains("{id}") {
            self.parameters.insert(
                0,
                json!({
                    "name": "id", "in": "path", "required": true, "description": "Its id.",
                    "schema": { "type": "string", "format": "uuid" },
                }),
            );
            self.problems.push(404);
        }
        match route.access {
            Access::Anyone => {}
            Access::Session => self.problems.push(401),
            Access::Scope(_) | Access::InBatch(_) => self.problems.extend([401, 403]),
        }
        if self.body.is_some() {
            self.problems.extend([400, 413, 415]);
        }
        self.problems.extend([400, 422, 429, 500, 503]);
        self.problems.sort_unstable();
        self.problems.dedup();
        let answered: Vec<u16> = self.answers.iter().map(|(status, _, _)| *status).collect();
        let mut responses = Map::new();
        for (status, description, mut content) in self.answers {
            if self.problems.contains(&status) {
                let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
                content.insert("application/problem+json".into(), problem);
            }
            let mut response = json!({ "description": description, "headers": request_id() });
            if let (Value::Object(response), false) = (&mut response, content.is_empty()) {
                response.insert("content".into(), Value::Object(content));
            }
            responses.insert(status.to_string(), response);
        }
        for status in self.problems.into_iter().filter(|status| !answered.contains(status)) {
            let reference = format!("#/components/responses/{status}");
            responses.insert(status.to_string(), json!({ "$ref": reference }));
        }
        let mut operation = json!({
            "operationId": self.id, "tags": [self.tag], "summary": self.summary, "description": self.description,
            "security": security(route), "parameters": self.parameters, "responses": responses,
        });
        if let (Value::Object(operation), Some((schema, example))) = (&mut operation, self.body) {
            let content = json!({ "application/json": { "schema": schema, "example": example } });
            operation.insert("requestBody".into(), json!({ "required": true, "content": content }));
        }
        operation
    }
}

fn security(route: &Route) -> Value {
    match route.access {
        Access::Anyone => json!([]),
        Access::Session => json!([{ "session": [] }]),
        Access::Scope(scope) => json!([{ "api_key": [scope.name()] }, { "session": [scope.name()] }]),
        Access::InBatch(scope) => json!([{ "api_key": [scope.name()] }]),
    }
}

const REFUSALS: [(u16, &str); 11] = [
    (400, "The request cannot be read."),
    (401, "No key, an unknown one, or a revoked one; or nobody is logged in."),
    (403, "The key lacks the scope."),
    (404, "There is no such thing."),
    (409, "The book stands otherwise."),
    (413, "The body is too large."),
    (415, "The body is not JSON by its content type."),
    (422, "The request is not valid, or the law does not allow it; `code` says which."),
    (429, "Too many requests for this key."),
    (500, "Something went wrong here."),
    (503, "Try again later."),
];

fn refusal(status: u16, problem: &Schema) -> Value {
    let description =
        REFUSALS.iter().find(|(known, _)| *known == status).map(|(_, description)| *description);
    json!({
        "description": description, "headers": headers(status),
        "content": { "application/problem+json": { "schema": problem } },
    })
}

fn request_id() -> Value {
    json!({ "X-Request-Id": { "description": "The id of the request, as the log has it.", "schema": { "type": "string" } } })
}

fn headers(status: u16) -> Value {
    let mut headers = request_id();
    if let (Value::Object(headers), 429 | 503) = (&mut headers, status) {
        let schema =
            json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } });
        headers.insert("Retry-After".into(), schema);
    }
    if let (Value::Object(headers), 429) = (&mut headers, status) {
        let schema = json!({ "description": "What is left of the allowance, and when it is whole again: `\"requests\";r=0;t=10`.",
            "schema": { "type": "string" } });
        headers.insert("RateLimit".into(), schema);
    }
    headers
}

/// What a route takes and answers. `None` for a route that is not described, which a test refuses.
fn operation(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    const CSV: &str = "text/csv";
    let new = Operation::new;
    let note =
        |schemas: &mut Schemas| (schemas.asked::<NoteRequest>(), json!({ "note": "the customer called" }));
    let acting = "The key of what is meant to be done: sent twice, it is done once.";
    let operation = match (route.method, route.path) {
        ("post", "/v1/perform_advance") => {
            let mut operation = new("performAdvance", "advances", "Pay an advance out", PERFORM)
                .keyed("The key of this advance: whatever happens, one key makes one credit, for ever.")
                .body(
                    schemas.asked::<AdvanceRequest>(),
                    json!({
                        "account_id": "acct_8841", "amount": 100_000, "fee": 0, "currency": "USD", "installments": 12,
                        "interval_days": 7,
                    }),
                )
                .answers(201, "The processor gave a transaction id.", schemas.answered::<Credit>())
                .answers(202, "Recorded; the processor's answer is to come.", schemas.answered::<Credit>());
            operation.parameters.push(json!({
                "name": "Prefer", "in": "header", "required": false,
                "description": "`respond-async`: record the request, and leave the rest to a queue (RFC 7240).",
                "schema": { "type": "string" }, "example": "respond-async",
            }));
            operation
        }
        ("get", "/v1/credits") => {
            new("listCredits", "credits", "List credits", "Newest first, unless `sort` says otherwise.")
                .query(schemas.parameters::<CreditsQuery>())
                .answers(200, "A page of credits.", schemas.answered::<Page<Credit>>())
                .or_text(CSV)
        }
        ("get", "/v1/credits/{id}") => new(
            "getCredit",
            "credits",
            "Get a credit",
            "With its debits by sequence, and every fact about it in order.",
        )
        .answers(200, "The credit.", schemas.answered::<CreditDetail>()),
        ("get", "/v1/credits/{id}/facts") => new(
            "getCreditFacts",
            "credits",
            "Get a credit's facts",
            "What a decision takes in; statuses follow from them.",
        )
        .answers(200, "The facts.", schemas.answered::<Facts>()),
        ("post", "/v1/credits/{id}/hold") => {
            let (schema, example) = note(schemas);
            new("holdCredit", "credits", "Hold a credit", "No debit of it is issued until it is released.")
                .keyed(acting)
                .body(schema, example)
                .answers(200, "The credit, held.", schemas.answered::<Credit>())
                .problem(409)
        }
        ("post", "/v1/credits/{id}/release") => {
            let (schema, example) = note(schemas);
            new(
                "releaseCredit",
                "credits",
                "Release a credit",
                "Ends all holds on it and fills the gaps that wait.",
            )
            .keyed(acting)
            .body(schema, example)
            .answers(200, "The credit.", schemas.answered::<Credit>())
            .problem(409)
        }
        ("post", "/v1/credits/{id}/write_off") => {
            let (schema, example) = note(schemas);
            new(
                "writeOffCredit",
                "credits",
                "Write a credit off",
                "What is scheduled is cancelled; gaps are filled no more.",
            )
            .keyed(acting)
            .body(schema, example)
            .answers(200, "The credit.", schemas.answered::<Credit>())
            .problem(409)
        }
        ("post", "/v1/credits/{id}/pay_off") => {
            let (schema, example) = note(schemas);
            new(
                "payOffCredit",
                "credits",
                "Collect the rest at once",
                "One debit for all that is scheduled, due today.",
            )
            .keyed(acting)
            .body(schema, example)
            .answers(200, "The credit.", schemas.answered::<Credit>())
            .problem(409)
        }
        ("post", "/v1/credits/{id}/pause") => new(
            "pauseCredit",
            "credits",
            "Pause a plan",
            "Each scheduled debit moves so many intervals later.",
        )
        .keyed(acting)
        .body(schemas.asked::<PauseRequest>(), json!({ "intervals": 2, "note": "the customer called" }))
        .answers(200, "The credit.", schemas.answered::<Credit>())
        .problem(409),
        ("post", "/v1/credits/{id}/external_payment") => {
            let example = json!({ "amount": 2500, "received_on": "2026-01-05", "note": "by cheque 1021" });
            new(
                "addExternalPayment",
                "credits",
                "Record a payment made elsewhere",
                "It counts as paid and shortens the plan.",
            )
            .keyed(acting)
            .body(schemas.asked::<ExternalPaymentRequest>(), example)
            .answers(200, "The credit; `Location` names the payment.", schemas.answered::<Credit>())
            .problem(409)
        }
        ("post", "/v1/credits/{id}/external_payment/{payment_id}/revoke") => {
            let (schema, example) = note(schemas);
            let operation = new(
                "revokeExternalPayment",
                "credits",
                "Revoke a payment made elsewhere",
                "It counts no more; what it shortened is filled.",
            )
            .keyed(acting)
            .body(schema, example)
            .answers(200, "The credit.", schemas.answered::<Credit>())
            .problem(409);
            operation.within("payment_id", "The payment's id.")
        }
        ("post", "/v1/credits/{id}/refund") => new(
            "refundCredit",
            "credits",
            "Give back what was paid too much",
            "A credit transaction of its own, which counts from now on until it fails.",
        )
        .keyed(acting)
        .body(schemas.asked::<RefundRequest>(), json!({ "amount": 2500, "note": "collected twice" }))
        .answers(200, "The credit; `Location` names the refund.", schemas.answered::<Credit>())
        .problem(409),
        ("post", "/v1/refunds/{id}/decision") => {
            new("decideRefund", "refunds", "Say what became of a refund", DECISION)
                .keyed(acting)
                .body(
                    schemas.asked::<DecisionRequest>(),
                    json!({ "status": "success", "note": "seen on the statement" }),
                )
                .answers(
                    200,
                    "The refund; the decision counts from the next run on.",
                    schemas.answered::<Refund>(),
                )
                .problem(409)
        }
        ("post", "/v1/refunds/{id}/attach") => {
            new("attachRefund", "refunds", "Name the transaction of a refund", ATTACH)
                .keyed(acting)
                .body(
                    schemas.asked::<AttachRequest>(),
                    json!({ "transaction_id": "txn_123", "note": "by their support" }),
                )
                .answers(200, "The refund.", schemas.answered::<Refund>())
                .problem(409)
        }
        ("post", "/v1/credits/{id}/decision") => {
            new("decideCredit", "credits", "Say what became of an advance", DECISION)
                .keyed(acting)
                .body(
                    schemas.asked::<DecisionRequest>(),
                    json!({ "status": "success", "note": "seen on the statement" }),
                )
                .answers(
                    200,
                    "The credit; the decision counts from the next run on.",
                    schemas.answered::<Credit>(),
                )
                .problem(409)
        }
        ("post", "/v1/credits/{id}/attach") => {
            new("attachCredit", "credits", "Name the transaction of an advance", ATTACH)
                .keyed(acting)
                .body(
                    schemas.asked::<AttachRequest>(),
                    json!({ "transaction_id": "txn_123", "note": "by their support" }),
                )
                .answers(200, "The credit.", schemas.answered::<Credit>())
                .problem(409)
        }
        ("post", "/v1/debits/{id}/decision") => {
            let example = json!({ "status": "failure", "code": "R01", "note": "seen on the statement" });
            new("decideDebit", "debits", "Say what became of a debit", DECISION)
                .keyed(acting)
                .body(schemas.asked::<DecisionRequest>(), example)
                .answers(
                    200,
                    "The debit; the decision counts from the next run on.",
                    schemas.answered::<Debit>(),
                )
                .problem(409)
        }
        ("post", "/v1/debits/{id}/attach") => {
            new("attachDebit", "debits", "Name the transaction of a debit", ATTACH)
                .keyed(acting)
                .body(
                    schemas.asked::<AttachRequest>(),
                    json!({ "transaction_id": "txn_123", "note": "by their support" }),
                )
                .answers(200, "The debit.", schemas.answered::<Debit>())
                .problem(409)
        }
        ("get", "/v1/debits") => new("listDebits", "debits", "List debits", "By due date.")
            .query(schemas.parameters::<DebitsQuery>())
            .answers(200, "A page of debits.", schemas.answered::<Page<Debit>>())
            .or_text(CSV),
        ("get", "/v1/runs") => new("listRuns", "runs", "List runs", "Newest first.")
            .query(schemas.parameters::<PageQuery>())
            .answers(200, "A page of runs.", schemas.answered::<Page<Run>>())
            .or_text(CSV),
        ("post", "/v1/runs") => {
            new("startRun", "runs", "Run now", "Opens a run of now; a queue does its work.")
                .body(schemas.asked::<RunRequest>(), json!({}))
                .answers(202, "The run.", schemas.answered::<Run>())
                .problem(409)
        }
        ("get", "/v1/runs/{id}") => new("getRun", "runs", "Get a run", "With its stages.").answers(
            200,
            "The run.",
            schemas.answered::<RunDetail>(),
        ),
        ("get", "/v1/runs/{id}/report") => {
            new("getRunReport", "runs", "Get a run's report", "The archived bytes, as they were downloaded.")
                .or_text(CSV)
        }
        ("get", "/v1/exceptions") => {
            new("listExceptions", "exceptions", "List exceptions", "Open first, then the oldest.")
                .query(schemas.parameters::<ExceptionsQuery>())
                .answers(200, "A page of exceptions.", schemas.answered::<Page<Exception>>())
                .or_text(CSV)
        }
        ("get", "/v1/exceptions/{id}") => new(
            "getException",
            "exceptions",
            "Get an exception",
            "What we know and what was said, side by side.",
        )
        .answers(200, "The exception.", schemas.answered::<ExceptionDetail>()),
        ("post", "/v1/exceptions/{id}/resolution") => new(
            "resolveException",
            "exceptions",
            "Resolve an exception",
            "By one of its `actions`; nothing is ever edited.",
        )
        .body(schemas.asked::<ResolutionRequest>(), json!({ "action": "close", "note": "another system's" }))
        .answers(200, "The exception, resolved.", schemas.answered::<Exception>())
        .problem(409),
        ("post", "/v1/exceptions/resolutions") => {
            let example =
                json!({ "kind": "unknown_transaction", "action": "close", "note": "another system's" });
            new(
                "resolveExceptions",
                "exceptions",
                "Resolve many exceptions",
                "The open ones of a kind, of one run or of all.",
            )
            .body(schemas.asked::<ResolutionsRequest>(), example)
            .answers(
                200,
                "How many were resolved, and how many are left.",
                schemas.answered::<Resolved>(),
            )
        }
        ("post", "/v1/stop") => {
            let (schema, example) = note(schemas);
            new(
                "stop",
                "operators",
                "Stop",
                "No advance and no debit leaves, also inside a running slice, until a start.",
            )
            .body(schema, example)
            .answers(200, "How it stands.", schemas.answered::<Stop>())
        }
        ("post", "/v1/start") => {
            let (schema, example) = note(schemas);
            new("start", "operators", "Start", "Ends a stop.").body(schema, example).answers(
                200,
                "How it stands.",
                schemas.answered::<Stop>(),
            )
        }
        ("get", "/v1/keys") => {
            new("listKeys", "access", "List API keys", "Newest first, the revoked ones too.")
                .query(schemas.parameters::<PageQuery>())
                .answers(200, "A page of keys, without their secrets.", schemas.answered::<Page<ApiKey>>())
                .or_text(CSV)
        }
        ("post", "/v1/keys") => {
            new("createKey", "access", "Make an API key", "Its secret is shown this once.")
                .body(
                    schemas.asked::<KeyRequest>(),
                    json!({ "scopes": ["read", "advance"], "label": "till 4" }),
                )
                .answers(201, "The key with its secret.", schemas.answered::<NewApiKey>())
        }
        ("delete", "/v1/keys/{id}") => new(
            "revokeKey",
            "access",
            "Revoke an API key",
            "It and its sessions are worth nothing from then on.",
        )
        .answers(200, "The key, revoked.", schemas.answered::<ApiKey>())
        .problem(409),
        ("post", "/v1/session") => {
            new("logIn", "access", "Log in", "Exchanges an API key for a session cookie.")
                .body(schemas.asked::<LoginRequest>(), json!({ "key": "pd_local_operator" }))
                .answers(200, "Who is logged in.", schemas.answered::<WhoAmI>())
                .problem(401)
        }
        ("get", "/v1/session") => new("whoAmI", "access", "Who is logged in", "By the session cookie.")
            .answers(200, "Who is logged in.", schemas.answered::<WhoAmI>()),
        ("delete", "/v1/session") => {
            let mut operation =
                new("logOut", "access", "Log out", "The session is worth nothing from then on.");
            operation.answers.push((204, "Logged out.", Map::new()));
            operation
        }
        ("get", "/v1/summary") => {
            new("getSummary", "figures", "Get the figures", "What the dashboard's overview shows.")
                .query(schemas.parameters::<SummaryQuery>())
                .answers(200, "The figures.", schemas.answered::<Summary>())
        }
        ("get", "/v1/plan") => new("getPlan", "figures", "What a plan would be", "Nothing is recorded.")
            .query(schemas.parameters::<PlanRequest>())
            .answers(200, "The plan.", schemas.answered::<Plan>()),
        ("get", "/v1/settings") => {
            new("getSettings", "figures", "Get the settings in force", "None of them is secret.").answers(
                200,
                "The settings.",
                schemas.answered::<Settings>(),
            )
        }
        ("get", "/v1/metrics") => {
            new("getMetrics", "figures", "Get the metrics", "For alerts, in the text format of Prometheus.")
                .or_text("text/plain")
        }
        ("get", "/healthz") => new("getHealth", "figures", "Is all as it should be", "For everybody.")
            .answers(200, "It is.", schemas.answered::<Health>())
            .answers(
                503,
                "It is not: a book was left alone for 36 h, or L10 is broken.",
                schemas.answered::<Health>(),
            ),
        (_, _) => return None,
    };
    Some(operation)
}

/// 1 to 255 printable ASCII characters, bare or as a quoted string (RFC 9651, section 3.3.3).
const IDEMPOTENCY_KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;

const DECISION: &str =
    "An observation on evidence, which counts only while the processor itself has said nothing.";

const ATTACH: &str =
    "For one whose answer was lost: what the reports say of that transaction counts from then on.";

const PERFORM: &str = "Repeat it with the same key until it is answered: it is carried out once. An earlier answer \
comes again with the same status and body and `Idempotent-Replayed: true`. The same key with another request is \
refused with `idempotency_key_reused`. Other refusals: `invalid_request`, `refused` (by the processor; the credit \
exists as failed), `account_held`, `limit_reached`, `stopped`.";
