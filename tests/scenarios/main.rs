//! Stories that a business person can read: what happens day by day, and how the plan and the money stand then.
//!
//! Each `*.txt` beside this file is a story. Its first lines say what it is about; a line that begins with a date says
//! what happens on that day, before the run at six:
//!
//! | line | what happens |
//! | --- | --- |
//! | `advance 300.00 over 3 installments every 7 days`, `... with a fee of 30.00 ...` | the request; the first line of a story |
//! | `the advance is paid out`, `the advance comes back: R03` | a row of the report on the advance |
//! | `debit 1 is collected`, `debit 1 fails`, `debit 1 fails: R01` | a row of the report on a debit |
//! | `no report`, `no run` | there is none that day |
//! | `operator holds`, `operator releases`, `operator writes off`, `operator pays off` | what an operator does |
//! | `operator pauses 2 intervals`, `operator decides debit 1 success`, `... decides debit 1 failure R01` | the same |
//! | `operator records 150.00 paid elsewhere`, `operator revokes the payment` | the same |
//! | `look` | the credit as it stands after the day's run |
//!
//! Lines before the first day that begin with `setting` are settings: `setting DUE_DATE_ROLL=following`. Of the time zones
//! `America/Los_Angeles` is known, as it is in 2026.
//!
//! There is a run on each day from the one after the advance to the story's last. What follows `look` is what is
//! expected; `PAYDOWN_UPDATE=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use futures_executor::block_on;
use paydown::date::Zone;
use paydown_edge::config::Settings;
use paydown_edge::run::daily;
use paydown_tests::client::Client;
use paydown_tests::memory::World;
use paydown_tests::processor::FakeReport;
use serde_json::{Value, json};

#[test]
fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(&folder).expect("the stories");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut otherwise = Vec::new();
    for file in &files {
        let told = fs::read_to_string(file).expect("a story");
        let lived = live(&told);
        if std::env::var_os("PAYDOWN_UPDATE").is_some() {
            fs::write(file, &lived).expect("the story is written");
        } else if lived != told {
            otherwise.push(format!("{}\n{lived}", file.display()));
        }
    }
    assert!(files.len() >= 20, "{} stories", files.len());
    assert!(otherwise.is_empty(), "told otherwise than lived:\n{}", otherwise.join("\n"));
}

/// The story with what the looks really show.
fn live(told: &str) -> String {
    let happening = |line: &&str| day_of(line).is_some();
    let about: Vec<&str> = told.lines().take_while(|line| day_of(line).is_none()).collect();
    let mut days: BTreeMap<NaiveDate, Vec<&str>> = BTreeMap::new();
    for line in told.lines().filter(happening) {
        let day = day_of(line).expect("a date");
        days.entry(day).or_default().push(line.get(10..).unwrap_or_default().trim());
    }
    let (first, last) =
        (*days.keys().next().expect("a story has days"), *days.keys().last().expect("and a last"));
    let mut story = Story::begin(first, settings(&about));
    let mut lived = about.join("\n");
    lived.push('\n');
    for day in first.iter_days().take_while(|day| *day <= last) {
        let happens = days.remove(&day).unwrap_or_default();
        let mut has_run = day > first;
        story.set_clock(day, "05:00:00");
        for what in &happens {
            writeln!(lived, "{day}  {what}").expect("text");
            match *what {
                "look" => {}
                "no run" => has_run = false,
                what => story.happens(day, what),
            }
        }
        if has_run {
            story.run(day);
        }
        if happens.contains(&"look") {
            lived.push_str(&story.look());
        }
    }
    story.client.replays();
    lived
}

/// The settings that the lines about a story name.
fn settings(about: &[&str]) -> Settings {
    let named = about.iter().filter_map(|line| line.strip_prefix("setting ")?.split_once('='));
    let set: BTreeMap<&str, &str> = named.collect();
    let offsets = [
        ("2025-11-02T09:00:00Z", -8 * 3600),
        ("2026-03-08T10:00:00Z", -7 * 3600),
        ("2026-11-01T09:00:00Z", -8 * 3600),
    ];
    let los_angeles =
        || Zone::new(offsets.map(|(at, offset)| (at.parse().expect("an instant"), offset)).to_vec());
    Settings::from_variables(
        |name| set.get(name).map(|value| (*value).to_owned()),
        |name| (name == "America/Los_Angeles").then(los_angeles),
    )
    .expect("settings")
}

