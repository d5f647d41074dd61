//! What each route takes and answers, beside what follows from the table of routes.

use paydown::api::{
    AdvanceRequest, ApiKey, AttachRequest, Credit, CreditDetail, CreditsQuery, Debit, DebitsQuery,
    DecisionRequest, Event, EventsQuery, Exception, ExceptionDetail, ExceptionsQuery, ExternalPaymentRequest,
    Health, JournalLine, JournalQuery, KeyRequest, LoginRequest, NewApiKey, NewWebhookEndpoint, NoteRequest,
    Page, PageQuery, PauseRequest, Plan, PlanRequest, Refund, RefundRequest, ResolutionRequest,
    ResolutionsRequest, Resolved, RewindRequest, Run, RunDetail, RunRequest, Settings, Stop, Summary,
    SummaryQuery, WebhookDelivery, WebhookEndpoint, WebhookRequest, WhoAmI,
};
use paydown::credit::Facts;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::operation::Operation;
use super::schemas::Schemas;
use crate::http::routes::Route;

/// The operation that a route is. `None` for one that is not described, which a test refuses.
pub fn operation(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    let nouns = [
        advances,
        credits,
        acts_on_credits,
        debits,
        refunds,
        runs,
        exceptions,
        events,
        webhooks,
        operators,
        access,
        figures,
    ];
    nouns.iter().find_map(|noun| noun(route.method, route.path, schemas))
}

const CSV: &str = "text/csv";

fn advances(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    if (method, path) != ("post", "/v1/perform_advance") {
        return None;
    }
    let example = json!({
        "account_id": "acct_8841", "amount": 100_000, "fee": 0, "currency": "USD", "installments": 12,
        "interval_days": 7,
    });
    let prefer = "`respond-async`: record the request, and leave the rest to a queue (RFC 7240).";
    let operation = Operation::new("performAdvance", "advances", "Pay an advance out", PERFORM)
        .keyed("The key of this advance: whatever happens, one key makes one credit, for ever.")
        .body(schemas.asked::<AdvanceRequest>(), example)
        .answers(201, "The processor gave a transaction id.", schemas.answered::<Credit>())
        .answers(202, "Recorded; the processor's answer is to come.", schemas.answered::<Credit>())
        .header("Prefer", prefer, "respond-async");
    Some(operation)
}

const PERFORM: &str = "Repeat it with the same key until it is answered: it is carried out once. An earlier answer \
comes again with the same status and body and `Idempotent-Replayed: true`. The same key with another request is \
refused with `idempotency_key_reused`. Other refusals: `invalid_request`, `refused` (by the processor; the credit \
exists as failed), `account_held`, `limit_reached`, `stopped`.";

fn credits(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "credits", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/credits") => {
            new("listCredits", "List credits", "Newest first, unless `sort` says otherwise.")
                .query(schemas.parameters::<CreditsQuery>())
                .answers(200, "A page of credits.", schemas.answered::<Page<Credit>>())
                .or_text(CSV)
        }
        ("get", "/v1/credits/{id}") => {
            let description = "With its debits by sequence, and every fact about it in order.";
            let credit = schemas.answered::<CreditDetail>();
            new("getCredit", "Get a credit", description).answers(200, "The credit.", credit)
        }
        ("get", "/v1/credits/{id}/facts") => {
            let description = "What a decision takes in; statuses follow from them.";
            let facts = schemas.answered::<Facts>();
            new("getCreditFacts", "Get a credit's facts", description).answers(200, "The facts.", facts)
        }
        (_, _) => return None,
    };
    Some(operation)
}

