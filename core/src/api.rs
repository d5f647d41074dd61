//! The wire shapes of the HTTP API: what edge answers and web reads.
