//! What is thrown: one class, told apart by its `code`.

use schemars::JsonSchema;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Whose fault an error is, and what kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PaydownErrorCode")]
pub enum Code {
    /// The caller's: an argument has another shape than its type, or a value out of its range.
    BadInput,
    /// The caller's: terms that no credit can have.
    BadTerms,
    /// The caller's: the decision was taken on other facts.
    StaleDecision,
    /// A figure of the result is beyond 2^53 - 1, so that a JavaScript number could not hold it exactly.
    OutOfRange,
}

impl Code {
    /// The name in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Code::BadInput => "bad_input",
            Code::BadTerms => "bad_terms",
            Code::StaleDecision => "stale_decision",
            Code::OutOfRange => "out_of_range",
        }
    }
}

#[wasm_bindgen(raw_module = "./error.js")]
extern "C" {
    /// The class of `npm/error.js`.
    pub type PaydownError;

    #[wasm_bindgen(constructor)]
    fn new(code: &str, message: &str, path: &str) -> PaydownError;
}

/// The error to throw: `path` names the argument, and the place in it as far as it is known.
pub fn thrown(code: Code, message: &str, path: &str) -> PaydownError {
    PaydownError::new(code.name(), &format!("{path}: {message}"), path)
}
