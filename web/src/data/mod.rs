//! What the server says, and what it is asked to do: one function per endpoint, over one cache.
//!
//! Every shape is that of [`paydown::api`]. A page holds a [`Remote`] and shows its faces; it never sees a request.

pub mod actions;
pub mod csv;
pub mod failure;
pub mod query;
pub mod reading;
pub mod remote;
pub mod report;
mod request;

pub use failure::Failure;
pub use remote::{Remote, forget, refresh};

/// What a request came to.
pub type Answer<T> = Result<T, Failure>;
