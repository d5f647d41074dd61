//! What befalls the demo's book besides the markers in its accounts: the cases that need a hand, or terms of
//! their own. Each leaves an exception open, or the trace of one.

use crate::client::Client;
use crate::step::{Result, Stop};
use chrono::{DateTime, Days, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The day without a run: nobody was there, and the next run covers it.
pub const MISSED_DAY: u64 = 95;

/// What happens on a day, once its run is over.
enum Incident {
    /// An operator holds the credit of an account whose debit the bank has not answered: it is not asked again.
    Silence,
    /// An operator lets the first credit go on that a hard return holds.
    Release,
    /// The only installment fails until no presentment is left.
    Exhausted,
    /// The only installment times out and is collected all the same, after its replacement left: it is paid twice.
    PaidTwice,
    /// The bank says that an advance failed, and a day later that it arrived.
    Contradiction,
    /// Somebody else's transaction stands in the report.
    Stranger,
    /// An operator gives up the oldest credit that is held.
    WriteOff,
    /// The customer of an active credit pays a part by cheque.
    Cheque,
    /// An operator holds an active credit.
    Dispute,
}

const INCIDENTS: [(u64, Incident); 9] = [
    (7, Incident::Silence),
    (56, Incident::Release),
    (70, Incident::Exhausted),
    (80, Incident::PaidTwice),
    (84, Incident::Contradiction),
    (90, Incident::WriteOff),
    (98, Incident::Cheque),
    (100, Incident::Stranger),
    (105, Incident::Dispute),
];

/// The two servers of the demo, and the account that the bank does not answer.
pub struct Scene<'a> {
    pub worker: &'a Client,
    pub bank: &'a Client,
    pub silenced: &'a str,
}

impl Scene<'_> {
    /// What happens on this day, whose run was at `now`.
    pub fn befall(&self, day: u64, now: DateTime<Utc>) -> Result<()> {
        for (_, incident) in INCIDENTS.iter().filter(|(on, _)| *on == day) {
            match incident {
                Incident::Silence => self.hold(
                    &format!("/v1/credits?account_id={}", self.silenced),
                    "the bank does not answer for this account",
                )?,
                Incident::Release => self.release()?,
                Incident::Exhausted => drop(self.pay_out("demo_exhausted_nsf3", 7)?),
                Incident::PaidTwice => drop(self.pay_out("demo_paid_twice_late7", 1)?),
                Incident::Contradiction => self.contradict(now)?,
                Incident::Stranger => self.stranger()?,
                Incident::WriteOff => self.write_off()?,
                Incident::Cheque => self.cheque(now)?,
                Incident::Dispute => {
                    self.hold("/v1/credits?status=active&limit=1", "the customer disputes the amount")?;
                }
            }
        }
        Ok(())
    }

    fn hold(&self, which: &str, note: &str) -> Result<()> {
        let Some(credit) = self.first(which)? else { return Ok(()) };
        let id = text(&credit, "id");
        self.act(&format!("/v1/credits/{id}/hold"), &format!("demo-hold-{id}"), &json!({ "note": note }))
    }

    fn write_off(&self) -> Result<()> {
        let Some(credit) = self.first("/v1/credits?status=held&sort=created_at&limit=1")? else {
            return Ok(());
        };
        let id = text(&credit, "id");
        let note = json!({ "note": "the customer cannot be found" });
        self.act(&format!("/v1/credits/{id}/write_off"), &format!("demo-write-off-{id}"), &note)
    }

    fn cheque(&self, now: DateTime<Utc>) -> Result<()> {
        let Some(credit) = self.first("/v1/credits?status=active&limit=1")? else { return Ok(()) };
        let id = text(&credit, "id");
        let body = json!({ "amount": 5_000, "received_on": now.date_naive(), "note": "by cheque 1021" });
        self.act(&format!("/v1/credits/{id}/external_payment"), &format!("demo-cheque-{id}"), &body)
    }

    fn release(&self) -> Result<()> {
        let Some(exception) = self.first("/v1/exceptions?status=open&kind=hard_return&limit=1")? else {
            return Ok(());
        };
        let id = text(&exception, "id");
        let body =
            json!({ "action": "release", "note": "the customer's bank confirmed that the account is open" });
        self.act(&format!("/v1/exceptions/{id}/resolution"), &format!("demo-release-{id}"), &body)
    }

    /// An advance that comes back in one installment.
    fn pay_out(&self, account: &str, interval_days: u32) -> Result<Value> {
        let body = json!({
            "account_id": account, "amount": 45_000, "fee": 500, "installments": 1, "interval_days": interval_days,
        });
        let path = "/v1/perform_advance";
        self.worker.post(path, Some(&format!("demo-{account}")), &body)?.json(path)
    }

    fn contradict(&self, now: DateTime<Utc>) -> Result<()> {
        let credit = self.pay_out("demo_contradiction", 7)?;
        let path = format!("/transactions/{}/outcome", text(&credit, "transaction_id"));
        for (days, status, code) in [(1, "failure", "R03"), (2, "success", "")] {
            let at = now.checked_add_days(Days::new(days)).unwrap_or(now);
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            self.bank.post(&path, None, &json!({ "status": status, "code": code, "at": at }))?.json(&path)?;
        }
        Ok(())
    }

    fn stranger(&self) -> Result<()> {
        let body = json!({
            "src_bank_account": "somebody_else_ok", "dst_bank_account": "paydown_funding", "amount": 12_345,
            "direction": "debit", "reference": "not-ours",
        });
        let path = "/transactions";
        self.bank.post(path, Some("not-ours"), &body)?.json(path).map(drop)
    }

    /// The first of a list.
    fn first(&self, path: &str) -> Result<Option<Value>> {
        let page = self.worker.get(path)?.json(path)?;
        Ok(page.pointer("/data/0").cloned())
    }

    fn act(&self, path: &str, key: &str, body: &Value) -> Result<()> {
        let answer = self.worker.post(path, Some(key), body)?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        Err(Stop(format!("{path} was answered {}: {}", answer.status, answer.text)))
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
