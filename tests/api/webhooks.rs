//! Webhooks: signed, at least once, in order for each credit; over and over until they are taken, and no door to the inside.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use futures_executor::block_on;
use futures_util::future::join;
use paydown::api::{Event, EventType};
use paydown::date::Instant;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::message::{Message, Verdict};
use paydown_edge::ports::{Clock, Receipt};
use paydown_edge::run::{daily, deliver, sweep, wake_webhooks};
use paydown_edge::webhooks::{Destination, webhook};
use paydown_tests::client::KEY;
use paydown_tests::courier::{Took, header};
use paydown_tests::memory::{Failure, World};
use paydown_tests::processor::FakeReport;
use serde_json::{Value, json};

use crate::client::{Client, NOW};
use crate::events::{eventful, events};
use crate::operators::run;

const QUEUE: &str = "paydown-webhooks";
const URL: &str = "https://hooks.acme.com/paydown";

/// An endpoint that wants these types, and its secret.
fn endpoint(client: &Client, url: &str, types: &[&str]) -> (String, String) {
    let body = json!({ "url": url, "event_types": types, "label": "the shop" });
    let made = client.post("/v1/webhook_endpoints", &body.to_string());
    assert_eq!(made.status.as_u16(), 201, "{made:?}");
    let text = |name: &str| made.body[name].as_str().expect("a text").to_owned();
    (format!("/v1/webhook_endpoints/{}", text("id")), text("secret"))
}

/// Lets the queue deliver its messages, those that come of them too; what failed comes no more.
fn deliver_all(client: &Client) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for _ in 0..1_000 {
        let messages = client.world.outbox.take();
        if messages.is_empty() {
            return verdicts;
        }
        for message in messages {
            let body = serde_json::to_string(&message).expect("JSON");
            verdicts.extend(block_on(deliver(&client.world.ports(), QUEUE, &[body])));
        }
    }
    panic!("the messages never end");
}

/// The same, and none fails.
fn post_office(client: &Client) {
    assert!(deliver_all(client).iter().all(|verdict| *verdict == Verdict::Done));
}

/// What waits and is due is sent.
fn send(client: &Client) {
    block_on(wake_webhooks(&client.world.ports()));
    post_office(client);
}

fn now(client: &Client) -> Instant {
    block_on(client.world.clock.now()).expect("the clock says an instant")
}

/// So many minutes later.
fn later(client: &Client, minutes: i64) {
    client.world.clock.set(now(client) + TimeDelta::minutes(minutes));
}

fn act(client: &Client, path: &str, what: &str) -> Value {
    let answer = client.post(&format!("{path}/{what}"), "{}");
    assert_eq!(answer.status.as_u16(), 200, "{what}: {answer:?}");
    answer.body
}

/// The events of each credit, and of none, in order.
fn by_credit(events: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in events {
        all.entry(event["data"]["credit_id"].to_string()).or_default().push(event.clone());
    }
    all
}

#[test]
fn an_endpoint_is_told_all_that_it_wants_as_the_list_tells_it() {
    let (client, _) = eventful();
    let (path, _) = endpoint(&client, URL, &[]);
    let (few, _) = endpoint(&client, "https://few.acme.com/", &["credit.repaid", "run.completed"]);
    send(&client);
    assert!(client.world.courier.came().is_empty(), "what happened before it was made is not sent");
    for of in [&path, &few] {
        let rewound = client.post(&format!("{of}/rewind"), "{}");
        assert_eq!(rewound.status.as_u16(), 200, "{rewound:?}");
    }
    post_office(&client);
    let all = events(&client, "", 200);
    assert_eq!(by_credit(&client.world.courier.taken(URL)), by_credit(&all));
    let wanted = |event: &&Value| event["type"] == "credit.repaid" || event["type"] == "run.completed";
    let some: Vec<Value> = all.iter().filter(wanted).cloned().collect();
    assert_eq!(by_credit(&client.world.courier.taken("https://few.acme.com/")), by_credit(&some));
    // Byte for byte as an entry of the list.
    let list = client.get("/v1/events?limit=200").text;
    assert!(client.world.courier.came().iter().all(|webhook| list.contains(&webhook.body)));
    assert_eq!(client.read(&path)["waiting"], 0);
    send(&client);
    assert_eq!(client.world.courier.came().len(), all.len() + some.len(), "nothing is sent twice");
    let again = json!({ "after": all[all.len() - 3]["id"] }).to_string();
    client.post(&format!("{path}/rewind"), &again);
    post_office(&client);
    assert_eq!(client.world.courier.came().len(), all.len() + some.len() + 2);
}

