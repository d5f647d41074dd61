//! `INTAKE=queue`: an advance is answered from the queue, and recorded once however its message is delivered.

use std::collections::BTreeSet;

use futures_executor::block_on;
use paydown::api::Intake;
use paydown::api::Scope;
use paydown::id;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::message::{Message, Verdict};
use paydown_edge::run::deliver;
use paydown_tests::memory::{Failure, World};
use paydown_tests::processor::Step;
use serde_json::{Value, json};

use crate::client::{Client, KEY, NOW, ORDINARY, Response, advance};

/// The queue of the intake.
const QUEUE: &str = "paydown-intake";

fn queued() -> Client {
    with(Settings::default())
}

fn with(settings: Settings) -> Client {
    Client::of(World::with(NOW, Settings { intake: Intake::Queue, ..settings }))
}

fn switch(client: &mut Client, intake: Intake) {
    client.world.settings = Settings { intake, ..(*client.world.settings).clone() }.into();
}

/// The texts of the messages that wait, taken out.
fn waiting(client: &Client) -> Vec<String> {
    let text = |message: &Message| serde_json::to_string(message).expect("a text");
    client.world.outbox.take().iter().map(text).collect()
}

fn delivered(client: &Client, bodies: &[String]) -> Vec<Verdict> {
    let verdicts = block_on(deliver(&client.world.ports(), QUEUE, bodies));
    assert_eq!(verdicts.len(), bodies.len());
    verdicts
}

/// Delivers until each message is done, as the queue does.
fn delivered_until_done(client: &Client, bodies: &[String]) {
    let mut left = bodies.to_vec();
    for _ in 0..20 {
        let verdicts = delivered(client, &left);
        left = left
            .into_iter()
            .zip(verdicts)
            .filter(|(_, v)| *v != Verdict::Done)
            .map(|(body, _)| body)
            .collect();
        if left.is_empty() {
            return;
        }
    }
    panic!("never done: {left:?}");
}

fn asks(client: &Client, key: &str, account: &str, amount: u64) -> Response {
    client.advance(key, &json!({ "account_id": account, "amount": amount }).to_string())
}

fn credits(client: &Client) -> Vec<String> {
    client.world.query("SELECT id FROM credits ORDER BY id")
}

fn refused(client: &Client) -> Vec<Value> {
    let list = client.read("/v1/exceptions?kind=request_refused&status=open&limit=200");
    list["data"].as_array().expect("a list").clone()
}

/// The exception of a hold.
const HARD_RETURN: &str = "00000000-0000-8000-8000-00000000000e";

/// A hard return holds a credit.
fn hold(client: &Client, credit: &str) {
    let run = |sql: &str| client.world.database.sqlite.execute(sql).expect("a fact");
    run("INSERT INTO policies VALUES ('p', '{}')");
    run(&format!("INSERT INTO decisions VALUES ('d', '{credit}', 0, 'L7', 'p', NULL, '{NOW}', NULL)"));
    let exception = format!("'{HARD_RETURN}', 'hard_return', '{credit}', '{credit}', NULL, '', '{NOW}', 'd'");
    run(&format!("INSERT INTO exceptions VALUES ({exception})"));
    run(&format!("INSERT INTO holds VALUES ('{credit}', '{HARD_RETURN}', 'd')"));
}

fn release(client: &Client, credit: &str) {
    let run = |sql: &str| client.world.database.sqlite.execute(sql).expect("a fact");
    run(&format!("INSERT INTO decisions VALUES ('d2', '{credit}', 1, 'L8', 'p', NULL, '{NOW}', NULL)"));
    run(&format!("INSERT INTO releases VALUES ('{credit}', '{HARD_RETURN}', 'd2')"));
}

