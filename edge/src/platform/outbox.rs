//! Work for another invocation, by a queue.

use async_trait::async_trait;
use worker::send::SendWrapper;
use worker::{MessageBuilder, Queue, QueueContentType};

use super::error_message;
use crate::error::Fault;
use crate::message::Message;
use crate::ports::Outbox;

/// The queues. A message is sent as the JSON text that it is read from again.
pub struct QueueOutbox {
    runs: SendWrapper<Queue>,
    outbox: SendWrapper<Queue>,
    intake: SendWrapper<Queue>,
    webhooks: SendWrapper<Queue>,
}

impl QueueOutbox {
    /// Runs and their parts go by `runs`, advances that wait to be recorded by `intake`, endpoints for which events wait by
    /// `webhooks`, all else by `outbox`.
    pub fn new(runs: Queue, outbox: Queue, intake: Queue, webhooks: Queue) -> QueueOutbox {
        QueueOutbox {
            runs: SendWrapper::new(runs),
            outbox: SendWrapper::new(outbox),
            intake: SendWrapper::new(intake),
            webhooks: SendWrapper::new(webhooks),
        }
    }
}

/// The longest delay of a message (Cloudflare, Queues limits).
const MAX_DELAY_SECONDS: u32 = 12 * 60 * 60;

#[async_trait(?Send)]
impl Outbox for QueueOutbox {
    async fn send(&self, message: &Message, delay_seconds: u32) -> Result<(), Fault> {
        let text = serde_json::to_string(message)?;
        let queue = match message {
            Message::Run { .. } => &self.runs,
            Message::Submit { .. } => &self.outbox,
            Message::Record { .. } => &self.intake,
            Message::Webhooks { .. } => &self.webhooks,
        };
        let message = MessageBuilder::new(text)
            .content_type(QueueContentType::Text)
            .delay_seconds(delay_seconds.min(MAX_DELAY_SECONDS))
            .build();
        queue.send(message).await.map_err(|error| Fault::of_store(&error_message(&error)))
    }
}
