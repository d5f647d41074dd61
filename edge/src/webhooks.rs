//! What a webhook is, without the transport: where it may go, how it is signed, and when it is sent again.
//!
//! The form is that of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use paydown::api::Event;
use paydown::date::Instant;
use paydown::id;
use sha2::Sha256;
use uuid::Uuid;

use crate::error::Fault;
use crate::ports::Webhook;
use crate::processor::is_loopback;

/// How long an endpoint may take to answer. The specification counsels 15 to 30 s; a pass that waits for six of them must
/// end well within its invocation.
pub const ANSWER_SECONDS: u64 = 10;

/// For how many hours a secret still signs after another took its place.
pub const OLD_SECRET_HOURS: i64 = 24;

/// For how long an endpoint may fail before we give up and a person is asked.
pub const PATIENCE_HOURS: i64 = 72;

/// The longest address.
const MAX_URL_CHARS: usize = 2_000;

/// The names beneath which no host of the public internet is (IANA, special-use domain names; ICANN, name collision).
const INSIDE: [&str; 14] = [
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "test",
];

/// An address to which webhooks may be sent: a webhook is no door to the inside.
///
/// Of the public internet it is `https`, by a name, at the usual port. A name may still stand for an inner address; the
/// platform reaches none from the Worker, nor an address without a name (Cloudflare, error 1003). On a local run it may be
/// this machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination(String);

impl Destination {
    /// The address that a text is; an error says what is wrong with it.
    pub fn parse(text: &str, is_local: bool) -> Result<Destination, &'static str> {
        let url = worker::Url::parse(text).map_err(|_| "must be a URL")?;
        let host = url.host_str().unwrap_or_default();
        if text.chars().count() > MAX_URL_CHARS {
            return Err("must have at most 2,000 characters");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no user and password: webhooks are signed");
        }
        if url.fragment().is_some() {
            return Err("must have no #");
        }
        if is_local && is_loopback(host) && matches!(url.scheme(), "http" | "https") {
            return Ok(Destination(url.into()));
        }
        if url.scheme() != "https" {
            return Err("must begin with https://");
        }
        if url.port().is_some() {
            return Err("must be at port 443");
        }
        if !is_public_name(host) {
            return Err("must be a host on the public internet, by its name");
        }
        Ok(Destination(url.into()))
    }

    /// The address as it is called.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a host is a name of at least two labels that is not known to stand for something inside. The URL's parser has
/// written addresses in whatever notation as four numbers, or in brackets.
fn is_public_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let (Some(top), true) = (labels.last(), labels.len() >= 2) else { return false };
    let is_top = top.starts_with(|c: char| c.is_ascii_alphabetic()) && !INSIDE.contains(top);
    is_top && labels.iter().all(is_label)
}

/// The secret that stands for random bytes; the specification takes 24 to 64.
pub fn secret(random: &[u8]) -> String {
    format!("{SECRET}{}", STANDARD.encode(random))
}

/// How a secret begins, so that it is known for one.
const SECRET: &str = "whsec_";

/// The webhook that tells an event to an address, signed with each of the secrets in force, the newest first.
pub fn webhook(to: &Destination, event: &Event, secrets: &[String], now: Instant) -> Result<Webhook, Fault> {
    let (id, timestamp) = (event.id.to_string(), now.timestamp().to_string());
    let body = serde_json::to_string(event)?;
    let content = format!("{id}.{timestamp}.{body}");
    let signatures: Result<Vec<String>, Fault> =
        secrets.iter().map(|secret| signature(secret, content.as_bytes())).collect();
    let headers = vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures?.join(" ")),
    ];
    Ok(Webhook { url: to.as_str().to_owned(), headers, body })
}

/// `v1,` and the HMAC-SHA256 of the content in base64.
fn signature(secret: &str, content: &[u8]) -> Result<String, Fault> {
    let key = secret.strip_prefix(SECRET).and_then(|text| STANDARD.decode(text).ok());
    let mac = key.and_then(|key| Hmac::<Sha256>::new_from_slice(&key).ok());
    let mut mac = mac.ok_or_else(|| Fault::Permanent("the secret of an endpoint cannot be read".into()))?;
    mac.update(content);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// How long is waited after so many failures in a row, in seconds; after more as long as after the last.
const WAITS: [u32; 8] = [5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200];

/// The longest wait where nothing at all arrives: from then on all that is new waits too.
const LONGEST_WAIT_OF_ALL: u32 = 1_800;

/// The longest wait that an endpoint may ask for.
const LONGEST_ASKED: u32 = 43_200;

/// Seconds until what failed so many times in a row is sent again. Those that failed together do not come back together: up
/// to a fifth is added, by what failed.
pub fn wait(failures: u32, asked: Option<u32>, of: &[&str]) -> u32 {
    let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., longest] = WAITS;
    let seconds = WAITS.get(step).copied().unwrap_or(longest);
    let [.., random] = Uuid::into_bytes(id::from_cause(0, of));
    let later = seconds.saturating_mul(u32::from(random)) / (5 * 255);
    let asked = asked.unwrap_or(0).min(LONGEST_ASKED);
    seconds.saturating_add(later).max(asked)
}

