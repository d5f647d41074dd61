//! What the queues deliver: each message is done, or comes again later; none is lost.

use super::budget::Meter;
use super::intake::{self, Accepted};
use super::parts::part;
use super::{calling, dead_letter, run, webhooks};
use crate::bindings::DEAD_LETTERS;
use crate::message::{Message, Verdict};
use crate::ports::Ports;

/// Handles the messages of one delivery: those that record advances all at once, the others one by one.
pub async fn deliver(ports: &Ports, queue: &str, bodies: &[String]) -> Vec<Verdict> {
    // Whatever a delivery has, it is one invocation.
    let (meter, ports) = match Meter::of(ports, ports.settings.budget).await {
        Ok((meter, ports)) => (meter, &{ ports }),
        Err(fault) => return vec![Verdict::after(&fault); bodies.len()],
    };
    let mut verdicts = Vec::with_capacity(bodies.len());
    let mut accepted = Vec::new();
    let mut places = Vec::new();
    for body in bodies {
        let message = if queue.ends_with(DEAD_LETTERS) { None } else { serde_json::from_str(body).ok() };
        verdicts.push(match message {
            Some(Message::Record { api_key_id, intent }) => {
                accepted.push(Accepted { api_key_id, intent: *intent });
                places.push(verdicts.len());
                Verdict::Done
            }
            Some(Message::Run { as_of, part: None }) => {
                Verdict::of(run(ports, &meter, as_of, false).await.map(|_| ()), "run")
            }
            Some(Message::Run { as_of, part: Some(name) }) => {
                Verdict::of(part(ports, &meter, as_of, &name).await, "part")
            }
            Some(Message::Submit { credit_id }) => {
                Verdict::of(calling::submit(ports, &[credit_id]).await, "submit")
            }
            Some(Message::Webhooks { endpoint_id }) => {
                Verdict::of(webhooks::send_waiting(ports, &meter, endpoint_id).await, "webhooks")
            }
            // It failed for good, or trying again would not make it readable.
            None => Verdict::of(dead_letter(ports, queue, body).await, "dead letter"),
        });
    }
    for (place, verdict) in places.into_iter().zip(intake::record(ports, &accepted).await) {
        if let Some(done) = verdicts.get_mut(place) {
            *done = verdict;
        }
    }
    verdicts
}
