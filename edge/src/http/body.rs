//! The body of a request: a JSON object whose members are read one by one, with all that is wrong with them.

use std::ops::RangeInclusive;

use axum::body::Bytes;
use paydown::api::FieldError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Problem, pointer};

/// The longest note.
const MAX_NOTE_CHARS: usize = 2000;

/// The members of a body that nobody read yet, and what is wrong with the others.
///
/// What a member cannot be read as is `None`, and among the errors; [`Body::finish`] tells them all at once.
pub struct Body {
    /// In order, with those given twice.
    members: Vec<(String, Value)>,
    errors: Vec<FieldError>,
}

impl Body {
    /// The body that bytes are: 400 if they are no JSON object.
    pub fn parse(bytes: &Bytes) -> Result<Body, Problem> {
        let members: Members = serde_json::from_slice(bytes)
            .map_err(|error| Problem::bad_request(format!("the body is not a JSON object: {error}")))?;
        Ok(Body { members: members.0, errors: vec![] })
    }

    /// A whole number in a range. `1.0` and `1e3` are none: who writes cents does not write fractions.
    pub fn whole<N: TryFrom<u64>>(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<N> {
        let expected = format!("must be a whole number from {} to {}", range.start(), range.end());
        let within = |value: &Value| value.as_u64().filter(|number| range.contains(number));
        self.read(name, &expected, |value| N::try_from(within(value)?).ok())
    }

    /// A text that can be read; `expected` says what it must be.
    pub fn text<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.read(name, expected, |value| value.as_str().and_then(read))
    }

    /// What a type's own names stand for.
    pub fn named<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<T> {
        self.read(name, expected, |value| T::deserialize(value).ok())
    }

    /// Why an operator acts: the member `note`.
    pub fn note(&mut self) -> Option<String> {
        let expected = format!("must say why, in 1 to {MAX_NOTE_CHARS} characters");
        self.text("note", &expected, |note| trimmed(note, MAX_NOTE_CHARS))
    }

    /// A member that may be missing, read like any other when it is there.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(&mut Body, &str) -> Option<T>) -> Option<T> {
        let given = self.members.iter().any(|(given, _)| given == name);
        if given { read(self, name) } else { None }
    }

    /// The same, where `null` is as good as nothing.
    pub fn or_null<T>(&mut self, name: &str, read: impl FnOnce(&mut Body, &str) -> Option<T>) -> Option<T> {
        let mut given = self.members.iter().filter(|(given, _)| given == name);
        if let (Some((_, Value::Null)), None) = (given.next(), given.next()) {
            self.members.retain(|(given, _)| given != name);
        }
        self.optional(name, read)
    }

    /// Notes that something is wrong with a member.
    pub fn wrong(&mut self, name: &str, detail: &str) {
        self.errors.push(FieldError { pointer: pointer(name), detail: detail.to_owned() });
    }

    /// Whether nothing is wrong so far: what depends on several members is judged only once each of them is right.
    pub fn is_right(&self) -> bool {
        self.errors.is_empty()
    }

    /// What was read; or 422 with all that is wrong, the members that nobody asked for included.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, Problem> {
        let mut unknown: Vec<String> = self.members.drain(..).map(|(name, _)| name).collect();
        unknown.sort_unstable();
        unknown.dedup();
        for name in unknown {
            self.wrong(&name, "is not a known field");
        }
        read.filter(|_| self.is_right()).ok_or_else(|| Problem::invalid(self.errors))
    }

    fn read<T>(&mut self, name: &str, expected: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let (wanted, others) = self.members.drain(..).partition(|(given, _)| given == name);
        self.members = others;
        let wanted: Vec<(String, Value)> = wanted;
        let read = match wanted.as_slice() {
            [] => None,
            [(_, value)] => read(value),
            _ => {
                self.wrong(name, "is given more than once");
                return None;
            }
        };
        if read.is_none() {
            self.wrong(name, expected);
        }
        read
    }
}

/// A text without the space around it, if it has 1 to so many characters.
pub fn trimmed(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    (1..=max_chars).contains(&text.chars().count()).then(|| text.to_owned())
}

/// An object's members as they stand in the text; `serde_json` alone would keep the last of two equal names.
struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
