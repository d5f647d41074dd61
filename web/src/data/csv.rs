//! A list as a CSV file: all pages of a filter, one after the other, as the server writes them.

use super::{Answer, request};

/// The most rows that the server gives at once.
const LIMIT: &str = "limit=200";

/// All rows of the list at `path` from its beginning, whichever page of it the path is; `told` hears of each page.
pub async fn whole(path: &str, told: impl Fn(usize)) -> Answer<String> {
    let mut next = Some(from_the_beginning(path));
    let mut text = String::new();
    while let Some(path) = next {
        let (page, after) = request::csv(&path).await?;
        // Each page begins with the header line, which a file has once.
        let rows = page.split_once('\n').map_or("", |(_, rows)| rows);
        text.push_str(if text.is_empty() { &page } else { rows });
        told(text.lines().count().saturating_sub(1));
        next = after;
    }
    Ok(text)
}

fn from_the_beginning(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let kept = query.split('&').filter(|pair| !pair.starts_with("limit=") && !pair.starts_with("cursor="));
    let pairs: Vec<&str> = kept.filter(|pair| !pair.is_empty()).chain([LIMIT]).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::from_the_beginning;

    #[test]
    fn a_file_holds_the_filter_from_its_beginning_whichever_page_is_shown() {
        let path = from_the_beginning("/v1/credits?status=active&limit=50&cursor=abc");
        assert_eq!(path, "/v1/credits?status=active&limit=200");
        assert_eq!(from_the_beginning("/v1/keys"), "/v1/keys?limit=200");
    }
}
