//! The app: who is logged in, and which page the address names.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;
use paydown::api::Settings;

use crate::components::faces::Shown;
use crate::data::reading;
use crate::frame::Frame;
use crate::pages::credit::CreditPage;
use crate::pages::credits::CreditsPage;
use crate::pages::debits::DebitsPage;
use crate::pages::exceptions::ExceptionsPage;
use crate::pages::login::LoginPage;
use crate::pages::overview::OverviewPage;
use crate::pages::run::RunPage;
use crate::pages::runs::RunsPage;
use crate::pages::simulator::SimulatorPage;

/// The whole dashboard.
#[component]
pub fn App() -> impl IntoView {
    QueryClient::new().with_refetch_enabled_toggle(visible()).provide();
    view! {
        <Router>
            <Gate/>
        </Router>
    }
}

/// Whether anybody can see the page: what nobody sees is not asked for again.
fn visible() -> ArcRwSignal<bool> {
    let visible = ArcRwSignal::new(!document().hidden());
    let signal = visible.clone();
    let listen =
        window_event_listener(leptos::ev::visibilitychange, move |_| signal.set(!document().hidden()));
    on_cleanup(move || listen.remove());
    visible
}

/// The login for those who are not logged in, the pages for those who are.
#[component]
fn Gate() -> impl IntoView {
    let session = reading::session();
    let is_out = Memo::new(move |_| session.failure().is_some_and(|failure| failure.is_unauthorized()));
    move || {
        if is_out.get() {
            return view! { <LoginPage/> }.into_any();
        }
        view! {
            <Shown of=session page=true let:session>
                <Inside label=Signal::derive(move || session.get().label.clone())/>
            </Shown>
        }
        .into_any()
    }
}

/// The frame and the page in it. The settings are there before any page is.
#[component]
fn Inside(label: Signal<String>) -> impl IntoView {
    let settings = reading::settings();
    view! {
        <Shown of=settings page=true let:settings>
            {
                let settings: Settings = settings.get_untracked().as_ref().clone();
                provide_context(settings);
                view! { <Frame label><Pages/></Frame> }
            }
        </Shown>
    }
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <NoSuchPage/> }>
            <Route path=path!("/") view=OverviewPage/>
            <Route path=path!("/credits") view=CreditsPage/>
            <Route path=path!("/credits/:id") view=CreditPage/>
            <Route path=path!("/debits") view=DebitsPage/>
            <Route path=path!("/runs") view=RunsPage/>
            <Route path=path!("/runs/:id") view=RunPage/>
            <Route path=path!("/exceptions") view=ExceptionsPage/>
            <Route path=path!("/simulator") view=SimulatorPage/>
        </FlatRoutes>
    }
}

#[component]
fn NoSuchPage() -> impl IntoView {
    view! {
        <section class="face">
            <h1>"There is no such page"</h1>
            <p>"The address may be mistyped. "<a href="/">"The Overview"</a>" is where everything begins."</p>
        </section>
    }
}