/// The same where nothing at all arrives.
pub fn wait_of_all(failures: u32, asked: Option<u32>, of: &[&str]) -> u32 {
    wait(failures, None, of).min(LONGEST_WAIT_OF_ALL).max(asked.unwrap_or(0).min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn a_webhook_is_signed_as_the_specification_signs_it() {
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(
            signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", content),
            Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned())
        );
        for secret in ["", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(signature(secret, content).is_err(), "{secret}");
        }
        let secret = secret(&[7; 32]);
        assert_eq!((secret.len(), &secret[..6]), (6 + 44, "whsec_"));
        assert!(signature(&secret, content).is_ok());
    }

    #[test]
    fn a_webhook_goes_to_the_public_internet_alone() {
        for url in [
            "https://hooks.acme.com",
            "https://hooks.acme.com/paydown?tenant=7",
            "https://hooks.acme.com:443/",
            "https://HOOKS.acme.com./",
            "https://10.acme.com/",
            "https://localhost.acme.com/",
            "https://xn--bcher-kva.ch/",
        ] {
            assert!(Destination::parse(url, false).is_ok(), "{url}");
        }
        for url in [
            "",
            "hooks.acme.com",
            "//hooks.acme.com",
            "http://hooks.acme.com",
            "ftp://hooks.acme.com",
            "file:///etc/passwd",
            "data:text/plain,x",
            "javascript:alert(1)",
            "https://",
            "https://hooks",
            "https://hooks.acme.com:8443/",
            "https://hooks.acme.com:80/",
            "https://user@hooks.acme.com/",
            "https://user:secret@hooks.acme.com/",
            "https://hooks.acme.com/#a",
            "https://hooks.acme.com/#",
            "https://localhost/",
            "https://LOCALHOST/",
            "https://localhost./",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://router.lan/",
            "https://nas.home.arpa/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://a.onion/",
            "https://a.test/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://\u{ff11}27.0.0.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://8.8.8.8/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[ff02::1]/",
            "https://[2606:4700::1111]/",
            "https://..acme.com/",
            "https://a..com/",
            "https://a.7/",
            &format!("https://hooks.acme.com/{}", "x".repeat(MAX_URL_CHARS)),
        ] {
            assert!(Destination::parse(url, false).is_err(), "{url}");
        }
        // What a backslash or a tab hides is read as the platform reads it.
        let read = |url: &str| Destination::parse(url, false).map(|to| to.0);
        assert_eq!(read("https:\\\\hooks.acme.com\\@evil"), Ok("https://hooks.acme.com/@evil".to_owned()));
        assert_eq!(read("https://hooks.ac\tme.com"), Ok("https://hooks.acme.com/".to_owned()));
    }

    #[test]
    fn on_a_local_run_it_may_go_to_this_machine() {
        for url in [
            "http://127.0.0.1:9000/hook",
            "http://localhost:9000",
            "https://[::1]:9000/",
            "http://127.1:9000",
        ] {
            assert!(Destination::parse(url, true).is_ok(), "{url}");
            assert!(Destination::parse(url, false).is_err(), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "http://hooks.acme.com",
            "ftp://127.0.0.1",
            "http://user@127.0.0.1",
            "http://127.0.0.1/#a",
        ] {
            assert!(Destination::parse(url, true).is_err(), "{url}");
        }
    }

    #[test]
    fn what_failed_waits_longer_each_time() {
        let waits = |failures| wait(failures, None, &["endpoint", &failures.to_string()]);
        for (step, seconds) in WAITS.iter().enumerate() {
            let waited = waits(u32::try_from(step).unwrap() + 1);
            assert!((*seconds..=seconds + seconds / 5).contains(&waited), "{step}: {waited}");
        }
        assert!(waits(1000) >= 43_200);
        assert_eq!(waits(3), waits(3), "the same wait for the same failure");
        assert_eq!(wait(1, Some(600), &[]), 600);
        assert_eq!(wait(1, Some(u32::MAX), &[]), LONGEST_ASKED);
        assert_eq!(wait_of_all(8, None, &[]), LONGEST_WAIT_OF_ALL);
        assert_eq!(wait_of_all(8, Some(3_600), &[]), 3_600);
    }
}
