//! The dashboard.

use leptos::prelude::*;
use paydown::api::{Credit, Page};

fn main() {
    console_error_panic_hook::set_once();
    mount_to_body(App);
}

/// The credits of the book.
#[component]
fn App() -> impl IntoView {
    let credits = LocalResource::new(async || {
        let response = gloo_net::http::Request::get("/v1/credits").send().await.ok()?;
        response.json::<Page<Credit>>().await.ok()
    });
    view! {
        <main>
            <h1>"Credits"</h1>
            <ul>
                {move || {
                    let page = credits.get().flatten()?;
                    Some(page.data.into_iter().map(|credit| view! { <li>{credit.account_id}</li> }).collect_view())
                }}
            </ul>
        </main>
    }
}
