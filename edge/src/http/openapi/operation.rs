//! One operation of the description: a method of a path.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::refusals::request_id;
use crate::http::routes::{Access, Route};

/// What a route takes and answers, beside what follows from the table of routes.
pub struct Operation {
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
    /// An operation without anything yet.
    pub fn new(
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
        description: &'static str,
    ) -> Operation {
        let (parameters, answers) = (vec![], vec![]);
        Operation { id, tag, summary, description, parameters, body: None, answers, problems: vec![] }
    }

    /// With parameters of the query.
    pub fn query(mut self, parameters: Vec<Value>) -> Operation {
        self.parameters.extend(parameters);
        self
    }

    /// With a body, and an example of it that can be carried out.
    pub fn body(mut self, schema: Schema, example: Value) -> Operation {
        self.body = Some((schema, example));
        self
    }

    /// With an answer that has no body.
    pub fn answers_nothing(mut self, status: u16, description: &'static str) -> Operation {
        self.answers.push((status, description, Map::new()));
        self
    }

    /// With an answer in JSON.
    pub fn answers(mut self, status: u16, description: &'static str, schema: Schema) -> Operation {
        let content = [("application/json".to_owned(), json!({ "schema": schema }))];
        self.answers.push((status, description, Map::from_iter(content)));
        self
    }

    /// The same status with another media type, a text.
    pub fn or_text(mut self, kind: &str) -> Operation {
        let content = json!({ "schema": { "type": "string" } });
        match self.answers.last_mut() {
            Some((_, _, contents)) => {
                contents.insert(kind.to_owned(), content);
            }
            None => self.answers.push((200, "As text.", Map::from_iter([(kind.to_owned(), content)]))),
        }
        self
    }

    /// With an idempotency key.
    pub fn keyed(mut self, description: &str) -> Operation {
        self.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true, "description": description,
            "schema": { "type": "string", "pattern": IDEMPOTENCY_KEY },
            "example": "till-4-0000017",
        }));
        self
    }

    /// With a header that need not be sent.
    pub fn header(mut self, name: &str, description: &str, example: &str) -> Operation {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": false, "description": description,
            "schema": { "type": "string" }, "example": example,
        }));
        self
    }

    /// A further name in the path.
    pub fn within(mut self, name: &str, description: &str) -> Operation {
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": { "type": "string", "format": "uuid" },
        }));
        self
    }

    /// Refused also with this status.
    pub fn problem(mut self, status: u16) -> Operation {
        self.problems.push(status);
        self
    }

    /// With what follows from the route: who may call it, its path, and how it can be refused.
    pub fn finished(mut self, route: &Route) -> Value {
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

/// 1 to 255 printable ASCII characters, bare or as a quoted string (RFC 9651, section 3.3.3).
const IDEMPOTENCY_KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;
