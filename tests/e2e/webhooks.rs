//! Webhooks over HTTP: a consumer that is not well, is killed for a day and begins again verifies them with the specification's
//! own library, and comes to what the list of events tells.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::live::{Live, now};

/// How long the consumer may take to come to all events.
const LONGEST: Duration = Duration::from_secs(240);

/// A consumer in Node, and what it took, which outlives it as its own database would.
struct Consumer {
    process: Child,
    input: ChildStdin,
    address: String,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Consumer {
    fn begin() -> Consumer {
        Consumer::at("0", Arc::default())
    }

    fn at(port: &str, printed: Arc<Mutex<Vec<String>>>) -> Consumer {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("e2e/webhooks/consumer.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(port).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("node runs");
        let input = process.stdin.take().expect("its input is piped");
        let mut lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let address = lines.next().expect("a line").expect("its address");
        let shared = printed.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                shared.lock().expect("no thread panicked").push(line);
            }
        });
        Consumer { process, input, address, printed }
    }

    /// `kill -9`, until it is gone.
    fn kill(&mut self) {
        self.process.kill().expect("it is killed");
        self.process.wait().expect("it is gone");
    }

    /// Begins again at the same address.
    fn restart(&mut self) {
        let (_, port) = self.address.rsplit_once(':').expect("an address with a port");
        *self = Consumer::at(port, self.printed.clone());
    }

    fn verifies_with(&mut self, secret: &str) {
        writeln!(self.input, "{secret}").expect("it listens");
    }

    /// What it printed so far, each event once.
    fn took(&self) -> Vec<Value> {
        let printed = self.printed.lock().expect("no thread panicked").clone();
        let mut took: Vec<Value> = Vec::new();
        for line in printed {
            let event: Value = serde_json::from_str(&line).expect("JSON");
            assert!(event.get("forged").is_none() && event.get("inside").is_none(), "{event}");
            if !took.iter().any(|earlier| earlier["id"] == event["id"]) {
                took.push(event);
            }
        }
        took
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // One that is gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn by_credit(events: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in events {
        all.entry(event["data"]["credit_id"].to_string()).or_default().push(event.clone());
    }
    all
}

/// An endpoint's path, and its secret.
fn endpoint(live: &Live, url: &str) -> (String, String) {
    let made = live.post("/v1/webhook_endpoints", None, &json!({ "url": url, "label": "e2e" }).to_string());
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, secret) = (made.json()["id"].clone(), made.json()["secret"].clone());
    let text = |value: Value| value.as_str().expect("a text").to_owned();
    (format!("/v1/webhook_endpoints/{}", text(id)), text(secret))
}

/// Waits until the consumer has what the list tells.
fn comes_to_all(live: &Live, consumer: &Consumer) -> usize {
    let begun_at = now();
    loop {
        let (took, all) = (by_credit(&consumer.took()), by_credit(&live.list("/v1/events")));
        if took == all {
            return all.values().map(Vec::len).sum();
        }
        assert!(begun_at.elapsed() < LONGEST, "it took {took:#?}\nof {all:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_webhook_consumer_that_is_not_well_comes_to_all_events_in_order() {
    let live = Live::begin("webhooks");
    let mut consumer = Consumer::begin();
    let (path, secret) = endpoint(&live, &format!("{}/hook", consumer.address));
    consumer.verifies_with(&secret);
    // What was before it was made is sent too, and first.
    let rewound = live.post(&format!("{path}/rewind"), None, "{}");
    assert_eq!(rewound.status, 200, "{}", rewound.text);
    let (redirected, _) = endpoint(&live, &format!("{}/redirect", consumer.address));
    for number in 0..3 {
        assert_eq!(live.advance(&format!("key-{number}"), &format!("acct_{number}_ok"), 3).status, 201);
    }
    assert_eq!(live.advance("key-nsf", "acct_nsf1", 3).status, 201);
    live.live(1..=9);
    live.ended_run();
    let many = comes_to_all(&live, &consumer);
    assert!(many >= 20, "{many} events");

    // For a day nobody is there: what happens meanwhile waits.
    consumer.kill();
    live.live(10..=10);
    live.ended_run();
    assert!(live.list("/v1/events").len() > many);
    let waiting = live.get(&path).json()["waiting"].as_u64();
    assert!(waiting.is_some_and(|waiting| waiting > 0), "{waiting:?} wait");
    consumer.restart();
    consumer.verifies_with(&secret);
    live.live(11..=11);
    let many = comes_to_all(&live, &consumer);

    let rotated = live.post(&format!("{path}/rotate_secret"), None, "{}").json();
    live.live(12..=12);
    assert!(comes_to_all(&live, &consumer) > many, "the old secret signs too");
    consumer.verifies_with(rotated["secret"].as_str().expect("a secret"));
    live.live(13..=13);
    comes_to_all(&live, &consumer);

    let log = live.list(&format!("{path}/deliveries"));
    let failed = |entry: &&Value| entry["delivered"] == false;
    let whys: Vec<&Value> = log.iter().filter(failed).map(|entry| &entry["why"]).collect();
    assert!(whys.contains(&&json!("HTTP 500")), "{whys:?}");
    assert!(log.iter().any(|entry| entry["delivered"] == false && entry["status"].is_null()), "{whys:?}");
    let of_redirect = live.list(&format!("{redirected}/deliveries"));
    assert!(
        !of_redirect.is_empty() && of_redirect.iter().all(|entry| entry["status"] == 307),
        "{of_redirect:?}"
    );
}
