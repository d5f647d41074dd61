//! The Worker: three doors, each a few lines, onto the HTTP API, the daily run and the queue.
//!
//! Core decides, edge does. What talks to the platform sits behind the ports and is compiled for
//! wasm only; all else is an ordinary library that the tests drive natively.

pub mod bindings;
pub mod config;
#[cfg(not(target_arch = "wasm32"))]
pub mod deployment;
pub mod error;
pub mod http;
pub mod ledger;
pub mod log;
pub mod message;
pub mod ports;
pub mod processor;
pub mod run;
pub mod webhooks;
pub mod zone;

#[cfg(target_arch = "wasm32")]
mod doors;
#[cfg(target_arch = "wasm32")]
mod platform;
