//! Ids: UUIDs that carry the bucket of their account.
//!
//! What a client creates has a UUIDv7; what the law creates has a UUIDv8 made from its cause, so
//! that making it twice makes the same one. In both, the 12 bits after the version are the
//! bucket, a hash of the account id, so that an id alone says where its facts live.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<$name, uuid::Error> {
                Uuid::parse_str(text).map($name)
            }
        }
    };
}

id!(
    /// The id of a credit, and the idempotency key of its transaction.
    CreditId
);
id!(
    /// The id of a debit, and the idempotency key of its transaction.
    DebitId
);
id!(
    /// The id of a refund, and the idempotency key of its transaction.
    RefundId
);
id!(
    /// The id of an exception.
    ExceptionId
);
id!(
    /// The id of a run.
    RunId
);
id!(
    /// The id of an event, which a consumer knows it again by. Ids sort in the order of the events.
    EventId
);

/// The processor's name of a transaction: 1 to 255 bytes of its choice, never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransactionId(String);

/// The text is no transaction id: empty or longer than 255 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATransactionId;

impl fmt::Display for NotATransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a transaction id has 1 to 255 bytes without control characters")
    }
}

impl std::error::Error for NotATransactionId {}

impl JsonSchema for TransactionId {
    fn schema_name() -> Cow<'static, str> {
        "TransactionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": TransactionId::MAX_BYTES,
            "description": "The processor's name of a transaction.",
        })
    }
}

impl TransactionId {
    /// The longest id that is taken, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// The id as the processor wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TransactionId {
    type Error = NotATransactionId;
    fn try_from(text: String) -> Result<TransactionId, NotATransactionId> {
        let fits =
            !text.is_empty() && text.len() <= TransactionId::MAX_BYTES && !text.chars().any(char::is_control);
        if fits { Ok(TransactionId(text)) } else { Err(NotATransactionId) }
    }
}

