//! Time zones by name, from the database that the runtime has for `Intl`.

use std::cell::RefCell;

use paydown::date::{Instant, Zone};
use worker::js_sys::{self, Array, Function, Object, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};

use crate::zone;

thread_local! {
    /// The zone that was asked for last. Finding its offsets takes some thousand looks, once for each isolate.
    static KNOWN: RefCell<Option<(String, Zone)>> = const { RefCell::new(None) };
}

/// The zone with an IANA name, if the runtime knows it.
pub fn named(name: &str) -> Option<Zone> {
    let known = KNOWN.with_borrow(|known| known.clone());
    if let Some((_, zone)) = known.filter(|(known, _)| known == name) {
        return Some(zone);
    }
    let format = format(name)?;
    let zone = zone::probed(|at| offset_at(&format, at))?;
    KNOWN.set(Some((name.to_owned(), zone.clone())));
    Some(zone)
}

/// What writes an instant with the zone's offset. The runtime throws where it does not know the name.
fn format(name: &str) -> Option<Function> {
    let options = Object::new();
    for (option, value) in [("timeZone", name), ("timeZoneName", "longOffset")] {
        Reflect::set(&options, &option.into(), &value.into()).ok()?;
    }
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let constructor: Function = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into().ok()?;
    let arguments: Array = [JsValue::from("en-US"), options.into()].into_iter().collect();
    let made = Reflect::construct(&constructor, &arguments).ok()?;
    Reflect::get(&made, &"format".into()).ok()?.dyn_into().ok()
}

fn offset_at(format: &Function, at: Instant) -> Option<i32> {
    // Milliseconds of the years that are looked at are exact in a number of JavaScript.
    let milliseconds = JsValue::from_f64(at.timestamp_millis() as f64);
    let text = format.call1(&JsValue::UNDEFINED, &milliseconds).ok()?.as_string()?;
    zone::seconds_east(&text)
}
