//! The law of the money: planning, observations and decisions as pure functions over values.
//!
//! Nothing here reads a clock, a database or a random number: every function says what
//! follows from its arguments. The Worker, the simulation, the dashboard and JavaScript call
//! the same functions. Rules are named `L1` to `L10` as on the page of the law.
#![warn(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

pub mod api;
pub mod calendar;
pub mod coverage;
pub mod credit;
pub mod date;
pub mod decision;
pub mod figures;
pub mod id;
pub mod journal;
pub mod money;
pub mod observation;
pub mod plan;
pub mod policy;
pub mod report;