/// What operators do to a credit.
fn acts_on_credits(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let act = path.strip_prefix("/v1/credits/{id}/").filter(|_| method == "post")?;
    let new = |id, summary, description| Operation::new(id, "credits", summary, description);
    let operation = match act {
        "hold" => {
            let operation =
                new("holdCredit", "Hold a credit", "No debit of it is issued until it is released.");
            acted::<NoteRequest, Credit>(operation, note(), "The credit, held.", schemas)
        }
        "release" => {
            let description = "Ends all holds on it and fills the gaps that wait.";
            let operation = new("releaseCredit", "Release a credit", description);
            acted::<NoteRequest, Credit>(operation, note(), "The credit.", schemas)
        }
        "write_off" => {
            let description = "What is scheduled is cancelled; gaps are filled no more.";
            let operation = new("writeOffCredit", "Write a credit off", description);
            acted::<NoteRequest, Credit>(operation, note(), "The credit.", schemas)
        }
        "pay_off" => {
            let description = "One debit for all that is scheduled, due today.";
            let operation = new("payOffCredit", "Collect the rest at once", description);
            acted::<NoteRequest, Credit>(operation, note(), "The credit.", schemas)
        }
        "pause" => {
            let description = "Each scheduled debit moves so many intervals later.";
            let operation = new("pauseCredit", "Pause a plan", description);
            let example = json!({ "intervals": 2, "note": "the customer called" });
            acted::<PauseRequest, Credit>(operation, example, "The credit.", schemas)
        }
        "external_payment" => {
            let description = "It counts as paid and shortens the plan.";
            let operation = new("addExternalPayment", "Record a payment made elsewhere", description);
            let example = json!({ "amount": 2500, "received_on": "2026-01-05", "note": "by cheque 1021" });
            let answer = "The credit; `Location` names the payment.";
            acted::<ExternalPaymentRequest, Credit>(operation, example, answer, schemas)
        }
        "external_payment/{payment_id}/revoke" => {
            let description = "It counts no more; what it shortened is filled.";
            let operation = new("revokeExternalPayment", "Revoke a payment made elsewhere", description);
            acted::<NoteRequest, Credit>(operation, note(), "The credit.", schemas)
                .within("payment_id", "The payment's id.")
        }
        "refund" => {
            let description = "A credit transaction of its own, which counts from now on until it fails.";
            let operation = new("refundCredit", "Give back what was paid too much", description);
            let example = json!({ "amount": 2500, "note": "collected twice" });
            let answer = "The credit; `Location` names the refund.";
            acted::<RefundRequest, Credit>(operation, example, answer, schemas)
        }
        "decision" => {
            let operation = new("decideCredit", "Say what became of an advance", DECISION);
            let example = json!({ "status": "success", "note": "seen on the statement" });
            let answer = "The credit; the decision counts from the next run on.";
            acted::<DecisionRequest, Credit>(operation, example, answer, schemas)
        }
        "attach" => {
            let operation = new("attachCredit", "Name the transaction of an advance", ATTACH);
            acted::<AttachRequest, Credit>(operation, named(), "The credit.", schemas)
        }
        _ => return None,
    };
    Some(operation)
}

/// What an operator does, once for each idempotency key: `Asked` is the body, `Answered` how the thing then stands.
fn acted<Asked: JsonSchema, Answered: JsonSchema>(
    operation: Operation,
    example: Value,
    answer: &'static str,
    schemas: &mut Schemas,
) -> Operation {
    operation
        .keyed("The key of what is meant to be done: sent twice, it is done once.")
        .body(schemas.asked::<Asked>(), example)
        .answers(200, answer, schemas.answered::<Answered>())
        .problem(409)
}

fn note() -> Value {
    json!({ "note": "the customer called" })
}

fn named() -> Value {
    json!({ "transaction_id": "txn_123", "note": "by their support" })
}

const DECISION: &str =
    "An observation on evidence, which counts only while the processor itself has said nothing.";

const ATTACH: &str =
    "For one whose answer was lost: what the reports say of that transaction counts from then on.";

fn debits(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "debits", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/debits") => new("listDebits", "List debits", "By due date.")
            .query(schemas.parameters::<DebitsQuery>())
            .answers(200, "A page of debits.", schemas.answered::<Page<Debit>>())
            .or_text(CSV),
        ("post", "/v1/debits/{id}/decision") => {
            let operation = new("decideDebit", "Say what became of a debit", DECISION);
            let example = json!({ "status": "failure", "code": "R01", "note": "seen on the statement" });
            let answer = "The debit; the decision counts from the next run on.";
            acted::<DecisionRequest, Debit>(operation, example, answer, schemas)
        }
        ("post", "/v1/debits/{id}/attach") => {
            let operation = new("attachDebit", "Name the transaction of a debit", ATTACH);
            acted::<AttachRequest, Debit>(operation, named(), "The debit.", schemas)
        }
        (_, _) => return None,
    };
    Some(operation)
}