fn day_of(line: &str) -> Option<NaiveDate> {
    line.get(..10)?.parse().ok()
}

/// One credit and its world.
struct Story {
    client: Client,
    credit: String,
    payment: String,
    rows: Vec<String>,
    has_report: bool,
    acts: u32,
}

impl Story {
    fn begin(first: NaiveDate, settings: Settings) -> Story {
        let client = Client::of(World::with(&format!("{first}T05:00:00Z"), settings));
        let (credit, payment) = (String::new(), String::new());
        Story { client, credit, payment, rows: vec![], has_report: true, acts: 0 }
    }

    fn set_clock(&mut self, day: NaiveDate, time: &str) {
        self.client.world.clock.set(format!("{day}T{time}Z").parse().expect("an instant"));
    }

    fn happens(&mut self, day: NaiveDate, what: &str) {
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["advance", amount, "over", count, "installments", "every", days, "days"] => {
                self.advance(amount, "0.00", count, days);
            }
            [
                "advance",
                amount,
                "with",
                "a",
                "fee",
                "of",
                fee,
                "over",
                count,
                "installments",
                "every",
                days,
                "days",
            ] => {
                self.advance(amount, fee, count, days);
            }
            ["the", "advance", "is", "paid", "out"] => self.report("credit", day, "success", ""),
            ["the", "advance", "comes", "back:", code] => self.report("credit", day, "failure", code),
            ["debit", debit, "is", "collected"] => self.report(debit, day, "success", ""),
            ["debit", debit, "fails"] => self.report(debit, day, "failure", ""),
            ["debit", debit, "fails:", code] => self.report(debit, day, "failure", code),
            ["no", "report"] => self.has_report = false,
            ["operator", "holds"] => self.act("hold", json!({})),
            ["operator", "releases"] => self.act("release", json!({})),
            ["operator", "writes", "off"] => self.act("write_off", json!({})),
            ["operator", "pays", "off"] => self.act("pay_off", json!({})),
            ["operator", "pauses", intervals, "intervals"] => {
                self.act("pause", json!({ "intervals": intervals.parse::<u32>().expect("a count") }));
            }
            ["operator", "records", amount, "paid", "elsewhere"] => {
                self.act("external_payment", json!({ "amount": cents(amount), "received_on": day }));
            }
            ["operator", "revokes", "the", "payment"] => {
                let path = format!("{}/revoke", self.payment.clone());
                self.post(&path, json!({}));
            }
            ["operator", "refunds", amount] => self.act("refund", json!({ "amount": cents(amount) })),
            ["the", "refund", "arrives"] => self.report("refund", day, "success", ""),
            ["the", "refund", "fails:", code] => self.report("refund", day, "failure", code),
            ["operator", "decides", "debit", debit, status] => {
                self.decide(debit, json!({ "status": status }))
            }
            ["operator", "decides", "debit", debit, status, code] => {
                self.decide(debit, json!({ "status": status, "code": code }));
            }
            _ => panic!("a story does not go like this: {what}"),
        }
    }

    fn advance(&mut self, amount: &str, fee: &str, count: &str, days: &str) {
        let body = json!({
            "account_id": "acct_story", "amount": cents(amount), "fee": cents(fee),
            "installments": count.parse::<u32>().expect("a count"), "interval_days": days.parse::<u32>().expect("days"),
        });
        let answer = self.client.advance("story", &body.to_string()).body;
        self.credit = answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    }

    /// A row of every report from now on, which happened the evening before.
    fn report(&mut self, subject: &str, day: NaiveDate, status: &str, code: &str) {
        let detail = self.client.read(&format!("/v1/credits/{}", self.credit));
        let transaction = match subject {
            "credit" => detail["transaction_id"].clone(),
            "refund" => detail["refunds"][0]["transaction_id"].clone(),
            debit => self.debit(&detail, debit)["transaction_id"].clone(),
        };
        let transaction =
            transaction.as_str().unwrap_or_else(|| panic!("{subject} was submitted by {day}")).to_owned();
        let evening = day.pred_opt().expect("a day before");
        self.rows.push(format!("{transaction},{status},{code},{evening}T20:00:00Z"));
    }

    fn debit(&self, detail: &Value, sequence: &str) -> Value {
        let debits = detail["debits"].as_array().expect("debits");
        let sequence: u64 = sequence.parse().expect("a number");
        let found = debits.iter().find(|debit| debit["sequence"] == sequence);
        found.unwrap_or_else(|| panic!("there is a debit {sequence}")).clone()
    }

    fn decide(&mut self, debit: &str, body: Value) {
        let detail = self.client.read(&format!("/v1/credits/{}", self.credit));
        let id = self.debit(&detail, debit)["id"].as_str().expect("an id").to_owned();
        self.post(&format!("/v1/debits/{id}/decision"), body);
    }

    fn act(&mut self, act: &str, body: Value) {
        let path = format!("/v1/credits/{}/{act}", self.credit);
        self.post(&path, body);
        if act == "external_payment" {
            let detail = self.client.read(&format!("/v1/credits/{}", self.credit));
            let id = detail["external_payments"][0]["id"].as_str().expect("a payment");
            self.payment = format!("{path}/{id}");
        }
    }

    fn post(&mut self, path: &str, mut body: Value) {
        body["note"] = json!("as the story goes");
        self.acts += 1;
        let answer = self.client.operate(path, &format!("act-{}", self.acts), &body).body;
        assert!(answer["id"].is_string(), "{path}: {answer}");
    }

    fn run(&mut self, day: NaiveDate) {
        self.set_clock(day, "06:00:00");
        if std::mem::replace(&mut self.has_report, true) {
            self.client.world.processor.set_report(FakeReport::of(&self.rows));
        } else {
            self.client.world.processor.next_report_fails("no report today");
        }
        let as_of = format!("{day}T06:00:00Z").parse().expect("an instant");
        block_on(daily(&self.client.world.ports(), as_of)).expect("the run ends");
    }

    /// The credit's status and money, its plan, and what waits for a person.
    fn look(&self) -> String {
        let credit = self.client.read(&format!("/v1/credits/{}", self.credit));
        let amount = |name: &str| money(&credit[name]);
        let mut text = format!(
            "    {}: paid {}, in flight {}, scheduled {}, missing {}\n",
            credit["status"].as_str().expect("a status"),
            amount("paid"),
            amount("in_flight"),
            amount("scheduled"),
            amount("missing")
        );
        for debit in credit["debits"].as_array().expect("debits") {
            let of = |name: &str| debit[name].as_str().map(str::to_owned);
            let code = of("code").map(|code| format!(" {code}")).unwrap_or_default();
            let because = of("cancelled_because").map(|because| format!(", {because}")).unwrap_or_default();
            let reason = of("reason").expect("a reason");
            let made = match debit["replaces"].as_u64() {
                Some(replaced) => format!(", {reason} {replaced}"),
                None if reason == "planned" => String::new(),
                None => format!(", {reason}"),
            };
            let (due, status) = (of("due_date").expect("a date"), of("status").expect("a status"));
            let (sequence, amount) = (debit["sequence"].as_u64().expect("a number"), money(&debit["amount"]));
            writeln!(text, "    {sequence:>3}  {due}  {amount:>9}  {status}{code}{because}{made}")
                .expect("text");
        }
        for refund in credit["refunds"].as_array().expect("refunds") {
            let (amount, status) = (money(&refund["amount"]), refund["status"].as_str().expect("a status"));
            writeln!(text, "    refund of {amount}, {status}").expect("text");
        }
        let open = self.client.read("/v1/exceptions?status=open")["data"].clone();
        let open = open.as_array().expect("exceptions").iter();
        let mut kinds: Vec<&str> =
            open.map(|exception| exception["kind"].as_str().expect("a kind")).collect();
        kinds.sort_unstable();
        kinds.iter().for_each(|kind| writeln!(text, "    open: {kind}").expect("text"));
        text
    }
}

fn cents(text: &str) -> u64 {
    text.replace('.', "").parse().unwrap_or_else(|_| panic!("{text} is an amount with two decimals"))
}

fn money(value: &Value) -> String {
    let minor = value.as_i64().expect("minor units");
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100)
}
