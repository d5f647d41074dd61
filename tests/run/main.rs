//! The daily run natively: the very code and SQL text of the Worker, over SQLite and a fake processor.

mod book;
mod budget;
mod cost;
mod days;
mod faults;
mod figures;
mod issuing;
mod meanwhile;
mod parts;
mod replay;
mod scenarios;
