//! The law of the money for JavaScript.