#[test]
fn a_run_tells_at_its_end_and_an_act_at_once() {
    let (client, credit) = eventful();
    endpoint(&client, URL, &["credit.held", "run.completed"]);
    run(&client, "2026-02-04T06:00:00Z");
    assert!(client.world.outbox.sent().iter().any(|message| matches!(message, Message::Webhooks { .. })));
    post_office(&client);
    assert_eq!(client.world.courier.taken(URL).len(), 1);
    let other = client.advance("late", r#"{"account_id": "acct_late", "amount": 500}"#).body["id"].clone();
    client.world.processor.set_report(FakeReport::of(&[format!(
        "tx_{},success,,2026-02-04T20:00:00Z",
        other.as_str().expect("an id")
    )]));
    run(&client, "2026-02-05T06:00:00Z");
    let path = format!("/v1/credits/{}/hold", other.as_str().expect("an id"));
    client.operate(&path, "hold", &json!({ "note": "x" }));
    post_office(&client);
    let taken = client.world.courier.taken(URL);
    assert_eq!(taken.last().expect("one")["data"]["credit_id"], other, "{credit}");
}

#[test]
fn a_webhook_is_signed_with_each_secret_in_force() {
    let (client, _) = eventful();
    let (path, first) = endpoint(&client, URL, &["credit.failed"]);
    client.post(&format!("{path}/rewind"), "{}");
    post_office(&client);
    let second = act(&client, &path, "rotate_secret")["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(first, second);
    assert!(!client.read(&path).to_string().contains("whsec_"), "it is shown once");
    let signed_with = |secrets: &[&String]| {
        client.post(&format!("{path}/rewind"), "{}");
        post_office(&client);
        let came = client.world.courier.came().last().cloned().expect("one");
        let event: Event = serde_json::from_str(&came.body).expect("an event");
        let to = Destination::parse(URL, false).expect("an address");
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).clone()).collect();
        assert_eq!(came, webhook(&to, &event, &secrets, now(&client)).expect("a webhook"));
        assert_eq!(header(&came, "webhook-signature").split(' ').count(), secrets.len());
        assert_eq!(header(&came, "webhook-id"), event.id.to_string());
        assert_eq!(header(&came, "webhook-timestamp"), now(&client).timestamp().to_string());
    };
    signed_with(&[&second, &first]);
    later(&client, 24 * 60 - 1);
    signed_with(&[&second, &first]);
    later(&client, 1);
    signed_with(&[&second]);
}