fn refunds(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "refunds", summary, description);
    let operation = match (method, path) {
        ("post", "/v1/refunds/{id}/decision") => {
            let operation = new("decideRefund", "Say what became of a refund", DECISION);
            let example = json!({ "status": "success", "note": "seen on the statement" });
            let answer = "The refund; the decision counts from the next run on.";
            acted::<DecisionRequest, Refund>(operation, example, answer, schemas)
        }
        ("post", "/v1/refunds/{id}/attach") => {
            let operation = new("attachRefund", "Name the transaction of a refund", ATTACH);
            acted::<AttachRequest, Refund>(operation, named(), "The refund.", schemas)
        }
        (_, _) => return None,
    };
    Some(operation)
}

fn runs(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "runs", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/runs") => new("listRuns", "List runs", "Newest first.")
            .query(schemas.parameters::<PageQuery>())
            .answers(200, "A page of runs.", schemas.answered::<Page<Run>>())
            .or_text(CSV),
        ("post", "/v1/runs") => new("startRun", "Run now", "Opens a run of now; a queue does its work.")
            .body(schemas.asked::<RunRequest>(), json!({}))
            .answers(202, "The run.", schemas.answered::<Run>())
            .problem(409),
        ("get", "/v1/runs/{id}") => {
            let run = schemas.answered::<RunDetail>();
            new("getRun", "Get a run", "With its stages.").answers(200, "The run.", run)
        }
        ("get", "/v1/runs/{id}/report") => {
            let description = "The archived bytes, as they were downloaded.";
            new("getRunReport", "Get a run's report", description).or_text(CSV)
        }
        (_, _) => return None,
    };
    Some(operation)
}

fn exceptions(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "exceptions", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/exceptions") => new("listExceptions", "List exceptions", "Open first, then the oldest.")
            .query(schemas.parameters::<ExceptionsQuery>())
            .answers(200, "A page of exceptions.", schemas.answered::<Page<Exception>>())
            .or_text(CSV),
        ("get", "/v1/exceptions/{id}") => {
            let description = "What we know and what was said, side by side.";
            let exception = schemas.answered::<ExceptionDetail>();
            new("getException", "Get an exception", description).answers(200, "The exception.", exception)
        }
        ("post", "/v1/exceptions/{id}/resolution") => {
            let example = json!({ "action": "close", "note": "another system's" });
            let description = "By one of its `actions`; nothing is ever edited.";
            new("resolveException", "Resolve an exception", description)
                .body(schemas.asked::<ResolutionRequest>(), example)
                .answers(200, "The exception, resolved.", schemas.answered::<Exception>())
                .problem(409)
        }
        ("post", "/v1/exceptions/resolutions") => {
            let example =
                json!({ "kind": "unknown_transaction", "action": "close", "note": "another system's" });
            let answer = "How many were resolved, and how many are left.";
            let description = "The open ones of a kind, of one run or of all.";
            new("resolveExceptions", "Resolve many exceptions", description)
                .body(schemas.asked::<ResolutionsRequest>(), example)
                .answers(200, answer, schemas.answered::<Resolved>())
        }
        (_, _) => return None,
    };
    Some(operation)
}

const EVENTS: &str = "All that happened, the oldest first, complete and in one order: who read up to an event goes on with \
`after`. What a page gives, a later one never changes. A filter examines a thousand events at most, so that a page may be short \
although more follows.";

fn events(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "events", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/events") => new("listEvents", "List events", EVENTS)
            .query(schemas.parameters::<EventsQuery>())
            .answers(200, "A page of events.", schemas.answered::<Page<Event>>())
            .or_text(CSV),
        (_, _) => return None,
    };
    Some(operation)
}

const WEBHOOKS: &str = "What happens from now on is sent to it as the list of events tells it, signed as Standard Webhooks \
says (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`): at least once, in order for each credit, and again until it \
answers 200 to 299, for three days. The secret is shown this once.";