impl From<TransactionId> for String {
    fn from(id: TransactionId) -> String {
        id.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names this product's ids among all name-based UUIDs; never to change.
const NAMESPACE: Uuid = Uuid::from_u128(0x7061_7964_6f77_6e00_8000_0000_0000_0001);

/// The bucket of an account, `0..4096`.
pub fn bucket(account_id: &str) -> u16 {
    bucket_of(Uuid::from_bytes(begun(Sha1::new().chain_update(NAMESPACE).chain_update(account_id))))
}

/// The bucket that an id carries.
///
/// ```
/// use paydown::id;
/// let id = id::from_cause(id::bucket("acct_8841"), &["debit", "1"]);
/// assert_eq!(id::bucket_of(id), id::bucket("acct_8841"));
/// ```
pub fn bucket_of(id: Uuid) -> u16 {
    let [_, _, _, _, _, _, high, low, ..] = id.into_bytes();
    u16::from_be_bytes([high & 0x0f, low])
}

/// The UUIDv7 of something created at `unix_ms`, from 8 random bytes of the caller.
pub fn created(bucket: u16, unix_ms: u64, random: [u8; 8]) -> Uuid {
    let [high, low] = (bucket & 0x0fff).to_be_bytes();
    let [a, b, c, d, e, f, g, h] = random;
    Builder::from_unix_timestamp_millis(unix_ms, &[high, low, a, b, c, d, e, f, g, h]).into_uuid()
}

/// The UUIDv8 of what follows from a cause: the same parts in the same order make the same id.
pub fn from_cause(bucket: u16, cause: &[&str]) -> Uuid {
    Cause::of(bucket, cause).id()
}

/// A cause of which the first parts are known: what many causes share is hashed once.
///
/// ```
/// use paydown::id::{Cause, from_cause};
/// let debits = Cause::of(7, &["debit", "00000000-0000-0000-0000-000000000001"]);
/// assert_eq!(debits.and("1"), from_cause(7, &["debit", "00000000-0000-0000-0000-000000000001", "1"]));
/// ```
#[derive(Debug, Clone)]
pub struct Cause {
    bucket: u16,
    name: Sha1,
}

impl Cause {
    /// The cause that begins with some parts.
    pub fn of(bucket: u16, parts: &[&str]) -> Cause {
        let mut cause = Cause { bucket, name: Sha1::new().chain_update(NAMESPACE) };
        parts.iter().for_each(|part| cause.add(part));
        cause
    }

    /// The id of what follows from it and one part more.
    pub fn and(&self, part: &str) -> Uuid {
        let mut cause = self.clone();
        cause.add(part);
        cause.id()
    }

    fn add(&mut self, part: &str) {
        // A length before each part, so that no two lists of parts run together.
        self.name.update((part.len() as u64).to_be_bytes());
        self.name.update(part);
    }

    fn id(self) -> Uuid {
        let mut bytes = begun(self.name);
        let [high, low] = (self.bucket & 0x0fff).to_be_bytes();
        let [_, _, _, _, _, _, version_and_high, bucket_low, ..] = &mut bytes;
        *version_and_high = high;
        *bucket_low = low;
        Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// The UUIDv8 of what has a number in the ledger's order, besides its cause: its first 48 bits are the number, so that it
/// sorts by it and can be found without an index. None when the number has more bits.
///
/// ```
/// use paydown::id;
/// let event = id::numbered(7, id::bucket("acct_8841"), &["event", "credit.repaid"]).unwrap();
/// assert_eq!((id::number_of(event), id::bucket_of(event)), (7, id::bucket("acct_8841")));
/// assert_eq!(event.to_string().split('-').next(), Some("00000000"));
/// ```
pub fn numbered(number: u64, bucket: u16, cause: &[&str]) -> Option<Uuid> {
    let [0, 0, a, b, c, d, e, f] = number.to_be_bytes() else { return None };
    let [_, _, _, _, _, _, high, low, rest @ ..] = from_cause(bucket, cause).into_bytes();
    let [g, h, i, j, k, l, m, n] = rest;
    Some(Builder::from_custom_bytes([a, b, c, d, e, f, high, low, g, h, i, j, k, l, m, n]).into_uuid())
}

/// The number that an id made by [`numbered`] carries.
pub fn number_of(id: Uuid) -> u64 {
    let [a, b, c, d, e, f, ..] = id.into_bytes();
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// The beginning of a hash, as a name-based UUID has it (RFC 9562, section 5.5) before its version is set.
fn begun(hash: Sha1) -> [u8; 16] {
    let [beginning @ .., _, _, _, _]: [u8; 20] = hash.finalize().into();
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_ids_sort_by_their_numbers() {
        let id = |number| numbered(number, 4095, &["event"]).unwrap();
        let numbers = [0, 1, 255, 256, 1 << 32, (1 << 48) - 1];
        for (number, next) in numbers.iter().zip(&numbers[1..]) {
            assert!(id(*number).to_string() < id(*next).to_string());
            assert_eq!((number_of(id(*number)), bucket_of(id(*number))), (*number, 4095));
            assert_eq!(
                (id(*number).get_version_num(), id(*number).get_variant()),
                (8, uuid::Variant::RFC4122)
            );
        }
        assert_eq!(numbered(1 << 48, 0, &[]), None);
        assert_ne!(id(1), numbered(1, 4095, &["other"]).unwrap());
    }

    #[test]
    fn every_bucket_survives_in_both_kinds_of_id() {
        for bucket in 0..4096 {
            let made = from_cause(bucket, &["debit", "1"]);
            assert_eq!((bucket_of(made), made.get_version_num()), (bucket, 8));
            let new = created(bucket, 1_767_600_000_000, [0xff; 8]);
            assert_eq!((bucket_of(new), new.get_version_num()), (bucket, 7));
            for id in [made, new] {
                assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            }
        }
    }

    #[test]
    fn what_is_created_later_sorts_later() {
        let id = |unix_ms, random| created(bucket("acct_8841"), unix_ms, [random; 8]);
        assert!(id(1_767_600_000_000, 0xff) < id(1_767_600_000_001, 0));
    }

    #[test]
    fn an_id_stands_for_its_cause_alone() {
        assert_eq!(from_cause(1, &["debit", "1"]), from_cause(1, &["debit", "1"]));
        for other in
            [&["debit", "2"][..], &["debit1"], &["debi", "t1"], &["debit", "1", ""], &["1", "debit"], &[]]
        {
            assert_ne!(from_cause(1, &["debit", "1"]), from_cause(1, other), "{other:?}");
        }
    }

    #[test]
    fn a_transaction_id_is_any_short_text_without_control_characters() {
        let fits = |text: String| TransactionId::try_from(text).is_ok();
        for taken in ["1".to_owned(), "x".repeat(255), "tx 1, \"quoted\" é".to_owned()] {
            assert!(fits(taken.clone()), "{taken}");
        }
        for refused in
            [String::new(), "x".repeat(256), "é".repeat(128), "tx\n1".to_owned(), "tx\u{7f}".to_owned()]
        {
            assert!(!fits(refused.clone()), "{refused:?}");
        }
    }

    #[test]
    fn the_ids_that_are_kept_never_change() {
        // Were one of these to change, every ledger would make its debits anew.
        assert_eq!(bucket("acct_8841"), 2011);
        assert_eq!(from_cause(2011, &["debit", "1"]).to_string(), "94dc89be-4006-87db-9ecc-9e8ca16c8ae7");
    }
}
