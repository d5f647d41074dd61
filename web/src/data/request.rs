//! One request, and what it comes to. All go to the server that the page came from, with the session's cookie.

use std::sync::Arc;

use gloo_net::http::{Request, RequestBuilder, Response};
use paydown::api::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, Failure};

/// Reads a path; the text of the answer.
pub async fn get(path: &str) -> Answer<Arc<str>> {
    let response = Request::get(path).send().await.map_err(unreachable)?;
    text(response).await.map(Arc::from)
}

/// Reads a path; the answer itself, of which nothing is read yet.
pub async fn open(path: &str) -> Answer<Response> {
    let response = Request::get(path).send().await.map_err(unreachable)?;
    if response.ok() { Ok(response) } else { Err(failure(response).await) }
}

/// Reads a page of a list as CSV; its text, and the path of the next page.
pub async fn csv(path: &str) -> Answer<(String, Option<String>)> {
    let request = Request::get(path).header("Accept", "text/csv");
    let response = request.send().await.map_err(unreachable)?;
    // `</v1/credits?cursor=...>; rel="next"`: the one link that a list gives.
    let link = response.headers().get("link");
    let next = link.and_then(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()));
    Ok((text(response).await?, next))
}

/// Posts a body. The same `idempotency_key` does the same thing once.
pub fn post(
    path: &str,
    body: &impl Serialize,
    idempotency_key: Option<&str>,
) -> impl Future<Output = Answer<String>> {
    // The shapes of the contract can always be written.
    post_text(
        path.to_owned(),
        serde_json::to_string(body).unwrap_or_default(),
        idempotency_key.map(str::to_owned),
    )
}

/// Not generic: bodies differ, how they are sent does not, and the code is there once.
pub async fn post_text(path: String, body: String, idempotency_key: Option<String>) -> Answer<String> {
    let mut request: RequestBuilder = Request::post(&path).header("Content-Type", "application/json");
    if let Some(key) = idempotency_key {
        request = request.header("Idempotency-Key", &key);
    }
    let request = request.body(body).map_err(unreachable)?;
    text(request.send().await.map_err(unreachable)?).await
}

/// Deletes what a path names.
pub async fn delete(path: &str) -> Answer<()> {
    let response = Request::delete(path).send().await.map_err(unreachable)?;
    text(response).await.map(drop)
}

/// The shape that a text has.
pub fn parse<T: DeserializeOwned>(text: &str) -> Answer<T> {
    serde_json::from_str(text).map_err(|error| Failure::unreadable(200, error.to_string(), None))
}

async fn text(response: Response) -> Answer<String> {
    if !response.ok() {
        return Err(failure(response).await);
    }
    response.text().await.map_err(unreachable)
}

async fn failure(response: Response) -> Failure {
    let status = response.status();
    let request_id = response.headers().get("x-request-id");
    let ask_again_seconds = response.headers().get("retry-after").and_then(|text| text.parse().ok());
    let text = response.text().await.unwrap_or_default();
    let failure = match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => Failure::of_problem(problem),
        Err(_) => Failure::unreadable(status, format!("HTTP {status} without a problem's text"), request_id),
    };
    Failure { ask_again_seconds, ..failure }
}

fn unreachable(error: gloo_net::Error) -> Failure {
    Failure::unreachable(error.to_string())
}