#[test]
fn an_advance_is_answered_after_one_read_and_paid_out_by_its_message() {
    let client = queued();
    let before = client.world.database.batches();
    let first = client.advance("k-1", ORDINARY);
    assert_eq!(client.world.database.batches() - before, 1);
    assert_eq!((first.status.as_u16(), &first.body["transaction_id"]), (202, &json!(null)));
    assert!(client.written().is_empty(), "nothing is recorded yet");
    assert!(client.world.processor.calls().is_empty());
    let id = first.body["id"].as_str().expect("an id").to_owned();
    let uuid: uuid::Uuid = id.parse().expect("a UUID");
    assert_eq!((uuid.get_version_num(), id::bucket_of(uuid)), (8, id::bucket("acct_8841")));
    let again = client.advance("k-1", ORDINARY);
    assert_eq!((again.status, &again.text), (first.status, &first.text));

    let messages = waiting(&client);
    assert_eq!(messages.len(), 2);
    delivered_until_done(&client, &messages);
    assert_eq!(credits(&client), [id.as_str()]);
    let calls = client.world.processor.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(client.world.query("SELECT body FROM credits"), [calls[0].body.clone()]);
    assert_eq!(calls[0].key, id);
    let replayed = client.advance("k-1", ORDINARY);
    assert_eq!((replayed.status.as_u16(), replayed.header("idempotent-replayed")), (201, "true"));
    assert_eq!(replayed.body["id"], first.body["id"]);
    assert_eq!(replayed.body["transaction_id"], format!("tx_{id}"));
    assert_eq!(waiting(&client).len(), 0, "a replay sends nothing");
    let key = client.world.query("SELECT k.hash FROM requests r JOIN api_keys k ON k.id = r.api_key_id");
    assert_eq!(key, [paydown_edge::ledger::keys::hash(KEY)]);
}

#[test]
fn the_largest_message_fits_a_queue() {
    let client = queued();
    let account = "A".repeat(64);
    let body =
        json!({ "account_id": account, "amount": 100_000_000, "fee": 100_000_000, "installments": 104 });
    assert_eq!(client.advance(&"\\".repeat(255), &body.to_string()).status.as_u16(), 202);
    let messages = waiting(&client);
    // 128 KB a message, 256 KB a batch of 100 (Cloudflare Queues, limits).
    assert!(messages[0].len() < 2560, "{} bytes", messages[0].len());
}