fn webhooks(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "webhooks", summary, description);
    let operation = match (method, path.strip_prefix("/v1/webhook_endpoints")?) {
        ("get", "") => {
            new("listWebhookEndpoints", "List webhook endpoints", "Newest first, the removed ones too.")
                .query(schemas.parameters::<PageQuery>())
                .answers(200, "A page of endpoints.", schemas.answered::<Page<WebhookEndpoint>>())
                .or_text(CSV)
        }
        ("post", "") => new("createWebhookEndpoint", "Make a webhook endpoint", WEBHOOKS)
            .body(schemas.asked::<WebhookRequest>(), endpoint())
            .answers(201, "The endpoint with its secret.", schemas.answered::<NewWebhookEndpoint>())
            .problem(409),
        ("get", "/{id}") => new("getWebhookEndpoint", "Get a webhook endpoint", "Without its secret.")
            .answers(200, "The endpoint.", schemas.answered::<WebhookEndpoint>()),
        ("delete", "/{id}") => {
            let description = "Nothing is sent to it any more.";
            new("removeWebhookEndpoint", "Remove a webhook endpoint", description)
                .answers(200, "The endpoint, removed.", schemas.answered::<WebhookEndpoint>())
                .problem(409)
        }
        ("get", "/{id}/deliveries") => {
            let description = "Each sending to it, taken or not, newest first.";
            new("listWebhookDeliveries", "List what was sent", description)
                .query(schemas.parameters::<PageQuery>())
                .answers(200, "A page of the log.", schemas.answered::<Page<WebhookDelivery>>())
                .or_text(CSV)
        }
        ("post", act) => return acts_on_endpoints(act, schemas),
        (_, _) => return None,
    };
    Some(operation)
}

fn acts_on_endpoints(act: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "webhooks", summary, description);
    let operation = match act {
        "/{id}" => {
            let description = "Another address, other types, another label; its secret stays.";
            let operation = new("changeWebhookEndpoint", "Change a webhook endpoint", description);
            on_endpoint::<WebhookRequest>(operation, endpoint(), schemas)
        }
        "/{id}/pause" => {
            let description = "Nothing is sent until it is resumed. What happens meanwhile waits.";
            let operation = new("pauseWebhookEndpoint", "Pause a webhook endpoint", description);
            on_endpoint::<RunRequest>(operation, json!({}), schemas)
        }
        "/{id}/resume" => {
            let description = "It goes on where it stopped, at once.";
            let operation = new("resumeWebhookEndpoint", "Resume a webhook endpoint", description);
            on_endpoint::<RunRequest>(operation, json!({}), schemas)
        }
        "/{id}/rewind" => {
            let description = "All behind an event is sent anew; who knows an event by its id takes it once.";
            let operation = new("rewindWebhookEndpoint", "Send all anew", description);
            on_endpoint::<RewindRequest>(operation, json!({ "after": null }), schemas)
        }
        "/{id}/rotate_secret" => {
            let description = "For 24 hours the old secret signs too: a webhook then has two signatures.";
            new("rotateWebhookSecret", "Change the secret", description)
                .body(schemas.asked::<RunRequest>(), json!({}))
                .answers(200, "The endpoint with its new secret.", schemas.answered::<NewWebhookEndpoint>())
                .problem(409)
        }
        "/{id}/events/{event_id}/resend" => {
            let description = "Once, now, whatever waits; also while it is paused.";
            new("resendWebhook", "Send an event once more", description)
                .within("event_id", "The event's id.")
                .body(schemas.asked::<RunRequest>(), json!({}))
                .answers(200, "What became of it.", schemas.answered::<WebhookDelivery>())
                .problem(409)
        }
        _ => return None,
    };
    Some(operation)
}

fn endpoint() -> Value {
    json!({
        "url": "https://hooks.example.com/paydown", "event_types": ["credit.repaid", "exception.opened"], "label": "the shop",
    })
}

/// What is done to an endpoint, and how it then stands.
fn on_endpoint<Asked: JsonSchema>(operation: Operation, example: Value, schemas: &mut Schemas) -> Operation {
    operation
        .body(schemas.asked::<Asked>(), example)
        .answers(200, "The endpoint.", schemas.answered::<WebhookEndpoint>())
        .problem(409)
}

