//! The three doors of the Worker: a request, a cron, a batch of messages. Each hands on and answers.

use std::cell::OnceCell;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use paydown::date::Instant;
use serde_json::json;
use tower::ServiceExt;
use worker::js_sys::{Array, JSON, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, ScheduleContext,
    ScheduledEvent, event, web_sys,
};

use crate::bindings::{DAILY, SWEEP};
use crate::message::Verdict;
use crate::ports::Ports;
use crate::{http, log, platform, run};

thread_local! {
    /// What an instance works with. Variables and bindings are the same for all that it serves.
    static PORTS: OnceCell<Ports> = const { OnceCell::new() };
    /// Its routes.
    static ROUTER: OnceCell<axum::Router> = const { OnceCell::new() };
}

/// A panic is a mistake of ours: it takes the instance down, and the log must say where it was. The `worker`
/// crate's own hook makes the platform start a new one.
#[event(start)]
fn start() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        log::error("panic", json!({ "panic": panic.to_string() }));
        earlier(panic);
    }));
}

/// The door of requests.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> worker::Result<web_sys::Response> {
    let response = match (router(&env), incoming(request).await) {
        (Err(why), _) => {
            log::error("misconfigured", json!({ "why": why }));
            problem(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured", &why)
        }
        (Ok(_), Err(why)) => problem(StatusCode::BAD_REQUEST, "invalid_request", &why),
        (Ok(router), Ok(request)) => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
    };
    outgoing(response).await
}

/// The door of crons. Nobody hears its errors but the log; what a run left undone, the sweeper finds.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(why) = on_cron(&event, &env).await {
        log::error("cron failed", json!({ "cron": event.cron(), "time": event.schedule(), "why": why }));
    }
}

async fn on_cron(event: &ScheduledEvent, env: &Env) -> Result<(), String> {
    let ports = ports(env)?;
    let at = instant(event.schedule()).ok_or("its time is no instant")?;
    match event.cron().as_str() {
        DAILY => run::daily(&ports, at).await.map(|_| ()).map_err(|fault| fault.to_string()),
        SWEEP => run::sweep(&ports, at).await.map_err(|fault| fault.to_string()),
        _ => Err("no such cron is known".into()),
    }
}

/// The instant of epoch milliseconds.
fn instant(milliseconds: f64) -> Option<Instant> {
    // The range of an instant lies within that of exact integers.
    let exact = milliseconds.abs() < 9e15;
    exact.then_some(milliseconds as i64).and_then(Instant::from_timestamp_millis)
}

/// The door of messages. Each is acknowledged or retried by itself; an error here would retry all of them.
#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, _context: Context) -> worker::Result<()> {
    let queue = batch.queue();
    let ports = match ports(&env) {
        Ok(ports) => ports,
        Err(why) => {
            log::error("misconfigured", json!({ "queue": queue, "why": why }));
            batch.retry_all();
            return Ok(());
        }
    };
    let messages: Vec<RawMessage> = batch.raw_iter().collect();
    let bodies: Vec<String> = messages.iter().map(text).collect();
    for (message, verdict) in messages.iter().zip(run::deliver(&ports, &queue, &bodies).await) {
        match verdict {
            Verdict::Done => message.ack(),
            Verdict::Later { seconds } => message
                .retry_with_options(&QueueRetryOptionsBuilder::new().with_delay_seconds(seconds).build()),
        }
    }
    Ok(())
}

/// The body of a message as text. We send texts; whatever else it is, is shown as JSON.
fn text(message: &RawMessage) -> String {
    let body = message.body();
    body.as_string().unwrap_or_else(|| JSON::stringify(&body).map(String::from).unwrap_or_default())
}

fn ports(env: &Env) -> Result<Ports, String> {
    PORTS.with(|cell| {
        if let Some(ports) = cell.get() {
            return Ok(ports.clone());
        }
        let ports = platform::ports(env)?;
        Ok(cell.get_or_init(|| ports).clone())
    })
}

fn router(env: &Env) -> Result<axum::Router, String> {
    let ports = ports(env)?;
    Ok(ROUTER.with(|cell| cell.get_or_init(|| http::router(ports)).clone()))
}

/// The request in the types of the router. The `worker` crate's own conversion answers 500 to a header
/// outside of ASCII; here it reaches the code that says what is wrong with it.
async fn incoming(request: web_sys::Request) -> Result<Request<Body>, String> {
    let mut builder = Request::builder().method(request.method().as_str()).uri(request.url());
    // All at once: each way to the platform and back costs more than the text.
    let headers = JSON::stringify(&Array::from(&request.headers())).map(String::from);
    let headers = headers.ok().and_then(|text| serde_json::from_str(&text).ok());
    let headers: Vec<(String, String)> = headers.ok_or("the headers cannot be read")?;
    for (name, value) in headers {
        let value =
            HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("header {name} is wrong"))?;
        builder = builder.header(name, value);
    }
    let announced = builder.headers_ref().and_then(|headers| headers.get(header::CONTENT_LENGTH));
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    let body = body(&request, announced).await?;
    builder.body(body).map_err(|error| error.to_string())
}

/// So long a body is read at once.
const SHORT_BYTES: u32 = 64 * 1024;

/// The body: at once where it is announced as short, as nearly all are, since each piece of a stream is a way to the
/// platform and back; else as it comes.
async fn body(request: &web_sys::Request, announced: Option<u32>) -> Result<Body, String> {
    let Some(stream) = request.body() else { return Ok(Body::empty()) };
    if announced.is_none_or(|bytes| bytes > SHORT_BYTES) {
        return Ok(Body::new(worker::Body::new(stream)));
    }
    let unreadable = |_| "the body cannot be read".to_owned();
    let buffer = JsFuture::from(request.array_buffer().map_err(unreadable)?).await.map_err(unreadable)?;
    Ok(Body::from(Uint8Array::new(&buffer).to_vec()))
}

/// The response in the types of the platform: in one piece, with its length, when it is one.
async fn outgoing(response: Response<Body>) -> worker::Result<web_sys::Response> {
    let (parts, body) = response.into_parts();
    let Some(length) = body.size_hint().exact().and_then(|length| usize::try_from(length).ok()) else {
        return worker::IntoResponse::into_raw(Response::from_parts(parts, body))
            .map_err(|error| worker::Error::from(error.into().to_string()));
    };
    let init = web_sys::ResponseInit::new();
    init.set_status(parts.status.as_u16());
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let headers = serde_json::to_string(&headers).map_err(|error| worker::Error::from(error.to_string()))?;
    init.set_headers(&JSON::parse(&headers)?);
    if length == 0 {
        return Ok(web_sys::Response::new_with_opt_str_and_init(None, &init)?);
    }
    let bytes =
        axum::body::to_bytes(body, length).await.map_err(|error| worker::Error::from(error.to_string()))?;
    let bytes = Uint8Array::from(bytes.as_ref());
    Ok(web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&bytes), &init)?)
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let request_id = uuid::Uuid::new_v4().to_string();
    let text = json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail, "code": code,
        "request_id": request_id,
    });
    let mut response = Response::new(Body::from(text.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}
