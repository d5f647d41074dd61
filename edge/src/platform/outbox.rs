//! Work for another invocation, by a queue.

use async_trait::async_trait;
use worker::send::SendWrapper;
use worker::{MessageBuilder, Queue, QueueContentType};

use super::error_message;
use crate::error::Fault;
use crate::ports::{Message, Outbox};

/// A queue. A message is sent as the JSON text that it is read from again.
pub struct QueueOutbox(SendWrapper<Queue>);

impl QueueOutbox {
    pub fn new(queue: Queue) -> QueueOutbox {
        QueueOutbox(SendWrapper::new(queue))
    }
}

#[async_trait(?Send)]
impl Outbox for QueueOutbox {
    async fn send(&self, message: &Message) -> Result<(), Fault> {
        let text = serde_json::to_string(message)?;
        let message = MessageBuilder::new(text).content_type(QueueContentType::Text).build();
        self.0.send(message).await.map_err(|error| Fault::of_store(&error_message(&error)))
    }
}
