//! What the native tests share: the ports of edge over SQLite and in memory.

pub mod memory;
pub mod platform;
pub mod processor;
pub mod sqlite;
pub mod vectors;