#[test]
fn an_endpoint_that_takes_nothing_waits_longer_each_time_and_is_given_up() {
    let (client, _) = eventful();
    let (path, _) = endpoint(&client, URL, &[]);
    client.world.courier.script(|_, _| Took::nobody());
    client.post(&format!("{path}/rewind"), "{}");
    post_office(&client);
    let first = client.world.courier.came().len();
    assert!((1..=6).contains(&first), "{first} are enough to see that nobody is there");
    assert!(client.read(&path)["failing_since"].is_string());
    let mut sendings = Vec::new();
    for minute in 0..73 * 60 {
        let before = client.world.courier.came().len();
        send(&client);
        if client.world.courier.came().len() > before {
            sendings.push(minute);
        }
        later(&client, 1);
    }
    // After seconds, then minutes, then each half an hour and up to a fifth more.
    let gaps: Vec<i64> = sendings.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().skip(6).all(|gap| (30..=31).contains(gap)), "{gaps:?}");
    assert!(client.world.courier.taken(URL).is_empty());
    let stands = client.read(&path);
    assert_eq!((&stands["status"], &stands["actor"]), (&json!("paused"), &json!("paydown")), "{stands}");
    assert!(stands["why"].as_str().is_some_and(|why| why.ends_with("no answer in 10 s")), "{stands}");
    let open = client.read("/v1/exceptions?kind=webhook_failing&status=open")["data"].clone();
    assert_eq!(open[0]["subject"], stands["id"], "{open}");
    let turns = client.world.query("SELECT DISTINCT lagging FROM webhook_turns");
    assert_eq!(turns, ["[]"], "no credit lags where nothing arrives");

    client.world.courier.script(|_, _| Took::it());
    send(&client);
    assert!(client.world.courier.taken(URL).is_empty(), "it is paused");
    act(&client, &path, "resume");
    post_office(&client);
    assert_eq!(by_credit(&client.world.courier.taken(URL)), by_credit(&events(&client, "", 200)));
    assert_eq!(client.read("/v1/exceptions?kind=webhook_failing&status=open")["data"], json!([]));
    assert_eq!(client.read(&path)["status"], "active");
}

#[test]
fn a_credit_that_is_not_taken_keeps_only_itself_waiting() {
    let (client, credit) = eventful();
    let (path, _) = endpoint(&client, URL, &[]);
    let poison = credit.clone();
    client.world.courier.script(move |_, webhook| {
        if webhook.body.contains(&poison) { Took::answered(500) } else { Took::it() }
    });
    client.post(&format!("{path}/rewind"), "{}");
    post_office(&client);
    let all = by_credit(&events(&client, "", 200));
    let mut others = all.clone();
    let waiting = others.remove(&json!(credit).to_string()).expect("its events");
    assert_eq!(by_credit(&client.world.courier.taken(URL)), others);
    let stands = client.read(&path);
    assert_eq!((&stands["waiting"], &stands["failing_since"]), (&json!(waiting.len()), &Value::Null));
    let tried = |client: &Client| {
        let came = client.world.courier.came();
        came.iter().filter(|webhook| webhook.body.contains(&credit)).count()
    };
    let mut times = Vec::new();
    for minute in 0..24 * 60 {
        let before = tried(&client);
        send(&client);
        times.extend((tried(&client) > before).then_some(minute));
        later(&client, 1);
    }
    assert!((6..=9).contains(&times.len()), "{times:?}");
    client.world.courier.script(|_, _| Took::it());
    later(&client, 15 * 60);
    send(&client);
    assert_eq!(by_credit(&client.world.courier.taken(URL)), all);
    let log = client.read(&format!("{path}/deliveries?limit=200"))["data"].clone();
    let log = log.as_array().expect("a log");
    let of_first: Vec<&Value> =
        log.iter().filter(|entry| entry["event_id"] == waiting[0]["id"]).rev().collect();
    let attempts: Vec<u64> = of_first.iter().filter_map(|entry| entry["attempt"].as_u64()).collect();
    assert_eq!(attempts, (1..=attempts.len() as u64).collect::<Vec<_>>(), "{of_first:?}");
    let (first, last) = (of_first[0], of_first[of_first.len() - 1]);
    assert_eq!(
        (&first["delivered"], &first["status"], &first["why"]),
        (&json!(false), &json!(500), &json!("HTTP 500"))
    );
    assert!(first["next_attempt_at"].is_string() && last["delivered"] == true && last["why"].is_null());
}

