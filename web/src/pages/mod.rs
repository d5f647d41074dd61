//! The pages, one for each thing that can be looked at.

pub mod credit;
pub mod credits;
pub mod debits;
pub mod exceptions;
pub mod keys;
pub mod login;
pub mod overview;
pub mod run;
pub mod runs;
pub mod settings;
pub mod simulator;
pub mod webhooks;
