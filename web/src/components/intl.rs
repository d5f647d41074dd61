//! Amounts, dates and instants as the reader's language writes them, by the browser's `Intl`.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use leptos::prelude::*;
use paydown::api::Settings;
use paydown::date::{BusinessDate, Instant};
use paydown::money::{decimal, minor_digits};
use wasm_bindgen::JsValue;

use crate::clock;

thread_local! {
    /// Making a formatter is slow, and a page needs the same few for hundreds of figures.
    static MONEY: RefCell<HashMap<String, Function>> = RefCell::default();
    static TIMES: RefCell<HashMap<(Style, String), Function>> = RefCell::default();
    static NUMBERS: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// How an instant is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    /// The day alone.
    Day,
    /// The day without its year.
    ShortDay,
    /// Day, time and zone.
    Full,
}

/// An amount of minor units in a currency.
pub fn money(minor: impl Into<i128>, currency: &str) -> String {
    let format = MONEY.with_borrow_mut(|known| {
        known.entry(currency.to_owned()).or_insert_with(|| money_format(currency)).clone()
    });
    // As text, since a number of JavaScript could not hold every amount exactly.
    written(&format, &decimal(minor.into(), currency).into())
}

/// The decimals are core's, which the API's texts have too: a browser's own table may say others.
fn money_format(currency: &str) -> Function {
    let options =
        options(&[("style", "currency"), ("currency", currency), ("currencyDisplay", "narrowSymbol")]);
    let digits = JsValue::from(u32::try_from(minor_digits(currency)).unwrap_or(2));
    for name in ["minimumFractionDigits", "maximumFractionDigits"] {
        // It fails only on what is no object.
        let _ = Reflect::set(&options, &name.into(), &digits);
    }
    Intl::NumberFormat::new(&Array::new(), &options).format()
}

/// A whole number.
pub fn number(n: u64) -> String {
    let format = NUMBERS.with_borrow_mut(|known| {
        let new = || Intl::NumberFormat::new(&Array::new(), &Object::new()).format();
        known.get_or_insert_with(new).clone()
    });
    written(&format, &JsValue::from(n.to_string()))
}

/// A number of things.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A civil date.
pub fn date(date: BusinessDate) -> String {
    civil(Style::Day, date)
}

/// A civil date without its year.
pub fn short_date(date: BusinessDate) -> String {
    civil(Style::ShortDay, date)
}

/// A civil date belongs to no zone: it is written as the day that it is at midnight UTC.
fn civil(style: Style, date: BusinessDate) -> String {
    // JavaScript reads a date without time as midnight UTC.
    time(style, "UTC", &date.to_string().into())
}

/// An instant with its zone.
pub fn instant(at: Instant, zone: &str) -> String {
    // Milliseconds of any date that there is are exact in a number of JavaScript.
    time(Style::Full, zone, &JsValue::from_f64(at.timestamp_millis() as f64))
}

/// The instant of the browser's own clock, with its zone.
pub fn now(zone: &str) -> String {
    time(Style::Full, zone, &JsValue::from_f64(clock::now()))
}

fn time(style: Style, zone: &str, when: &JsValue) -> String {
    let format = TIMES.with_borrow_mut(|known| {
        known.entry((style, zone.to_owned())).or_insert_with(|| time_format(style, zone)).clone()
    });
    written(&format, &Date::new(when))
}

fn time_format(style: Style, zone: &str) -> Function {
    let wanted: &[(&str, &str)] = match style {
        Style::Day => &[("day", "numeric"), ("month", "short"), ("year", "numeric")],
        Style::ShortDay => &[("day", "numeric"), ("month", "short")],
        Style::Full => &[
            ("day", "numeric"),
            ("month", "short"),
            ("year", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("hourCycle", "h23"),
            ("timeZoneName", "short"),
        ],
    };
    let wanted: Vec<_> = wanted.iter().copied().chain([("timeZone", zone)]).collect();
    Intl::DateTimeFormat::new(&Array::new(), &options(&wanted)).format()
}

fn options(wanted: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in wanted {
        // Setting a member of a fresh object never fails.
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    options
}

fn written(format: &Function, value: &JsValue) -> String {
    let text = format.call1(&JsValue::UNDEFINED, value).ok().and_then(|text| text.as_string());
    text.unwrap_or_else(|| "?".to_owned())
}

/// The date of an instant in the business time zone.
pub fn business_date(at: Instant) -> BusinessDate {
    let settings: Settings = expect_context();
    settings.offsets.business_date(at)
}

/// An instant on the page, readable for machines too.
#[component]
pub fn At(
    /// The instant.
    at: Instant,
) -> impl IntoView {
    let settings: Settings = expect_context();
    let text = instant(at, &settings.business_time_zone);
    view! { <time datetime=paydown::date::text(at)>{text}</time> }
}

/// A civil date on the page.
#[component]
pub fn On(
    /// The date.
    date: BusinessDate,
) -> impl IntoView {
    view! { <time datetime=date.to_string()>{self::date(date)}</time> }
}
