//! Instants as the books keep them: UTC, with milliseconds, always of one width, so that text order is time order.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::Serializer;

/// An RFC 3339 instant of the years 1970 to 8999, cut to milliseconds. The years leave room to add days to it
/// without outgrowing four digits.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1970..9000).contains(&instant.year()).then_some(instant)
}

/// The text of an instant, for example `2026-01-05T06:00:00.000Z`.
pub fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// For `serialize_with`.
pub fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, kept: Option<&str>) {
        assert_eq!(parse(written).map(text).as_deref(), kept, "{written}");
    }

    #[test]
    fn instants_are_kept_in_utc_and_in_one_width() {
        check("2026-01-05T06:00:00Z", Some("2026-01-05T06:00:00.000Z"));
        check("2026-01-05T06:00:00.1239+02:00", Some("2026-01-05T04:00:00.123Z"));
        check("2026-01-05", None);
        check("2026-02-30T06:00:00Z", None);
        check("0001-01-01T00:00:00Z", None);
        check("9999-12-31T23:59:59-12:00", None);
        check("", None);
    }
}
