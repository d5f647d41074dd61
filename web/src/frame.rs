//! What is around every page: the way to the others, who is logged in, the last run, the sandbox's clock.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use paydown::api::Settings;
use paydown::date::BusinessDate;

use crate::components::allowed::may_operate;
use crate::components::badge::Badge;
use crate::components::intl::{On, counted};
use crate::components::live::{Age, Offline};
use crate::components::search::Search;
use crate::components::shortcuts::{PAGES, Shortcuts};
use crate::components::toast::{ToastRegion, Toasts};
use crate::data::{actions, forget, reading, refresh};
use crate::stop::Brake;
use crate::theme::ThemeChoice;

/// The frame around a page.
#[component]
pub fn Frame(
    /// Who is logged in.
    label: Signal<String>,
    /// The page.
    children: Children,
) -> impl IntoView {
    let settings: Settings = expect_context();
    let links = PAGES.into_iter().map(|(path, name, _)| {
        let exact = path == "/";
        view! { <li><A href=path exact>{name}</A></li> }
    });
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the page"</a>
        <div class="frame">
            <header class="side">
                <a class="brand" href="/">"Paydown"</a>
                <nav aria-label="Main"><ul class="pages">{links.collect_view()}<li><a href="/docs" rel="external">"API"</a></li></ul></nav>
                <div class="side-foot">
                    <Search/>
                    <Shortcuts/>
                    <ThemeChoice/>
                    <p class="quiet">{move || label.get()}</p>
                    <LogOut/>
                </div>
            </header>
            <div class="content">
                <section class="top" aria-label="The last run">
                    <LastRun/>
                    <Age/>
                    {(settings.sandbox && may_operate()()).then(|| view! { <Clock/> })}
                    <Brake/>
                </section>
                <Offline/>
                <main id="main" tabindex="-1">{children()}</main>
            </div>
        </div>
        <ToastRegion/>
        <FocusOnNewPage/>
    }
}

/// A new page is announced: the focus goes to its content, and the window's title names it.
#[component]
fn FocusOnNewPage() -> impl IntoView {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        let name =
            PAGES.iter().rev().find(|(page, ..)| *page == now || (*page != "/" && now.starts_with(page)));
        document().set_title(&name.map_or("Paydown".to_owned(), |(_, name, _)| format!("{name} · Paydown")));
        if before.is_some_and(|before| before != now)
            && let Some(main) = document().get_element_by_id("main")
        {
            // An element with a tabindex can always be focused.
            let _ = wasm_bindgen::JsCast::unchecked_into::<web_sys::HtmlElement>(main).focus();
        }
        now
    });
}

/// How the last run ended.
#[component]
fn LastRun() -> impl IntoView {
    let runs = reading::runs(1, || None);
    move || {
        let page = runs.data()?;
        let last = page.data.first()?.clone();
        Some(view! {
            <p class="last-run">
                <span class="quiet">"Last run "</span>
                <a href=format!("/runs/{}", last.id)><On date=last.business_date/></a>
                " "
                <Badge of=last.status/>
            </p>
        })
    }
}

/// How far the sandbox's clock goes.
#[derive(Clone, Copy)]
enum Onward {
    Days(u32),
    /// To the day on which a debit is due next.
    NextDue,
}

/// The clock of the sandbox: each day passed is lived through, with its run.
#[component]
fn Clock() -> impl IntoView {
    let client: QueryClient = expect_context();
    let toasts: Toasts = expect_context();
    let left = RwSignal::new(0_u32);
    let advance = Action::new_local(move |onward: &Onward| {
        let onward = *onward;
        async move {
            let lived = async {
                let (mut days, due) = match onward {
                    Onward::Days(days) => (days, None),
                    Onward::NextDue => match reading::last_run_on().await? {
                        None => (1, None),
                        Some(last) => match reading::next_due(last).await? {
                            Some(due) => (days_between(last, due), Some(due)),
                            None => return Ok("No debit is scheduled.".to_owned()),
                        },
                    },
                };
                // A day at a time, so that its progress can be seen.
                let mut lived = 0_u32;
                while days > 0 {
                    left.set(days);
                    actions::advance_clock(1).await?;
                    refresh(&client);
                    lived = lived.saturating_add(1);
                    days = match due {
                        // The run of a morning may be the second of its date.
                        Some(due) => reading::last_run_on().await?.map_or(0, |last| days_between(last, due)),
                        None => days.saturating_sub(1),
                    };
                }
                Ok(format!("Lived through {}.", counted(lived.into(), "day", "days")))
            };
            let came = lived.await;
            left.set(0);
            toasts.tell(came);
        }
    });
    let busy = move || advance.pending().get();
    let button = move |onward: Onward, words: &'static str| {
        view! {
            <button class="button small" disabled=busy on:click=move |_| { advance.dispatch(onward); }>{words}</button>
        }
    };
    view! {
        <div class="clock" role="group" aria-label="Clock of the sandbox">
            <span class="quiet">"Sandbox clock"</span>
            {button(Onward::Days(1), "One day on")}
            {button(Onward::Days(7), "One week on")}
            {button(Onward::NextDue, "To the next due debit")}
            <span role="status">
                {move || (left.get() > 0).then(|| format!("{} to go", left.get()))}
            </span>
        </div>
    }
}

/// How many days it is from one date to another; none where that is not behind it.
fn days_between(from: BusinessDate, to: BusinessDate) -> u32 {
    u32::try_from(to.days_since(from)).unwrap_or(0)
}

#[component]
fn LogOut() -> impl IntoView {
    let client: QueryClient = expect_context();
    let log_out = Action::new_local(move |(): &()| async move {
        // Whatever the server says, the next question it is asked shows who is logged in.
        let _ = actions::log_out().await;
        forget(&client);
    });
    view! {
        <button class="button small" on:click=move |_| { log_out.dispatch(()); }>"Log out"</button>
    }
}