#[test]
fn a_hundred_messages_are_recorded_in_one_batch_and_submitted() {
    let client = queued();
    let ids: BTreeSet<String> = (0..100)
        .map(|number| asks(&client, &format!("k-{number}"), &format!("acct_{number}"), 5000))
        .map(|answer| answer.body["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), 100);
    let messages = waiting(&client);
    let before = client.world.database.batches();
    assert!(delivered(&client, &messages).iter().all(|verdict| *verdict == Verdict::Done));
    let batches = client.world.database.batches() - before;
    assert_eq!(batches, 6, "recorded, looked at, stop, claimed, bodies, answers: as many as for one");
    assert_eq!(credits(&client), ids.iter().cloned().collect::<Vec<_>>());
    assert_eq!(client.world.processor.moved().len(), 100);
    assert_eq!(client.world.query("SELECT count(*) FROM credit_transactions"), ["100"]);
}

#[test]
fn a_message_delivered_twice_late_and_in_any_order_makes_one_credit() {
    let client = queued();
    for number in 0..5 {
        for _ in 0..4 {
            assert_eq!(asks(&client, &format!("k-{number}"), "acct", 5000).status.as_u16(), 202);
        }
    }
    let messages = waiting(&client);
    assert_eq!(messages.len(), 20);
    let reversed: Vec<String> = messages.iter().rev().cloned().collect();
    for delivery in [&messages[7..13], &reversed[..], &messages[..], &messages[3..4], &reversed[..9]] {
        delivered_until_done(&client, delivery);
    }
    assert_eq!(credits(&client).len(), 5);
    assert_eq!(client.world.processor.calls().len(), 5);
    assert_eq!(client.written().iter().find(|(table, _)| table == "exceptions"), None);
}

#[test]
fn a_fault_at_any_batch_of_a_delivery_loses_and_doubles_nothing() {
    let book = || {
        let client = queued();
        for number in 0..3 {
            asks(&client, &format!("k-{number}"), &format!("acct_{number}"), 5000);
        }
        client.world.processor.script("acct_2", vec![Step::refused(); 9]);
        asks(&client, "k-0", "acct_0", 6000);
        let messages = waiting(&client);
        (client, messages)
    };
    let everything = |client: &Client| {
        let facts = "SELECT id FROM credits UNION ALL SELECT transaction_id FROM credit_transactions
          UNION ALL SELECT idempotency_key || why FROM refused_requests UNION ALL SELECT kind || subject FROM exceptions
          UNION ALL SELECT idempotency_key || fingerprint || credit_id FROM requests ORDER BY 1";
        client.world.query(facts)
    };
    let (calm, messages) = book();
    let before = calm.world.database.batches();
    delivered_until_done(&calm, &messages);
    let batches = calm.world.database.batches() - before;
    assert!(batches >= 10, "{batches}");
    assert_eq!(everything(&calm).len(), 3 + 2 + 2 + 3);
    for fault in [Fault::Permanent("broken".into()), Fault::Overloaded("too much".into())] {
        for number in 0..batches {
            for is_after in [false, true] {
                let (client, messages) = book();
                let fault = fault.clone();
                let case = format!("batch {number}, after it persisted: {is_after}, {fault}");
                let failure = if is_after { Failure::After(fault) } else { Failure::Before(fault) };
                client.world.database.fail(number, failure);
                delivered_until_done(&client, &messages);
                // What is left after a fault behind the recording is the sweeper's.
                let at = "2026-01-05T05:10:00Z".parse().expect("an instant");
                block_on(paydown_edge::run::sweep(&client.world.ports(), at)).expect("a sweep");
                assert_eq!(everything(&client), everything(&calm), "{case}");
                delivered_until_done(&client, &messages);
                assert_eq!(everything(&client), everything(&calm), "{case}, delivered again");
                assert_eq!(client.world.processor.moved(), calm.world.processor.moved(), "{case}");
            }
        }
    }
}

#[test]
fn the_processors_refusal_is_the_credits_failure() {
    let client = queued();
    client.world.processor.script("acct_8841", [Step::refused()]);
    let first = client.advance("k-1", ORDINARY);
    delivered_until_done(&client, &waiting(&client));
    let again = client.advance("k-1", ORDINARY);
    again.is_problem(422, "refused");
    assert_eq!(again.body["credit_id"], first.body["id"]);
    let id = first.body["id"].as_str().expect("an id");
    assert_eq!(client.read(&format!("/v1/credits/{id}"))["status"], "failed");
}

#[test]
fn a_key_used_with_another_request_is_refused_at_once_or_by_an_exception() {
    let client = queued();
    let first = asks(&client, "k-1", "acct_a", 5000);
    // Not known yet: both are answered.
    let same_account = asks(&client, "k-1", "acct_a", 6000);
    let other_account = asks(&client, "k-1", "acct_b", 5000);
    assert_eq!([same_account.status.as_u16(), other_account.status.as_u16()], [202, 202]);
    let messages = waiting(&client);
    delivered_until_done(&client, &messages);
    assert_eq!(credits(&client), [first.body["id"].as_str().expect("an id")]);
    assert_eq!(client.world.query("SELECT amount FROM credits"), ["5000"]);
    let open = refused(&client);
    assert_eq!(open.len(), 2);
    for (account, answer) in [("acct_a", &same_account), ("acct_b", &other_account)] {
        let exception = open.iter().find(|e| e["subject"] == answer.body["id"]).expect("an exception");
        let detail = exception["detail"].as_str().expect("a detail");
        assert!(detail.contains(account) && detail.contains("another request"), "{detail}");
    }
    let kept: BTreeSet<String> =
        client.world.query("SELECT message FROM refused_requests").into_iter().collect();
    assert_eq!(kept, messages[1..].iter().cloned().collect(), "nothing of a message is lost");
    // Known by now.
    asks(&client, "k-1", "acct_b", 5000).is_problem(422, "idempotency_key_reused");
    delivered_until_done(&client, &messages);
    assert_eq!(refused(&client).len(), 2);
    assert_eq!(client.world.processor.calls().len(), 1);
}

#[test]
fn a_hold_that_came_meanwhile_refuses_the_message_for_good() {
    let client = queued();
    asks(&client, "k-1", "acct_a", 5000);
    delivered_until_done(&client, &waiting(&client));
    let held = credits(&client)[0].clone();
    let second = asks(&client, "k-2", "acct_a", 5000);
    let repeated = asks(&client, "k-2", "acct_a", 5000);
    assert_eq!(second.body["id"], repeated.body["id"]);
    let other = asks(&client, "k-3", "acct_b", 5000);
    assert_eq!(other.status.as_u16(), 202);
    hold(&client, &held);
    asks(&client, "k-4", "acct_a", 5000).is_problem(422, "account_held");
    let messages = waiting(&client);
    assert_eq!(messages.len(), 3);
    delivered_until_done(&client, &messages);
    assert_eq!(credits(&client).len(), 2, "that of the other account");
    let open = refused(&client);
    assert_eq!(open.len(), 1, "one exception for what was answered, however often");
    assert_eq!(open[0]["subject"], second.body["id"]);
    assert!(open[0]["detail"].as_str().expect("a detail").contains("acct_a"), "{open:?}");
    assert_eq!(client.world.query("SELECT 1 FROM refused_requests").len(), 2);

    release(&client, &held);
    delivered_until_done(&client, &messages);
    assert_eq!(credits(&client).len(), 2, "the same message again is refused still");
    let asked_again = asks(&client, "k-2", "acct_a", 5000);
    assert_eq!((asked_again.status.as_u16(), &asked_again.body["id"]), (202, &second.body["id"]));
    delivered_until_done(&client, &waiting(&client));
    assert_eq!(credits(&client).len(), 3, "the client's own repetition is another request");
}

#[test]
fn while_a_stop_is_in_force_messages_wait() {
    let client = queued();
    asks(&client, "k-1", "acct_a", 5000);
    let messages = waiting(&client);
    let run = |sql: &str| client.world.database.sqlite.execute(sql).expect("a fact");
    run("INSERT INTO stops VALUES ('s1', 'stop', 'ann', 'fire', '2026-01-05T05:00:00.000Z')");
    asks(&client, "k-2", "acct_a", 5000).is_problem(503, "unavailable");
    assert_eq!(delivered(&client, &messages), [Verdict::Later { seconds: 600 }]);
    assert!(credits(&client).is_empty());
    assert!(refused(&client).is_empty());
    run("INSERT INTO stops VALUES ('s2', 'start', 'ann', 'out', '2026-01-05T05:00:01.000Z')");
    delivered_until_done(&client, &messages);
    assert_eq!(client.world.processor.calls().len(), 1);
}

#[test]
fn a_limit_reached_meanwhile_is_an_exception() {
    let client = with(Settings { max_per_day: Some(17_000), ..Settings::default() });
    for number in 0..10 {
        assert_eq!(asks(&client, &format!("k-{number}"), "acct_a", 5000).status.as_u16(), 202);
    }
    let messages = waiting(&client);
    delivered_until_done(&client, &messages);
    delivered_until_done(&client, &messages);
    assert_eq!((credits(&client).len(), refused(&client).len()), (3, 7));
    let detail = client.read("/v1/exceptions?kind=request_refused&limit=1")["data"][0]["detail"].to_string();
    assert!(detail.starts_with("\"an advance of 50.00 USD to the account acct_a was answered"), "{detail}");
    let why = "more than 170.00 USD would be advanced in all on this business date\"";
    assert!(detail.ends_with(why), "{detail}");
    assert_eq!(client.world.query("SELECT max(total) FROM advanced"), ["15000"]);
    assert_eq!(client.world.processor.moved().len(), 3);
    asks(&client, "k-more", "acct_b", 5000).is_problem(422, "limit_reached");
    assert_eq!(asks(&client, "k-less", "acct_b", 2000).status.as_u16(), 202);
    let replayed = asks(&client, "k-0", "acct_a", 5000);
    assert_eq!((replayed.status.as_u16(), replayed.header("idempotent-replayed")), (201, "true"));
}

#[test]
fn an_accounts_limit_holds_within_a_delivery_and_between_them() {
    let client = with(Settings { max_per_account: Some(17_000), ..Settings::default() });
    for number in 0..10 {
        for account in ["acct_a", "acct_b"] {
            let answer = asks(&client, &format!("{account}-{number}"), account, 5000 + number);
            assert_eq!(answer.status.as_u16(), 202);
        }
    }
    let messages = waiting(&client);
    // Some come again among those that are new.
    for delivery in [&messages[..3], &messages[1..], &messages[..]] {
        delivered_until_done(&client, delivery);
    }
    assert_eq!((credits(&client).len(), refused(&client).len()), (6, 14));
    let owed = client.world.query("SELECT sum(amount) FROM credits GROUP BY account_id");
    assert_eq!(owed, ["15003", "15003"]);
    asks(&client, "more", "acct_a", 2000).is_problem(422, "limit_reached");
}

#[test]
fn what_the_queue_or_the_ledger_cannot_take_is_answered_503() {
    for fault in [Fault::Transient("broken".into()), Fault::Overloaded("Too Many Requests".into())] {
        let client = queued();
        client.world.outbox.fail(fault);
        let answer = client.advance("k-1", ORDINARY);
        answer.is_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "2");
        assert!(client.written().is_empty());
        assert_eq!(client.advance("k-1", ORDINARY).status.as_u16(), 202);
    }
    for fault in [Fault::Overloaded("D1 DB is overloaded".into()), Fault::Permanent("broken".into())] {
        let client = queued();
        client.world.database.fail(0, Failure::Before(fault));
        let answer = client.advance("k-1", ORDINARY);
        answer.is_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "2");
        assert!(client.world.outbox.sent().is_empty());
    }
}

