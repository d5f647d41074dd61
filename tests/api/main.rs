//! The HTTP API, driven natively over SQLite and a fake processor.
