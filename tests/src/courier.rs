//! A consumer of webhooks in memory: it keeps what it has not seen, and fails, loses its answer or is away as it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use paydown_edge::ports::{Courier, Receipt, Webhook};
use serde_json::Value;

/// A consumer at every address. What is not scripted is taken.
#[derive(Default)]
pub struct FakeCourier(Mutex<Consumer>);

/// What it does with a webhook, by how many came before it.
type Script = Box<dyn Fn(usize, &Webhook) -> Took + Send>;

#[derive(Default)]
struct Consumer {
    script: Option<Script>,
    came: Vec<Webhook>,
    taken: Vec<Webhook>,
}

/// What becomes of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    /// What the sender hears.
    pub receipt: Receipt,
    /// Whether the consumer has it all the same.
    pub takes: bool,
}

impl Took {
    /// It was taken.
    pub fn it() -> Took {
        Took { takes: true, ..Took::answered(204) }
    }

    /// It was not, and this is answered.
    pub fn answered(status: u16) -> Took {
        Took { receipt: Receipt::Answered { status, retry_after_seconds: None }, takes: false }
    }

    /// It was taken, and the answer got lost.
    pub fn lost() -> Took {
        Took { takes: true, ..Took::nobody() }
    }

    /// Nobody is there.
    pub fn nobody() -> Took {
        Took { receipt: Receipt::Lost { why: "no answer in 10 s".into() }, takes: false }
    }
}

impl FakeCourier {
    /// From now on the consumer does this with each webhook, given how many came before it.
    pub fn script(&self, script: impl Fn(usize, &Webhook) -> Took + Send + 'static) {
        self.consumer(|consumer| consumer.script = Some(Box::new(script)));
    }

    /// What came, in order, taken or not.
    pub fn came(&self) -> Vec<Webhook> {
        self.consumer(|consumer| consumer.came.clone())
    }

    /// What the consumer has at an address: each message once, in the order in which it first took it.
    pub fn taken(&self, url: &str) -> Vec<Value> {
        let taken = self.consumer(|consumer| consumer.taken.clone());
        let mut seen = BTreeMap::new();
        let at_address = taken.into_iter().filter(|webhook| webhook.url == url);
        let new = at_address.filter(|webhook| seen.insert(id_of(webhook), ()).is_none());
        new.map(|webhook| serde_json::from_str(&webhook.body).expect("JSON")).collect()
    }

    fn consumer<T>(&self, work: impl FnOnce(&mut Consumer) -> T) -> T {
        work(&mut self.0.lock().expect("no test thread panicked"))
    }
}

/// A header of a webhook, empty where it has none.
pub fn header<'a>(webhook: &'a Webhook, name: &str) -> &'a str {
    webhook.headers.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value)
}

fn id_of(webhook: &Webhook) -> String {
    header(webhook, "webhook-id").to_owned()
}

#[async_trait(?Send)]
impl Courier for FakeCourier {
    async fn post(&self, webhook: &Webhook) -> Receipt {
        self.consumer(|consumer| {
            let took =
                consumer.script.as_ref().map_or_else(Took::it, |script| script(consumer.came.len(), webhook));
            consumer.came.push(webhook.clone());
            if took.takes {
                consumer.taken.push(webhook.clone());
            }
            took.receipt
        })
    }
}
