//! Due dates that roll, and business dates of another zone (L9), as the API shows them and the ledger records them.

use futures_executor::block_on;
use paydown::date::Zone;
use paydown_edge::config::Settings;
use paydown_edge::run::{daily, sweep};
use paydown_tests::memory::World;
use paydown_tests::processor::FakeReport;
use serde_json::{Value, json};

use crate::client::{Client, ORDINARY};

/// Business dates are New York's, and due dates roll.
fn rolling() -> Client {
    let new_york = [("2025-11-02T06:00:00Z", -5), ("2026-03-08T07:00:00Z", -4), ("2026-11-01T06:00:00Z", -5)];
    let offsets = new_york.map(|(at, hours)| (at.parse().expect("an instant"), hours * 3600)).to_vec();
    let variable = |name: &str| match name {
        "BUSINESS_TIME_ZONE" => Some("America/New_York".to_owned()),
        "DUE_DATE_ROLL" => Some("following".to_owned()),
        _ => None,
    };
    let zone = Zone::new(offsets);
    let settings = Settings::from_variables(variable, |_| Some(zone.clone())).expect("settings");
    // Eleven o'clock of a Sunday evening in New York.
    Client::of(World::with("2026-01-05T04:00:00Z", settings))
}

#[test]
fn a_plan_rolls_by_the_settings() {
    let client = rolling();
    let plan = client.read("/v1/plan?amount=30000&installments=3");
    assert_eq!(plan["start_date"], "2026-01-04");
    let expected = json!([
        { "sequence": 1, "amount": 10_000, "due_date": "2026-01-12", "unrolled_due_date": "2026-01-11" },
        { "sequence": 2, "amount": 10_000, "due_date": "2026-01-20", "unrolled_due_date": "2026-01-18" },
        { "sequence": 3, "amount": 10_000, "due_date": "2026-01-26", "unrolled_due_date": "2026-01-25" },
    ]);
    assert_eq!(plan["installments"], expected);
    // In UTC it is Monday, and the plan the same from another start.
    let plan = client.read("/v1/plan?amount=30000&installments=3&start_date=2026-01-05");
    assert_eq!(plan["installments"][1]["unrolled_due_date"], "2026-01-19");
    assert_eq!(plan["installments"][2], json!({ "sequence": 3, "amount": 10_000, "due_date": "2026-01-26" }));
    client.replays();
}

#[test]
fn what_rolled_is_recorded_with_the_calendar_the_zone_and_the_roll() {
    let client = rolling();
    assert_eq!(client.advance("first", ORDINARY).status.as_u16(), 201);
    let id = client.read("/v1/credits")["data"][0]["id"].as_str().expect("an id").to_owned();
    let transaction = client.read(&format!("/v1/credits/{id}"))["transaction_id"].clone();
    let row = format!("{},success,,2026-01-05T20:00:00Z", transaction.as_str().expect("a transaction"));
    client.world.processor.set_report(FakeReport::of(&[row]));
    block_on(daily(&client.world.ports(), "2026-01-06T04:30:00Z".parse().expect("an instant")))
        .expect("a run");
    assert_eq!(client.read("/v1/runs")["data"][0]["business_date"], "2026-01-05");

    let credit = client.read(&format!("/v1/credits/{id}"));
    let dates = |debit: &Value| (debit["due_date"].clone(), debit["unrolled_due_date"].clone());
    assert_eq!(dates(&credit["debits"][1]), (json!("2026-01-20"), json!("2026-01-18")));
    let facts = client.read(&format!("/v1/credits/{id}/facts"));
    assert_eq!(dates(&facts["debits"][1]), (json!("2026-01-20"), json!("2026-01-18")));
    let timeline = credit["timeline"].as_array().expect("a timeline");
    let told = |debit: usize| {
        let of = timeline.iter().filter(|entry| entry["kind"] == "debit").nth(debit);
        of.and_then(|entry| entry["detail"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!(told(1), "83.34 USD due 2026-01-20, rolled from 2026-01-18, planned");

    let policy = client.world.query(
        "SELECT DISTINCT policy FROM policies JOIN decisions ON policy_id = policies.id JOIN debits ON decision_id = decisions.id",
    );
    let [policy] = policy.as_slice() else { panic!("one policy: {policy:?}") };
    let policy: Value = serde_json::from_str(policy).expect("JSON");
    assert_eq!(
        (&policy["due_date_roll"], &policy["calendar"], &policy["business_time_zone"]),
        (&json!("following"), &json!("federal_reserve"), &json!("America/New_York"))
    );
    assert_eq!(policy["offsets"][1], json!(["2026-03-08T07:00:00Z", -14_400]));
    assert_eq!(policy["timeout_days"], 5);

    let settings = client.read("/v1/settings");
    assert_eq!(settings["business_time_zone"], "America/New_York");
    assert_eq!(settings["offsets"], policy["offsets"]);
    assert_eq!(settings["policy"]["due_date_roll"], "following");
    let holidays = settings["holidays"].as_array().expect("dates");
    assert!(
        holidays.contains(&json!("2026-01-19")) && holidays.contains(&json!("2027-07-05")),
        "{holidays:?}"
    );
    assert!(!holidays.contains(&json!("2026-07-03")), "the Friday before a Saturday's holiday");
    // The longest plan there is, 104 installments every 92 days, lasts 26 years.
    assert!(holidays.contains(&json!("2054-12-25")), "{holidays:?}");
    // Where nothing rolls there is nothing to know.
    let plain = Client::new().read("/v1/settings");
    assert_eq!((&plain["holidays"], &plain["offsets"]), (&json!([]), &json!([])));
    client.replays();
}

/// The day's run is late when the cron's is missing, and not when the zone's next date begins.
#[test]
fn a_date_that_begins_before_the_cron_makes_no_run_late() {
    let client = rolling();
    client.advance("first", ORDINARY);
    let ports = client.world.ports();
    let at = |text: &str| text.parse().expect("an instant");
    block_on(daily(&ports, at("2026-01-06T06:00:00Z"))).expect("the cron's run");
    let runs = || client.read("/v1/runs")["data"].as_array().expect("runs").len();
    for (sweep_at, expected) in [
        // In Tokyo the next date begins at 15:00, in New York at 05:00: both long before the next cron.
        ("2026-01-06T23:50:00Z", 1),
        ("2026-01-07T05:30:00Z", 1),
        ("2026-01-07T06:20:00Z", 1),
        ("2026-01-07T06:30:00Z", 2),
        ("2026-01-07T06:40:00Z", 2),
    ] {
        client.world.clock.set(at(sweep_at));
        block_on(sweep(&ports, at(sweep_at))).expect("a sweep");
        assert_eq!(runs(), expected, "{sweep_at}");
    }
    let east = Zone::new(vec![(at("1970-01-01T00:00:00Z"), 9 * 3600)]);
    let settings = Settings { zone: east, ..Settings::default() };
    let client = Client::of(World::with("2026-01-05T04:00:00Z", settings));
    client.advance("first", ORDINARY);
    let ports = client.world.ports();
    block_on(daily(&ports, at("2026-01-06T06:00:00Z"))).expect("the cron's run");
    client.world.clock.set(at("2026-01-06T15:10:00Z"));
    block_on(sweep(&ports, at("2026-01-06T15:10:00Z"))).expect("a sweep");
    assert_eq!(client.read("/v1/runs")["data"].as_array().expect("runs").len(), 1);
    client.replays();
}
