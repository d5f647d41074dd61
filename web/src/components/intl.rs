//! Amounts, dates and instants as the reader's language writes them, by the browser's `Intl`.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use leptos::prelude::*;
use paydown::api::Settings;
use paydown::date::{BusinessDate, Instant};
use wasm_bindgen::JsValue;

use crate::clock;

thread_local! {
    /// Making a formatter is slow, and a page needs the same few for hundreds of figures.
    static MONEY: RefCell<HashMap<String, Money>> = RefCell::default();
    static TIMES: RefCell<HashMap<(Style, String), Function>> = RefCell::default();
    static NUMBERS: RefCell<Option<Function>> = const { RefCell::new(None) };
}

#[derive(Clone)]
struct Money {
    format: Function,
    /// How many of an amount's digits are of the minor unit.
    minor_digits: usize,
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
    let money = format_of(currency);
    // As text, since a number of JavaScript could not hold every amount exactly.
    written(&money.format, &decimal(minor.into(), money.minor_digits).into())
}

fn format_of(currency: &str) -> Money {
    MONEY.with_borrow_mut(|known| {
        known.entry(currency.to_owned()).or_insert_with(|| money_format(currency)).clone()
    })
}

fn money_format(currency: &str) -> Money {
    let format = Intl::NumberFormat::new(
        &Array::new(),
        &options(&[("style", "currency"), ("currency", currency), ("currencyDisplay", "narrowSymbol")]),
    );
    let resolved = format.resolved_options();
    let digits = Reflect::get(&resolved, &"maximumFractionDigits".into()).ok().and_then(|n| n.as_f64());
    Money { format: format.format(), minor_digits: digits.map_or(2, |digits| digits as usize) }
}

/// A whole number of minor units as a decimal number of major ones.
fn decimal(minor: i128, minor_digits: usize) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = minor_digits.saturating_add(1));
    let (major, minor) = digits.split_at(digits.len().saturating_sub(minor_digits));
    if minor.is_empty() { format!("{sign}{major}") } else { format!("{sign}{major}.{minor}") }
}

/// The minor units of a currency that a person's text says, as in `1,000` or `83.34`; `None` if it says no amount.
pub fn minor_units(text: &str, currency: &str) -> Option<u64> {
    units(text, format_of(currency).minor_digits)
}

fn units(text: &str, minor_digits: usize) -> Option<u64> {
    let text: String = text.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '$' | '\'')).collect();
    let (major, minor) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if major.is_empty() || minor.len() > minor_digits || !is_number(major) || !is_number(minor) {
        return None;
    }
    format!("{major}{minor:0<minor_digits$}").parse().ok()
}

/// An amount as a person enters it.
pub fn entered(minor: i128, currency: &str) -> String {
    decimal(minor, format_of(currency).minor_digits)
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

#[cfg(test)]
mod tests {
    use super::{decimal, units};

    #[test]
    fn minor_units_are_written_as_a_decimal_number_of_major_ones() {
        assert_eq!(decimal(100_000, 2), "1000.00");
        assert_eq!(decimal(7, 2), "0.07");
        assert_eq!(decimal(-8334, 2), "-83.34");
        assert_eq!(decimal(5, 0), "5");
        assert_eq!(decimal(i128::from(u64::MAX), 2), "184467440737095516.15");
    }

    #[test]
    fn a_text_says_an_amount_or_none() {
        assert_eq!(units("1,000", 2), Some(100_000));
        assert_eq!(units(" $83.34", 2), Some(8334));
        assert_eq!(units("0.5", 2), Some(50));
        assert_eq!((units("500", 0), units("0.125", 3)), (Some(500), Some(125)));
        for wrong in ["", ".5", "1.234", "-1", "1e3", "abc", "1.2.3"] {
            assert_eq!(units(wrong, 2), None, "{wrong}");
        }
        assert_eq!(units("5.0", 0), None);
    }
}