#[test]
fn one_message_that_the_ledger_cannot_take_stops_no_other() {
    let client = queued();
    for number in 0..3 {
        asks(&client, &format!("k-{number}"), "acct_a", 5000);
    }
    let mut messages = waiting(&client);
    messages[1] = messages[1].replace("\"installments\":12", "\"installments\":0");
    messages.push("not a message".to_owned());
    let verdicts = delivered(&client, &messages);
    assert_eq!(verdicts, [Verdict::Done, Verdict::Later { seconds: 10 }, Verdict::Done, Verdict::Done]);
    assert_eq!(client.world.query("SELECT idempotency_key FROM requests ORDER BY 1"), ["k-0", "k-2"]);
    assert_eq!(client.world.processor.calls().len(), 2);
    assert_eq!(client.world.query("SELECT body FROM dead_letters"), ["not a message"]);
}

#[test]
fn a_dead_letter_is_kept_with_its_exception() {
    let client = queued();
    client.advance("k-1", ORDINARY);
    let messages = waiting(&client);
    for _ in 0..2 {
        let verdicts = block_on(deliver(&client.world.ports(), "paydown-intake-dead", &messages));
        assert_eq!(verdicts, [Verdict::Done]);
    }
    assert_eq!(client.world.query("SELECT body FROM dead_letters"), messages);
    let open = client.read("/v1/exceptions?kind=dead_letter&status=open");
    assert_eq!(open["data"].as_array().map(Vec::len), Some(1));
    assert!(credits(&client).is_empty());
    // It has to be asked for again, and then is recorded as ever.
    assert_eq!(client.advance("k-1", ORDINARY).status.as_u16(), 202);
    delivered_until_done(&client, &waiting(&client));
    assert_eq!(credits(&client).len(), 1);
}

