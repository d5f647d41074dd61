//! The HTTP API, driven natively over SQLite and a processor that answers by script.

mod access;
mod advances;
mod append_only;
mod bad_input;
mod calendar;
mod events;
mod faults;
mod intake;
mod journal;
mod limits;
mod lists;
mod openapi;
mod operators;
mod reading;
mod refunds;
mod strikes;
mod watching;
mod webhooks;

use paydown_tests::client;
