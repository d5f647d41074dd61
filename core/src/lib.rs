//! The law of the money: plans, observations and decisions as pure functions.
