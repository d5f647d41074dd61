//! How old what is on the screen is, and whether the network is there.

use std::time::Duration;

use leptos::prelude::*;
use leptos_fetch::QueryClient;

use crate::data::refresh;
use crate::data::remote::age_seconds;

/// Whether anybody can see the page and the network is there: else nothing is asked for again.
pub fn watched() -> ArcRwSignal<bool> {
    let is_watched = || !document().hidden() && window().navigator().on_line();
    let watched = ArcRwSignal::new(is_watched());
    for event in ["visibilitychange", "online", "offline"] {
        let signal = watched.clone();
        // Those of the document rise to the window.
        let listen = window_event_listener_untyped(event, move |_| signal.set(is_watched()));
        on_cleanup(move || listen.remove());
    }
    watched
}

/// The age of the oldest of what is on the screen, as it grows.
fn age() -> RwSignal<Option<u64>> {
    let age = RwSignal::new(None);
    let tick = move || {
        let now = age_seconds();
        if age.get_untracked() != now {
            age.set(now);
        }
    };
    let ticking = set_interval_with_handle(tick, Duration::from_secs(1));
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    age
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        _ => format!("{} min ago", seconds / 60),
    }
}

/// Says when what is on the screen was read. It counts, so those who hear the page are not told each second.
#[component]
pub fn Age() -> impl IntoView {
    let age = age();
    view! { <p class="age quiet">{move || format!("updated {}", ago(age.get().unwrap_or(0)))}</p> }
}

/// Says that the network is away; when it is back, all is read anew.
#[component]
pub fn Offline() -> impl IntoView {
    let client: QueryClient = expect_context();
    let is_offline = RwSignal::new(!window().navigator().on_line());
    let age = age();
    let went = window_event_listener_untyped("offline", move |_| is_offline.set(true));
    let came = window_event_listener_untyped("online", move |_| {
        is_offline.set(false);
        refresh(&client);
    });
    on_cleanup(move || {
        went.remove();
        came.remove();
    });
    let banner = move || {
        is_offline.get().then(|| {
            view! {
                <div class="notice tone-attention">
                    <strong>"Offline. "</strong>
                    "What is shown was read "
                    <span aria-live="off">{move || ago(age.get().unwrap_or(0))}</span>
                    "; it is read anew when the network is back."
                </div>
            }
        })
    };
    view! { <div role="status">{banner}</div> }
}
