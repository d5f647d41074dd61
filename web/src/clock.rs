//! The one place where the page reads the clock: for how old what it shows is, and the date on what is printed. No money
//! and no date of the book follows from it.

/// Milliseconds since 1970.
pub fn now() -> f64 {
    js_sys::Date::now()
}
