//! The key by which a client may send a request again.

use axum::http::HeaderMap;

use super::problem::Problem;

/// The longest idempotency key (contract).
const MAX_KEY_CHARS: usize = 255;

/// The idempotency key, bare or quoted: 1 to 255 printable ASCII characters.
pub fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Problem::bad_request("send the header Idempotency-Key, once"));
    };
    let wrong = || {
        Problem::bad_request(format!(
            "Idempotency-Key must have 1 to {MAX_KEY_CHARS} printable ASCII characters"
        ))
    };
    let text = value.to_str().map_err(|_| wrong())?.trim_matches([' ', '\t']);
    let key = if text.starts_with('"') { unquoted(text).ok_or_else(wrong)? } else { text.to_owned() };
    let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !printable { Err(wrong()) } else { Ok(key) }
}

/// The content of a quoted string (RFC 9651, section 4.2.5), in which a backslash goes before `"` and `\`.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut content = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => content.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => content.push(other),
        }
    }
    // `"` alone is opening and closing at once.
    (text.len() >= 2).then_some(content)
}
