//! The app: who is logged in, and which page the address names.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, LazyRoute, path};
use paydown::api::Settings;

use crate::components::allowed;
use crate::components::faces::Shown;
use crate::components::live::watched;
use crate::components::toast::Toasts;
use crate::data::reading;
use crate::frame::Frame;
use crate::pages::credit::CreditPage;
use crate::pages::credits::CreditsPage;
use crate::pages::debits::DebitsPage;
use crate::pages::exceptions::ExceptionsPage;
use crate::pages::keys::KeysPage;
use crate::pages::login::LoginPage;
use crate::pages::overview::OverviewPage;
use crate::pages::run::RunPage;
use crate::pages::runs::RunsPage;
use crate::pages::settings::SettingsPage;
use crate::pages::simulator::SimulatorPage;
use crate::pages::webhooks::WebhooksPage;

/// The whole dashboard.
#[component]
pub fn App() -> impl IntoView {
    QueryClient::new().with_refetch_enabled_toggle(watched()).provide();
    view! {
        <Router>
            <Gate/>
        </Router>
    }
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
            <Shown of=session page=true alone=true let:session>
                {
                    allowed::provide(session);
                    Toasts::provide();
                    view! { <Inside label=Signal::derive(move || session.get().label.clone())/> }
                }
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
        <Shown of=settings page=true alone=true let:settings>
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
            <Route path=path!("/") view={Lazy::<OverviewRoute>::new()}/>
            <Route path=path!("/credits") view={Lazy::<CreditsRoute>::new()}/>
            <Route path=path!("/credits/:id") view={Lazy::<CreditRoute>::new()}/>
            <Route path=path!("/debits") view={Lazy::<DebitsRoute>::new()}/>
            <Route path=path!("/runs") view={Lazy::<RunsRoute>::new()}/>
            <Route path=path!("/runs/:id") view={Lazy::<RunRoute>::new()}/>
            <Route path=path!("/exceptions") view={Lazy::<ExceptionsRoute>::new()}/>
            <Route path=path!("/simulator") view={Lazy::<SimulatorRoute>::new()}/>
            <Route path=path!("/keys") view={Lazy::<KeysRoute>::new()}/>
            <Route path=path!("/webhooks") view={Lazy::<WebhooksRoute>::new()}/>
            <Route path=path!("/settings") view={Lazy::<SettingsRoute>::new()}/>
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

/// Each page's code comes with the first page of its group that is looked at, where the build splits it: the release
/// does, so that the first load is no more than the frame and what is looked at first.
macro_rules! pages {
    ($($group:ident { $($route:ident, $view:ident, $page:ident;)* })*) => { $($(
        struct $route;

        impl LazyRoute for $route {
            fn data() -> $route {
                $route
            }

            async fn view(_: $route) -> AnyView {
                $view().await
            }
        }

        #[cfg(feature = "split")]
        #[leptos::wasm_split::wasm_split($group, wasm_split_path = ::leptos::wasm_split)]
        fn $view() -> AnyView {
            view! { <$page/> }.into_any()
        }

        #[cfg(not(feature = "split"))]
        async fn $view() -> AnyView {
            view! { <$page/> }.into_any()
        }
    )*)* };
}

pages! {
    overview {
        OverviewRoute, overview_view, OverviewPage;
    }
    book {
        CreditsRoute, credits_view, CreditsPage;
        CreditRoute, credit_view, CreditPage;
        DebitsRoute, debits_view, DebitsPage;
        ExceptionsRoute, exceptions_view, ExceptionsPage;
    }
    office {
        RunsRoute, runs_view, RunsPage;
        RunRoute, run_view, RunPage;
        SimulatorRoute, simulator_view, SimulatorPage;
        KeysRoute, keys_view, KeysPage;
        WebhooksRoute, webhooks_view, WebhooksPage;
        SettingsRoute, settings_view, SettingsPage;
    }
}
