//! What the native tests share: the ports of edge over SQLite and in memory, and a client of the API over them.

pub mod client;
pub mod courier;
pub mod description;
pub mod figures;
pub mod history;
pub mod memory;
pub mod platform;
pub mod processor;
pub mod replay;
pub mod sqlite;
pub mod vectors;