#[test]
fn the_mode_can_be_switched_at_any_time() {
    let mut client = queued();
    let answered = client.advance("k-1", ORDINARY);
    let messages = waiting(&client);
    // The client repeats what is still in the queue, and the ledger comes first by now.
    switch(&mut client, Intake::Direct);
    let direct = client.advance("k-1", ORDINARY);
    assert_eq!(direct.status.as_u16(), 201);
    assert_ne!(direct.body["id"], answered.body["id"]);
    delivered_until_done(&client, &messages);
    assert_eq!(credits(&client), [direct.body["id"].as_str().expect("an id")]);
    assert_eq!(client.world.processor.moved().len(), 1, "money moved once");
    let open = refused(&client);
    assert_eq!((open.len(), &open[0]["subject"]), (1, &answered.body["id"]));
    let recorded_as = direct.body["id"].as_str().expect("an id");
    assert!(open[0]["detail"].as_str().expect("a detail").contains(recorded_as), "{open:?}");

    // What was recorded directly is replayed from the queue's mode, and the other way around.
    switch(&mut client, Intake::Queue);
    let replayed = client.advance("k-1", ORDINARY);
    assert_eq!((replayed.status, &replayed.text), (direct.status, &direct.text));
    let second = client.advance("k-2", ORDINARY);
    delivered_until_done(&client, &waiting(&client));
    switch(&mut client, Intake::Direct);
    let replayed = client.advance("k-2", ORDINARY);
    assert_eq!((replayed.status.as_u16(), &replayed.body["id"]), (201, &second.body["id"]));
    assert_eq!(client.world.processor.moved().len(), 2);
}

