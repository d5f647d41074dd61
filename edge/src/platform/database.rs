//! The ledger's database over D1.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use worker::Delay;
use worker::js_sys::{self, Array, Function, Object, Reflect, Uint8Array};
use worker::send::SendWrapper;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::types::{D1Database, D1PreparedStatement, D1Result};

use super::message;
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// A D1 database. It speaks to the binding itself: the `worker` crate's types lose the text of an error,
/// and read numbers by way of floats.
pub struct D1(SendWrapper<Inner>);

struct Inner {
    database: D1Database,
    encoder: Encoder,
    /// Each statement as it was prepared when it was first run, by where its text is: what is sent again and again is a few
    /// texts, long ones, and each copy of one to JavaScript takes longer than to bind its parameter.
    prepared: RefCell<HashMap<*const u8, Rc<Prepared>>>,
}

struct Prepared {
    statement: D1PreparedStatement,
    has_parameter: bool,
}

impl D1 {
    pub fn new(database: worker::D1Database) -> Result<D1, String> {
        let database = JsValue::from(database).unchecked_into();
        let encoder = Encoder::new().map_err(|thrown| message(&thrown))?;
        Ok(D1(SendWrapper::new(Inner { database, encoder, prepared: RefCell::default() })))
    }

    fn prepared(&self, sql: &'static str) -> Result<Rc<Prepared>, JsValue> {
        if let Some(prepared) = self.0.prepared.borrow().get(&sql.as_ptr()) {
            return Ok(prepared.clone());
        }
        let statement = self.0.database.prepare(sql)?;
        let prepared = Rc::new(Prepared { statement, has_parameter: sql.contains("?1") });
        self.0.prepared.borrow_mut().insert(sql.as_ptr(), prepared.clone());
        Ok(prepared)
    }

    fn bound(&self, statement: &Statement) -> Result<JsValue, JsValue> {
        let prepared = self.prepared(statement.sql)?;
        if !prepared.has_parameter {
            return Ok(prepared.statement.clone().into());
        }
        prepared.statement.bind(Array::of1(&JsValue::from_str(&statement.parameter))).map(JsValue::from)
    }

    async fn run(&self, statements: &[Statement]) -> Result<Array, JsValue> {
        let batch = Array::new();
        for statement in statements {
            batch.push(&self.bound(statement)?);
        }
        JsFuture::from(self.0.database.batch(batch)?).await?.dyn_into()
    }

    /// The first column of each row. Rows are objects; all of a result have the same keys in the same order.
    fn first_column(&self, result: &D1Result) -> Result<Vec<String>, Fault> {
        let rows =
            result.results().map_err(|thrown| Fault::of_database(&message(&thrown)))?.unwrap_or_default();
        let Some(first) = rows.iter().next() else { return Ok(vec![]) };
        let column = Object::keys(&first.unchecked_into::<Object>()).get(0);
        let text = |row: JsValue| {
            let value = Reflect::get(&row, &column).ok().filter(JsValue::is_string);
            let text = value.and_then(|value| self.0.encoder.text(&value).ok());
            text.ok_or_else(|| Fault::Permanent(format!("column {column:?} of a row holds no text")))
        };
        rows.iter().map(text).collect()
    }
}

#[async_trait(?Send)]
impl Database for D1 {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        if statements.is_empty() {
            return Ok(vec![]);
        }
        let results = self.run(statements).await.map_err(|thrown| Fault::of_database(&message(&thrown)))?;
        results.iter().map(|result| self.first_column(result.unchecked_ref())).collect()
    }

    async fn wait(&self, milliseconds: u32) {
        Delay::from(Duration::from_millis(u64::from(milliseconds))).await;
    }
}

/// The platform's encoder of texts. What comes as a string of JavaScript is otherwise copied a character at a time, which
/// took a tenth of a run.
struct Encoder {
    encoder: JsValue,
    encode: Function,
}

impl Encoder {
    fn new() -> Result<Encoder, JsValue> {
        let class: Function =
            Reflect::get(&js_sys::global(), &JsValue::from_str("TextEncoder"))?.dyn_into()?;
        let encoder = Reflect::construct(&class, &Array::new())?;
        let encode = Reflect::get(&encoder, &JsValue::from_str("encode"))?.dyn_into()?;
        Ok(Encoder { encoder, encode })
    }

    fn text(&self, value: &JsValue) -> Result<String, JsValue> {
        let bytes: Uint8Array = self.encode.call1(&self.encoder, value)?.dyn_into()?;
        String::from_utf8(bytes.to_vec()).map_err(|error| JsValue::from_str(&error.to_string()))
    }
}