fn operators(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "operators", summary, description);
    let operation = match (method, path) {
        ("post", "/v1/stop") => {
            let description = "No advance and no debit leaves, also inside a running slice, until a start.";
            new("stop", "Stop", description)
        }
        ("post", "/v1/start") => new("start", "Start", "Ends a stop."),
        (_, _) => return None,
    };
    let body = schemas.asked::<NoteRequest>();
    Some(operation.body(body, note()).answers(200, "How it stands.", schemas.answered::<Stop>()))
}

fn access(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "access", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/keys") => new("listKeys", "List API keys", "Newest first, the revoked ones too.")
            .query(schemas.parameters::<PageQuery>())
            .answers(200, "A page of keys, without their secrets.", schemas.answered::<Page<ApiKey>>())
            .or_text(CSV),
        ("post", "/v1/keys") => {
            let example = json!({ "scopes": ["read", "advance"], "label": "till 4" });
            new("createKey", "Make an API key", "Its secret is shown this once.")
                .body(schemas.asked::<KeyRequest>(), example)
                .answers(201, "The key with its secret.", schemas.answered::<NewApiKey>())
        }
        ("delete", "/v1/keys/{id}") => {
            let description = "It and its sessions are worth nothing from then on.";
            new("revokeKey", "Revoke an API key", description)
                .answers(200, "The key, revoked.", schemas.answered::<ApiKey>())
                .problem(409)
        }
        ("post", "/v1/session") => new("logIn", "Log in", "Exchanges an API key for a session cookie.")
            .body(schemas.asked::<LoginRequest>(), json!({ "key": "pd_local_operator" }))
            .answers(200, "Who is logged in.", schemas.answered::<WhoAmI>())
            .problem(401),
        ("get", "/v1/session") => new("whoAmI", "Who is logged in", "By the session cookie.").answers(
            200,
            "Who is logged in.",
            schemas.answered::<WhoAmI>(),
        ),
        ("delete", "/v1/session") => new("logOut", "Log out", "The session is worth nothing from then on.")
            .answers_nothing(204, "Logged out."),
        (_, _) => return None,
    };
    Some(operation)
}

const JOURNAL: &str = "Double entry: each fact that moved money or a claim, in the order in which it was recorded. Lines \
never change; what is contradicted later is reversed by a later entry. Of each entry `dr` and `cr` come to the same.";

fn figures(method: &str, path: &str, schemas: &mut Schemas) -> Option<Operation> {
    let new = |id, summary, description| Operation::new(id, "figures", summary, description);
    let operation = match (method, path) {
        ("get", "/v1/summary") => {
            new("getSummary", "Get the figures", "What the dashboard's overview shows.")
                .query(schemas.parameters::<SummaryQuery>())
                .answers(200, "The figures.", schemas.answered::<Summary>())
        }
        ("get", "/v1/journal") => new("listJournal", "List the journal of a period", JOURNAL)
            .query(schemas.parameters::<JournalQuery>())
            .answers(200, "A page of lines.", schemas.answered::<Page<JournalLine>>())
            .or_text(CSV),
        ("get", "/v1/plan") => new("getPlan", "What a plan would be", "Nothing is recorded.")
            .query(schemas.parameters::<PlanRequest>())
            .answers(200, "The plan.", schemas.answered::<Plan>()),
        ("get", "/v1/settings") => {
            let settings = schemas.answered::<Settings>();
            new("getSettings", "Get the settings in force", "None of them is secret.").answers(
                200,
                "The settings.",
                settings,
            )
        }
        ("get", "/v1/metrics") => {
            let description = "For alerts, in the text format of Prometheus.";
            new("getMetrics", "Get the metrics", description).or_text("text/plain")
        }
        ("get", "/healthz") => {
            let unhealthy = "It is not: a book was left alone for 36 h, or L10 is broken.";
            new("getHealth", "Is all as it should be", "For everybody.")
                .answers(200, "It is.", schemas.answered::<Health>())
                .answers(503, unhealthy, schemas.answered::<Health>())
        }
        (_, _) => return None,
    };
    Some(operation)
}