#[test]
fn who_may_not_sends_nothing() {
    let client = queued();
    client.add_key("pd_reader", &[Scope::Read]);
    for (key, status, code) in [("pd_nobody", 401, "unauthorized"), ("pd_reader", 403, "forbidden")] {
        let mut request = advance("k-1", ORDINARY);
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().expect("a header"));
        client.send(request).is_problem(status, code);
    }
    assert_eq!(client.advance("k-1", r#"{"amount": 0}"#).status.as_u16(), 422);
    assert!(client.world.outbox.sent().is_empty());
    // A key that is revoked after its request was accepted revokes nothing of it.
    client.advance("k-1", ORDINARY);
    let revoke = "INSERT INTO api_key_revocations SELECT id, '2026-01-05T05:00:00.000Z' FROM api_keys";
    client.world.database.sqlite.execute(revoke).expect("revocations");
    delivered_until_done(&client, &waiting(&client));
    assert_eq!(credits(&client).len(), 1);
}

#[test]
fn a_key_of_an_operators_action_is_no_key_for_an_advance() {
    for intake in [Intake::Direct, Intake::Queue] {
        let client = Client::of(World::with(NOW, Settings::default()));
        let credit = client.advance("k-1", ORDINARY);
        let id = credit.body["id"].as_str().expect("an id");
        let run = |sql: &str| client.world.database.sqlite.execute(sql).expect("a fact");
        run("INSERT INTO policies VALUES ('p', '{}')");
        run(&format!("INSERT INTO decisions VALUES ('d', '{id}', 0, 'L8', 'p', NULL, '{NOW}', NULL)"));
        run(&format!(
            "INSERT INTO operations VALUES ('k-op', 'f', '{id}', 'hold', 'ann', 'n', 'd', '{NOW}')"
        ));
        let mut client = client;
        switch(&mut client, intake);
        let answer = client.advance("k-op", ORDINARY);
        answer.is_problem(422, "idempotency_key_reused");
        assert_eq!(answer.body["credit_id"], id);
        assert_eq!(credits(&client).len(), 1);
    }
}

#[test]
fn a_refusal_after_the_sweepers_unknown_answer_proves_nothing() {
    let client = Client::of(World::with(NOW, Settings::default()));
    client.world.processor.script("acct_8841", [Step::lost(), Step::refused()]);
    let mut request = advance("k-1", ORDINARY);
    request.headers_mut().insert("prefer", "respond-async".parse().expect("a header"));
    let first = client.send(request);
    assert_eq!(first.status.as_u16(), 202);
    let messages = waiting(&client);
    let at = "2026-01-05T05:10:00Z".parse().expect("an instant");
    block_on(paydown_edge::run::sweep(&client.world.ports(), at)).expect("a sweep");
    assert_eq!(client.world.processor.calls().len(), 1, "the sweeper came first");
    delivered_until_done(&client, &messages);
    assert_eq!(client.world.processor.calls().len(), 2);
    let id = first.body["id"].as_str().expect("an id");
    assert_eq!(client.read(&format!("/v1/credits/{id}"))["status"], "pending", "money may have moved");
}
