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

/// So much of an account id as tells two apart in a log, and not more: a log is read by more people than the book.
pub fn shortened(account_id: &str) -> String {
    let kept: String = account_id.chars().take(KEPT_CHARS).collect();
    if kept.len() < account_id.len() { format!("{kept}…") } else { kept }
}

/// How many characters of an account id stay in the log.
const KEPT_CHARS: usize = 6;

/// The members of the detail stand beside the others, so that a search finds them by their names.
fn line(level: &str, what: &str, detail: Value) -> String {
    let mut line = json!({ "level": level, "what": what });
    match (line.as_object_mut(), detail) {
        (Some(line), Value::Object(members)) => line.extend(members),
        (Some(line), other) => {
            line.insert("detail".to_owned(), other);
        }
        (None, _) => {}
    }
    line.to_string()
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
    fn an_account_id_is_shortened() {
        assert_eq!(super::shortened("acct_8841"), "acct_8…");
        assert_eq!(super::shortened("acct_1"), "acct_1");
    }

    #[test]
    fn a_line_is_one_json_text() {
        let line = super::line("info", "a \"line\"\nfeed", serde_json::json!({ "run": 1 }));
        assert_eq!(line, r#"{"level":"info","run":1,"what":"a \"line\"\nfeed"}"#);
    }
}
