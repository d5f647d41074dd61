//! The dashboard: shows the book, and asks the server to act on it.
//!
//! It computes no money and no date except through `paydown`, the same core that the Worker calls.

mod app;
mod charts;
mod clock;
mod components;
mod data;
mod frame;
mod pages;
mod stop;
mod theme;

use leptos::prelude::*;

fn main() {
    console_error_panic_hook::set_once();
    // The static shell, painted while this was loading, has done its part.
    if let Some(shell) = document().get_element_by_id("shell") {
        shell.remove();
    }
    mount_to_body(app::App);
}