#[test]
fn what_an_endpoint_asks_for_is_heard() {
    let (client, _) = eventful();
    let (path, _) = endpoint(&client, URL, &["credit.failed"]);
    client.world.courier.script(|_, _| Took {
        receipt: Receipt::Answered { status: 503, retry_after_seconds: Some(3_600) },
        takes: false,
    });
    client.post(&format!("{path}/rewind"), "{}");
    post_office(&client);
    later(&client, 59);
    send(&client);
    assert_eq!(client.world.courier.came().len(), 1);
    client.world.courier.script(|_, _| Took::answered(410));
    later(&client, 1);
    send(&client);
    assert_eq!(client.world.courier.came().len(), 2);
    let stands = client.read(&path);
    assert_eq!(stands["status"], "paused", "{stands}");
    assert!(stands["why"].as_str().is_some_and(|why| why.contains("410")));
    // Elsewhere it goes on.
    let moved = json!({ "url": "https://new.acme.com/", "event_types": ["credit.failed"], "label": "moved" });
    assert_eq!(client.post(&path, &moved.to_string()).body["label"], "moved");
    client.world.courier.script(|_, _| Took::it());
    act(&client, &path, "resume");
    post_office(&client);
    assert_eq!(client.world.courier.taken("https://new.acme.com/").len(), 1);
    client.world.courier.script(|_, _| Took::answered(302));
    client.post(&format!("{path}/rewind"), "{}");
    post_office(&client);
    assert_eq!(
        client.read(&path)["waiting"].as_u64().map(|waiting| waiting > 0),
        Some(true),
        "nobody is followed"
    );
}

#[test]
fn an_endpoint_that_is_paused_or_removed_is_sent_nothing() {
    let (client, _) = eventful();
    let (path, _) = endpoint(&client, URL, &[]);
    act(&client, &path, "pause");
    run(&client, "2026-02-04T06:00:00Z");
    send(&client);
    assert!(client.world.courier.came().is_empty());
    act(&client, &path, "resume");
    post_office(&client);
    assert_eq!(client.world.courier.taken(URL).len(), 1, "what happened meanwhile waited");
    let request = Request::delete(&path).header("authorization", format!("Bearer {KEY}"));
    let removed = client.send(request.body(Body::empty()).expect("a request"));
    assert_eq!(removed.body["status"], "removed");
    run(&client, "2026-02-05T06:00:00Z");
    send(&client);
    assert_eq!(client.world.courier.came().len(), 1);
    for what in ["pause", "resume", "rotate_secret", "rewind"] {
        client.post(&format!("{path}/{what}"), "{}").is_problem(409, "conflict");
    }
    assert_eq!(client.read("/v1/webhook_endpoints")["data"][0]["status"], "removed");
}

#[test]
fn an_event_is_sent_once_more_by_hand() {
    let (client, _) = eventful();
    let (path, _) = endpoint(&client, URL, &[]);
    let event = events(&client, "&type=credit.repaid", 1)[0].clone();
    let resend = format!("events/{}/resend", event["id"].as_str().expect("an id"));
    act(&client, &path, "pause");
    let sent = act(&client, &path, &resend);
    assert_eq!(
        (&sent["delivered"], &sent["status"], &sent["resent_by"]),
        (&json!(true), &json!(204), &json!("test"))
    );
    client.world.courier.script(|_, _| Took::answered(500));
    assert_eq!(act(&client, &path, &resend)["why"], "HTTP 500");
    assert_eq!(client.world.courier.taken(URL), [event]);
    let log = client.read(&format!("{path}/deliveries"))["data"].clone();
    assert_eq!(log.as_array().map(Vec::len), Some(2));
    let nobody = format!("{path}/events/00000000-0001-8000-8000-000000000000/resend");
    client.post(&nobody, "{}").is_problem(404, "not_found");
}

