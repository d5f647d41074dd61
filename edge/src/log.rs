//! The log: one JSON text a line, on the platform's console or, natively, on standard error.

use serde_json::{Value, json};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Error,
}

/// Something happened as it should.
pub fn info(what: &str, detail: Value) {
    write(Level::Info, &line("info", what, detail));
}

/// Something went wrong that somebody may have to look at.
pub fn error(what: &str, detail: Value) {
    write(Level::Error, &line("error", what, detail));
}

fn line(level: &str, what: &str, detail: Value) -> String {
    json!({ "level": level, "what": what, "detail": detail }).to_string()
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, line: &str) {
    match level {
        Level::Info => worker::console_log!("{line}"),
        Level::Error => worker::console_error!("{line}"),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn write(_level: Level, line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_one_json_text() {
        let line = super::line("info", "a \"line\"\nfeed", serde_json::json!({ "run": 1 }));
        assert_eq!(line, r#"{"detail":{"run":1},"level":"info","what":"a \"line\"\nfeed"}"#);
    }
}
