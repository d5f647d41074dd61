//! Values across the border: plain objects in, plain objects out.

use js_sys::Object;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_wasm_bindgen::Error;
use wasm_bindgen::prelude::*;

use crate::error::{Code, PaydownError, thrown};

/// How deep an argument may be that is read as whole before its shape is known.
const MAX_DEPTH: u32 = 8;

/// How many values it may hold.
const MAX_VALUES: u32 = 1_000_000;

/// Reads an argument. What is not as its type says is refused with its place.
pub fn read<T: DeserializeOwned>(argument: &str, value: JsValue) -> Result<T, PaydownError> {
    serde_path_to_error::deserialize(Closed(value)).map_err(|error| {
        let place = error.path().to_string();
        let path = match place.as_str() {
            "." => argument.to_owned(),
            place if place.starts_with('[') => format!("{argument}{place}"),
            place => format!("{argument}.{place}"),
        };
        thrown(Code::BadInput, &plain(&error.inner().to_string()), &path)
    })
}

/// Reads an argument whose tag says its shape. Such a one is copied whole before the tag is looked at, so that one
/// which holds itself, or is nested without end, would exhaust the stack.
pub fn read_shallow<T: DeserializeOwned>(argument: &str, value: JsValue) -> Result<T, PaydownError> {
    let mut values = 0;
    if !is_shallow(&value, MAX_DEPTH, &mut values) {
        return Err(thrown(Code::BadInput, "it is nested too deep, holds itself, or is too large", argument));
    }
    // In what is copied whole no place is known, and asking for it would make the package larger.
    T::deserialize(Closed(value))
        .map_err(|error| thrown(Code::BadInput, &plain(&error.to_string()), argument))
}

/// An argument whose members are all known: a name that is not would else be taken for one left out.
struct Closed(JsValue);

impl<'de> Deserializer<'de> for Closed {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        serde_wasm_bindgen::Deserializer::from(self.0).deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Some(object) = self.0.dyn_ref::<Object>() {
            let names = Object::keys(object);
            let mut names = names.iter().filter_map(|name| name.as_string());
            if let Some(unknown) = names.find(|name| !fields.contains(&name.as_str())) {
                return Err(serde::de::Error::unknown_field(&unknown, fields));
            }
        }
        serde_wasm_bindgen::Deserializer::from(self.0).deserialize_struct(name, fields, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn is_shallow(value: &JsValue, depth: u32, values: &mut u32) -> bool {
    *values = values.saturating_add(1);
    let Some(object) = value.dyn_ref::<Object>() else { return true };
    let Some(below) = depth.checked_sub(1) else { return false };
    *values <= MAX_VALUES && Object::values(object).iter().all(|value| is_shallow(&value, below, values))
}

/// Writes a result: absent values are `null`, maps are objects.
pub fn write<T: Serialize>(result: &T) -> Result<JsValue, PaydownError> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    result
        .serialize(&serializer)
        .map_err(|error| thrown(Code::OutOfRange, &plain(&error.to_string()), "the result"))
}

/// What serde calls by Rust's names, and what JavaScript calls it.
const WORDS: [(&str, &str); 5] = [
    ("unit value", "null or undefined"),
    ("expected u64", "expected a whole number from 0 to 9007199254740991"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected i32", "expected a whole number"),
    ("expected struct ", "expected an object: "),
];

/// The message of an error, in JavaScript's words.
fn plain(message: &str) -> String {
    let message = message.strip_prefix("Error: ").unwrap_or(message).to_owned();
    WORDS.iter().fold(message, |message, (rust, javascript)| message.replace(rust, javascript))
}