#[test]
fn a_webhook_is_no_door_to_the_inside() {
    let client = Client::new();
    let asked = |url: &str| json!({ "url": url, "label": "x" }).to_string();
    for url in [
        "http://hooks.acme.com/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "https://[::1]/",
        "x",
    ] {
        let answer = client.post("/v1/webhook_endpoints", &asked(url));
        answer.is_problem(422, "invalid_request");
        assert_eq!(answer.body["errors"][0]["pointer"], "/url", "{url}");
    }
    for body in [
        json!({ "url": URL }),
        json!({ "url": URL, "label": "x", "event_types": ["credit.born"] }),
        json!({ "url": URL, "label": "x", "secret": "whsec_mine" }),
    ] {
        client.post("/v1/webhook_endpoints", &body.to_string()).is_problem(422, "invalid_request");
    }
    // A ledger that was kept on a local run goes nowhere else for it.
    let settings = Settings { is_local: true, ..Settings::default() };
    let local = Client::of(World::with(NOW, settings));
    let (path, _) = endpoint(&local, "http://127.0.0.1:9000/hook", &[]);
    let mut moved = local.clone();
    moved.world.settings = std::sync::Arc::new(Settings::default());
    run(&moved, "2026-01-05T06:00:00Z");
    post_office(&moved);
    assert!(moved.world.courier.came().is_empty());
    let log = moved.read(&format!("{path}/deliveries"))["data"].clone();
    assert!(
        log[0]["why"].as_str().is_some_and(|why| why.starts_with("the address must begin with")),
        "{log}"
    );
}

#[test]
fn there_are_not_more_endpoints_than_a_run_looks_at() {
    let client = Client::new();
    let paths: Vec<String> =
        (0..20).map(|number| endpoint(&client, &format!("https://hooks.acme.com/{number}"), &[]).0).collect();
    let one_more = json!({ "url": URL, "label": "x" }).to_string();
    client.post("/v1/webhook_endpoints", &one_more).is_problem(409, "conflict");
    let request = Request::delete(&paths[3]).header("authorization", format!("Bearer {KEY}"));
    client.send(request.body(Body::empty()).expect("a request"));
    assert_eq!(client.post("/v1/webhook_endpoints", &one_more).status.as_u16(), 201);
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.read(&format!("/v1/webhook_endpoints?limit=4{cursor}"));
        listed.extend(page["data"].as_array().expect("a page").clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed.len(), 21);
}

/// Every batch of a pass fails once, before or after it persisted: what is to arrive arrives all the same, in order.
#[test]
fn a_pass_that_meets_a_fault_is_made_again() {
    let book = || {
        let (client, _) = eventful();
        let (path, _) = endpoint(&client, URL, &[]);
        client
            .world
            .courier
            .script(|number, _| if number % 3 == 0 { Took::answered(500) } else { Took::it() });
        client.post(&format!("{path}/rewind"), "{}");
        client
    };
    let undisturbed = book();
    let before = undisturbed.world.database.batches();
    post_office(&undisturbed);
    let batches = undisturbed.world.database.batches() - before;
    assert!(batches >= 4, "{batches} batches");
    for number in 0..batches {
        for failure in [
            Failure::Before(Fault::Permanent("broken".into())),
            Failure::After(Fault::Permanent("broken".into())),
            Failure::After(Fault::Transient("lost".into())),
        ] {
            let client = book();
            client.world.database.fail(number, failure.clone());
            deliver_all(&client);
            for _ in 0..20 {
                later(&client, 60);
                block_on(wake_webhooks(&client.world.ports()));
                deliver_all(&client);
            }
            let all = by_credit(&events(&client, "", 200));
            assert_eq!(by_credit(&client.world.courier.taken(URL)), all, "batch {number} with {failure:?}");
        }
    }
}

/// A book that lives day by day, and a consumer that is not well.
struct Life {
    client: Client,
    rows: Vec<String>,
    reported: usize,
}

impl Life {
    fn begin(credits: usize) -> Life {
        let client = Client::new();
        for number in 0..credits {
            let body = json!({ "account_id": format!("acct_{number}"), "amount": 1_200, "installments": 4, "interval_days": 2 });
            let made = client.advance(&format!("key-{number}"), &body.to_string());
            assert_eq!(made.status.as_u16(), 201, "{made:?}");
        }
        Life { client, rows: vec![], reported: 0 }
    }

