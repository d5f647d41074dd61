//! The schemas of the wire types, as the description refers to them.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schemas of all types, each once.
pub struct Schemas {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Schemas {
    /// None yet.
    pub fn new() -> Schemas {
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

    /// That of what is answered.
    pub fn answered<T: JsonSchema>(&mut self) -> Schema {
        self.answers.subschema_for::<T>()
    }

    /// That of what is asked for.
    pub fn asked<T: JsonSchema>(&mut self) -> Schema {
        self.requests.subschema_for::<T>()
    }

    /// The parameters that a query's type stands for.
    pub fn parameters<T: JsonSchema>(&mut self) -> Vec<Value> {
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

    /// All that were referred to.
    pub fn definitions(&mut self) -> Map<String, Value> {
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
