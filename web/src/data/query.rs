//! The query part of a path.

use std::fmt::{Display, Write};

/// A path with its query, as it is put together.
pub struct Path(String);

impl Path {
    /// A path without query.
    pub fn new(path: &str) -> Path {
        Path(path.to_owned())
    }

    /// With a parameter, if it has a value.
    pub fn with(mut self, name: &str, value: Option<impl Display>) -> Path {
        let Some(value) = value.map(|value| value.to_string()).filter(|value| !value.is_empty()) else {
            return self;
        };
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a String never fails.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
        self
    }

    /// The text.
    pub fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn values_are_escaped_and_absent_ones_left_out() {
        let path = Path::new("/v1/credits").with("q", Some("a b&c=ü")).with("status", None::<&str>);
        assert_eq!(path.with("limit", Some(50)).text(), "/v1/credits?q=a%20b%26c%3D%C3%BC&limit=50");
    }
}
