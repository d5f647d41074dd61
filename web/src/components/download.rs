//! Saves what a list's filter finds as a file.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, Url};

use super::faces::Told;
use crate::data::{Failure, csv};

/// The button that saves a list as CSV.
#[component]
pub fn Download(
    /// The list's path, any page of it.
    path: Callback<(), String>,
    /// The file's name.
    name: &'static str,
) -> impl IntoView {
    let rows = RwSignal::new(0_usize);
    let failure = RwSignal::new(None::<Failure>);
    let saving = Action::new_local(move |path: &String| {
        let path = path.clone();
        async move {
            rows.set(0);
            failure.set(None);
            match csv::whole(&path, move |count| rows.set(count)).await {
                // A browser that cannot make a file says so itself.
                Ok(text) => drop(save(&text, name)),
                Err(why) => failure.set(Some(why)),
            }
        }
    });
    let words = move || {
        if saving.pending().get() {
            format!("Reading… {} rows", rows.get())
        } else {
            "Download CSV".to_owned()
        }
    };
    view! {
        <button
            class="button small"
            disabled=move || saving.pending().get()
            on:click=move |_| { saving.dispatch(path.run(())); }
        >
            {words}
        </button>
        {move || failure.get().map(|failure| view! { <div class="notice tone-bad" role="alert"><Told failure/></div> })}
    }
}

fn save(text: &str, name: &str) -> Result<(), JsValue> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into()))?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&address)
}
