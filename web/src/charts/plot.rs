//! What charts by day have in common: the days along their foot, today, and a read-out of the day that is pointed at or
//! chosen by the arrow keys.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Day, Summary};
use paydown::date::BusinessDate;
use wasm_bindgen::JsCast;

use super::share::{length, share};
use crate::components::intl::{business_date, date, short_date};

/// Where marks begin and end, in pixels from the top.
pub const TOP: i128 = 24;
/// The foot of the marks.
pub const BASE: i128 = 184;

/// Days between two words under the axis.
const TICK_DAYS: usize = 14;

/// Where a day's place begins, of so many.
pub fn place(day: usize, days: usize) -> String {
    length(share(day as i128, days.max(1) as i128))
}

/// How many pixels an amount stands high when the most stands from foot to top.
pub fn height(amount: i64, most: i64) -> i128 {
    if most <= 0 {
        return 0;
    }
    i128::from(amount.max(0)).saturating_mul(BASE - TOP) / i128::from(most)
}

/// A chart by day.
#[component]
pub fn Plot(
    /// The figures.
    summary: Arc<Summary>,
    /// What it shows, for those who do not see it.
    words: String,
    /// What a day's read-out says.
    told: Arc<dyn Fn(&Day) -> String + Send + Sync>,
    /// Its marks, as SVG.
    marks: AnyView,
) -> impl IntoView {
    let count = summary.days.len();
    let chosen = RwSignal::new(None::<usize>);
    let today = business_date(summary.as_of);
    let hairline = move || {
        let x = place(chosen.get()?.saturating_mul(2).saturating_add(1), count.saturating_mul(2));
        Some(
            view! { <line class="hairline" x1=x.clone() x2=x y1=TOP.to_string() y2=BASE.to_string()></line> },
        )
    };
    let at_today = at_today(&summary, today);
    let ticks = ticks(&summary);
    let days = summary.days.clone();
    let said = Memo::new(move |_| {
        let day = days.get(chosen.get()?)?;
        Some(format!("{}: {}", date(day.date), told(day)))
    });
    let point = move |event: leptos::ev::PointerEvent| {
        let width = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
        let width = width.map_or(0, |element| element.offset_width());
        chosen.set(pointed_at(event.offset_x(), width, count));
    };
    let choose = move |event| chosen.set(event_target_value(&event).parse().ok());
    view! {
        <div class="plot">
            <svg role="img" aria-label=words width="100%" height="208">
                <line class="base" x1="0" x2="100%" y1=BASE.to_string() y2=BASE.to_string()></line>
                {marks}
                {at_today}
                {ticks}
                {hairline}
            </svg>
            <input
                type="range"
                min="0"
                max=count.saturating_sub(1).to_string()
                aria-label="Day"
                aria-valuetext=move || said.get().unwrap_or_else(|| "no day is chosen".into())
                prop:value=move || chosen.get().unwrap_or(0).to_string()
                on:input=choose
                on:pointermove=point
                on:pointerleave=move |_| chosen.set(None)
                on:blur=move |_| chosen.set(None)
            />
        </div>
        <p class="readout">
            {move || said.get().unwrap_or_else(|| "Point at a day, or choose one by the arrow keys.".into())}
        </p>
    }
}

/// The day under a pointer that is so many pixels from the left.
fn pointed_at(x: i32, width: i32, days: usize) -> Option<usize> {
    let (x, width) = (usize::try_from(x).ok()?, usize::try_from(width).ok()?);
    x.saturating_mul(days).checked_div(width).map(|day| day.min(days.saturating_sub(1)))
}

fn at_today(summary: &Summary, today: BusinessDate) -> Option<AnyView> {
    let days = summary.days.len();
    let day = summary.days.iter().position(|day| day.date == today)?;
    let x = place(day.saturating_add(1), days);
    let view = view! {
        <line class="today" x1=x.clone() x2=x.clone() y1="8" y2=BASE.to_string()></line>
        <text class="axis" x=x y="16" dx="4">"after today"</text>
    };
    Some(view.into_any())
}

fn ticks(summary: &Summary) -> AnyView {
    let days = summary.days.len();
    let ticks = summary.days.iter().enumerate().step_by(TICK_DAYS).map(|(day, figures)| {
        let is_last = day.saturating_add(TICK_DAYS) >= days;
        let (x, anchor) =
            if is_last { (place(day.saturating_add(1), days), "end") } else { (place(day, days), "start") };
        view! { <text class="axis" x=x y="202" text-anchor=anchor>{short_date(figures.date)}</text> }
    });
    ticks.collect_view().into_any()
}

#[cfg(test)]
mod tests {
    use super::{height, place, pointed_at};

    #[test]
    fn a_pointer_is_over_a_day_or_none() {
        assert_eq!(
            [0, 9, 10, 99, 100].map(|x| pointed_at(x, 100, 10)),
            [Some(0), Some(0), Some(1), Some(9), Some(9)]
        );
        assert_eq!((pointed_at(-1, 100, 10), pointed_at(1, 0, 10)), (None, None));
    }

    #[test]
    fn what_is_most_stands_highest() {
        assert_eq!((height(10, 10), height(5, 10), height(-5, 10), height(5, 0)), (160, 80, 0, 0));
        assert_eq!(place(1, 4), "25.000%");
    }
}