    /// The run of a day, whose bank reports what moved the day before: of debits each fifth fails.
    fn run(&mut self, day: i64) {
        let as_of = "2026-01-05T06:00:00Z".parse::<Instant>().expect("an instant") + TimeDelta::days(day);
        let at = paydown::date::text(as_of - TimeDelta::hours(1));
        let moved: Vec<String> =
            self.client.world.processor.calls().iter().map(|call| format!("tx_{}", call.key)).collect();
        for (number, transaction) in moved.iter().enumerate().skip(self.reported) {
            let word = if number > 10 && number % 5 == 0 { "failure,R01" } else { "success," };
            self.rows.push(format!("{transaction},{word},{at}"));
        }
        self.reported = moved.len();
        let recent = self.rows.len().saturating_sub(60);
        self.client.world.processor.set_report(FakeReport::of(&self.rows[recent..]));
        self.client.world.clock.set(as_of);
        block_on(daily(&self.client.world.ports(), as_of)).expect("the run ends");
    }

    /// The hours up to the next run: the sweeper, and the queue, whose every message comes twice at once.
    fn hours(&self, day: i64) {
        for hour in 1..24 {
            let at = "2026-01-05T06:00:00Z".parse::<Instant>().expect("an instant")
                + TimeDelta::days(day)
                + TimeDelta::hours(hour);
            self.client.world.clock.set(at);
            block_on(sweep(&self.client.world.ports(), at)).expect("the sweep ends");
            for _ in 0..5 {
                for message in self.client.world.outbox.take() {
                    let bodies = [serde_json::to_string(&message).expect("JSON")];
                    let [one, other] = [self.client.world.ports(), self.client.world.ports()];
                    block_on(join(deliver(&one, QUEUE, &bodies), deliver(&other, QUEUE, &bodies)));
                }
            }
        }
    }
}

/// A number that follows from a seed and a cause.
fn dice(seed: u64, cause: usize) -> u64 {
    let id = paydown::id::from_cause(0, &["dice", &seed.to_string(), &cause.to_string()]);
    u64::from(id.into_bytes()[15]) * 100 / 256
}

/// Three of ten it does not take, of one of ten the answer gets lost, for a day nobody is there, and each message of the
/// queue comes twice at once: in the end the consumer has, credit for credit, what the list tells.
#[test]
fn a_consumer_that_fails_is_away_and_restarts_comes_to_the_same_events_in_the_same_order() {
    for seed in 0..4 {
        let mut life = Life::begin(11);
        endpoint(&life.client, URL, &[]);
        let courier = life.client.world.courier.clone();
        let unwell = move |number: usize| match dice(seed, number) {
            0..30 => Took::answered(500),
            30..40 => Took::lost(),
            _ => Took::it(),
        };
        for day in 0..18 {
            let is_away = day == 5;
            courier.script(move |number, _| if is_away { Took::nobody() } else { unwell(number) });
            life.run(day);
            life.hours(day);
        }
        courier.script(|_, _| Took::it());
        life.hours(18);
        life.hours(19);
        let all = events(&life.client, "", 200);
        assert!(all.len() > 120, "{}", all.len());
        assert_eq!(by_credit(&courier.taken(URL)), by_credit(&all), "seed {seed}");
        let came = courier.came().len();
        assert!(came > all.len() + all.len() / 3, "{came} came for {} events", all.len());
        let stands = life.client.read("/v1/webhook_endpoints")["data"][0].clone();
        assert_eq!((&stands["status"], &stands["waiting"]), (&json!("active"), &json!(0)));
    }
}

#[test]
fn every_type_has_a_name_that_an_endpoint_may_choose() {
    let client = Client::new();
    let names: Vec<&str> = EventType::ALL.into_iter().map(EventType::name).collect();
    let (path, _) = endpoint(&client, URL, &names);
    assert_eq!(client.read(&path)["event_types"].as_array().map(Vec::len), Some(names.len()));
}
