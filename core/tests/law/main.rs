//! The law through `decide`, as the run takes its decisions: rows that are hard to reach, and what always holds.

// `cfg(test)` is what clippy.toml goes by where it allows a panic.
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod world;
