//! `cargo xtask demo`: a book that has lived sixteen weeks, on the real runtime, and then keeps being served.
//!
//! 1. Start the Worker and the bank simulator.
//! 2. Unless the state is a world that is complete: pay the advances out, and live each day through the cron.
//! 3. Show the credits by status, the open exceptions, the ledger equation, the address and the key.
//! 4. Serve.

use crate::client::Client;
use crate::incidents::{self, Scene};
use crate::serve::{self, LOCAL_KEY, LOCAL_TOKEN, Options, World};
use crate::step::{self, Result, Stop};
use chrono::{DateTime, Days, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

const WEEKS: u64 = 16;
const ADVANCES: u64 = 336;

/// The daily run's cron, as a query has it.
const DAILY: &str = "0+6+*+*+*";

/// The markers of the simulator, some of them combined. One advance in three has one of these, in turn; the others
/// go as the bank's seed has it.
const MARKERS: &str = "ok nsf1 nsf2 nsf3 closed revoked fail silent late7 return3 refuse flaky dup nsf2_flaky \
                       badcredit badsilent badlate badreturn badrefuse ok_flaky_dup";

/// The account whose calls the bank does not answer. There is one of them: each of its calls takes ten seconds.
const SILENCED: (u64, &str) = (1, "ok_drop");

/// `cargo xtask demo`
pub fn demo(options: Options) -> Result<()> {
    let setup = serve::ready(&options)?;
    let complete = options.state.join("complete");
    let begun = options.state.join("begun");
    // A world that broke off half-way has no day to go on from: it begins again.
    let fresh = options.fresh || (begun.exists() && !complete.exists());
    let options = Options { fresh, ..options };
    let mut world = World::start(&setup, &options)?;
    let clients = Clients::new(&options);
    if !complete.exists() {
        fs::write(&begun, "")?;
        clients.live(&world)?;
        fs::write(&complete, "")?;
    }
    clients.show()?;
    println!("dashboard  {}", options.address());
    println!("login key  {LOCAL_KEY}");
    println!("ready {}", options.address());
    world.until_stopped()
}

struct Clients {
    worker: Client,
    bank: Client,
}

impl Clients {
    fn new(options: &Options) -> Clients {
        // A day of the demo is one run over all its credits.
        let patience = Duration::from_secs(300);
        Clients {
            worker: Client::new(&options.address(), LOCAL_KEY, patience),
            bank: Client::new(&options.bank_address(), LOCAL_TOKEN, patience),
        }
    }

    /// Pays advances out, and lives day by day through the real cron handler.
    fn live(&self, world: &World) -> Result<()> {
        let started = step::now();
        let silenced = account(SILENCED.0);
        let scene = Scene { worker: &self.worker, bank: &self.bank, silenced: &silenced };
        let today = self.today()?;
        let mut paid_out = 0;
        for day in 0..WEEKS * 7 {
            if world.stopped() {
                return Err(Stop("stopped; the next `cargo xtask demo` begins this world again".into()));
            }
            let morning = morning(today, day + 1)?;
            let now = morning.to_rfc3339_opts(SecondsFormat::Secs, true);
            self.bank.post("/clock", None, &json!({ "now": now }))?.json("POST /clock")?;
            if day != incidents::MISSED_DAY {
                self.run(morning)?;
            }
            scene.befall(day, morning)?;
            while paid_out < ADVANCES && due(paid_out) == day {
                self.pay_out(paid_out)?;
                paid_out += 1;
            }
            if day % 7 == 6 {
                let (week, seconds) = (day / 7 + 1, started.elapsed().as_secs());
                eprintln!("  … week {week} of {WEEKS}: {paid_out} advances paid out ({seconds} s)");
            }
        }
        Ok(())
    }

    /// The day before the world's first.
    fn today(&self) -> Result<DateTime<Utc>> {
        let clock = self.bank.get("/clock")?.json("GET /clock")?;
        let now = clock.get("now").and_then(Value::as_str).unwrap_or_default();
        now.parse().map_err(|_| Stop(format!("the bank's clock says {clock}")))
    }

    fn run(&self, as_of: DateTime<Utc>) -> Result<()> {
        let path = format!("/cdn-cgi/handler/scheduled?cron={DAILY}&time={}", as_of.timestamp_millis());
        let answer = self.worker.get(&path)?;
        if answer.status == 200 {
            return Ok(());
        }
        Err(Stop(format!("the daily run of {as_of} was answered {}: {}", answer.status, answer.text)))
    }

    /// Pays one advance out. A refusal is an outcome too: some markers mean it.
    fn pay_out(&self, number: u64) -> Result<()> {
        let body = json!({
            "account_id": account(number),
            "amount": 20_000 + number % 17 * 12_500 + number % 7 * 133,
            "fee": number % 5 * 500,
            "installments": 4 + number % 9,
            "interval_days": 7,
        });
        let answer = self.worker.post("/v1/perform_advance", Some(&format!("demo-{number}")), &body)?;
        match answer.status {
            201 | 202 => Ok(()),
            422 if answer.text.contains("\"refused\"") => Ok(()),
            other => Err(Stop(format!("the advance {body} was answered {other}: {}", answer.text))),
        }
    }

    /// The credits by status, the open exceptions by kind, and the equation that the book must satisfy.
    fn show(&self) -> Result<()> {
        println!("\n{:<12} {:>7} {:>15} {:>15}", "credits", "count", "total", "paid");
        let mut all = Sums::default();
        let credits = self.credits()?;
        for (status, sums) in by_status(&credits) {
            println!("{status:<12} {:>7} {:>15} {:>15}", sums.count, money(sums.total), money(sums.paid));
            all.add(sums.count, sums.total, sums.paid);
        }
        println!("{:<12} {:>7} {:>15} {:>15}\n", "", all.count, money(all.total), money(all.paid));
        for (kind, count) in self.open_exceptions()? {
            println!("{count:>5} open  {kind}");
        }
        println!();
        let summary = self.worker.get("/v1/summary")?.json("GET /v1/summary")?;
        println!("{}\n", equation(summary.get("totals").unwrap_or(&Value::Null)));
        let sound = credits.iter().filter(|credit| satisfies_l10(credit)).count();
        println!("L10 holds for {sound} of {} credits\n", credits.len());
        Ok(())
    }

    fn credits(&self) -> Result<Vec<Value>> {
        self.all("/v1/credits?limit=200")
    }

    fn open_exceptions(&self) -> Result<BTreeMap<String, u64>> {
        let mut kinds = BTreeMap::new();
        for exception in self.all("/v1/exceptions?status=open&limit=200")? {
            let kind = exception.get("kind").and_then(Value::as_str).unwrap_or("?").to_owned();
            *kinds.entry(kind).or_insert(0) += 1;
        }
        Ok(kinds)
    }

    /// All pages of a list.
    fn all(&self, path: &str) -> Result<Vec<Value>> {
        let (mut rows, mut cursor) = (vec![], String::new());
        loop {
            let page = self.worker.get(&format!("{path}{cursor}"))?.json(path)?;
            rows.extend(page.get("data").and_then(Value::as_array).into_iter().flatten().cloned());
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
    }
}

fn by_status(credits: &[Value]) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for credit in credits {
        let status = credit.get("status").and_then(Value::as_str).unwrap_or("?").to_owned();
        sums.entry(status).or_default().add(1, of(credit, "amount") + of(credit, "fee"), of(credit, "paid"));
    }
    sums
}

fn of(credit: &Value, name: &str) -> u64 {
    credit.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// What L10 asks of a credit: what is paid, in flight and scheduled is the total, or more and nothing is scheduled.
fn satisfies_l10(credit: &Value) -> bool {
    let status = credit.get("status").and_then(Value::as_str).unwrap_or_default();
    if !["active", "repaid"].contains(&status) {
        return true;
    }
    let total = of(credit, "amount") + of(credit, "fee");
    let held = of(credit, "paid") + of(credit, "in_flight") + of(credit, "scheduled");
    held == total || (held > total && of(credit, "scheduled") == 0)
}

/// The ledger equation over all planned credits that did not fail, and whether it holds.
fn equation(totals: &Value) -> String {
    let of = |name: &&str| totals.get(*name).and_then(Value::as_u64).unwrap_or(0);
    let left = ["total", "excess"];
    let right = ["paid", "in_flight", "scheduled", "written_off", "waiting"];
    let side = |names: &[&str]| -> String {
        let terms: Vec<String> = names.iter().map(|name| format!("{name} {}", money(of(name)))).collect();
        terms.join(" + ")
    };
    let holds = left.iter().map(of).sum::<u64>() == right.iter().map(of).sum::<u64>();
    format!(
        "ledger   {}\n       = {}\n         {}",
        side(&left),
        side(&right),
        if holds { "it holds" } else { "BROKEN" }
    )
}

/// What the credits of one status come to.
#[derive(Default)]
struct Sums {
    count: u64,
    total: u64,
    paid: u64,
}

impl Sums {
    fn add(&mut self, count: u64, total: u64, paid: u64) {
        self.count += count;
        self.total += total;
        self.paid += paid;
    }
}

/// Half of the advances go out on the first day, the others day by day up to the last one, on which some are pending.
fn due(number: u64) -> u64 {
    let half = ADVANCES / 2;
    if number < half { 0 } else { 1 + (number - half) * (WEEKS * 7 - 1) / (ADVANCES - half) }
}

fn account(number: u64) -> String {
    if number == SILENCED.0 {
        return format!("demo_{number:03}_{}", SILENCED.1);
    }
    let mut in_turn = MARKERS.split_whitespace().cycle().skip((number / 3) as usize);
    match in_turn.next() {
        Some(marker) if number.is_multiple_of(3) => format!("demo_{number:03}_{marker}"),
        Some(_) | None => format!("demo_{number:03}"),
    }
}

fn morning(today: DateTime<Utc>, days: u64) -> Result<DateTime<Utc>> {
    let date = today.date_naive().checked_add_days(Days::new(days));
    let six = date.and_then(|date| date.and_hms_opt(6, 0, 0));
    six.map(|six| six.and_utc()).ok_or_else(|| Stop("the calendar ends".into()))
}

/// Minor units with two places, for reading.
fn money(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::{ADVANCES, MARKERS, SILENCED, WEEKS, account, due, equation, satisfies_l10};
    use serde_json::json;

    #[test]
    fn every_marker_is_paid_out_and_all_in_time() {
        let accounts: Vec<String> = (0..ADVANCES).map(account).collect();
        for marker in MARKERS.split_whitespace().chain([SILENCED.1]) {
            assert!(accounts.iter().any(|account| account.ends_with(&format!("_{marker}"))), "{marker}");
        }
        const { assert!(ADVANCES >= 300) };
        assert!((1..ADVANCES).all(|number| due(number - 1) <= due(number)));
        assert_eq!(due(ADVANCES - 1), WEEKS * 7 - 1);
    }

    #[test]
    fn the_equation_is_added_up() {
        let totals = json!({ "total": 1000, "excess": 50, "paid": 800, "in_flight": 100, "scheduled": 150 });
        assert!(equation(&totals).ends_with("it holds"));
        let totals = json!({ "total": 1000, "paid": 999 });
        assert!(equation(&totals).ends_with("BROKEN"));
    }

    #[test]
    fn what_is_missing_or_too_much_breaks_l10() {
        let credit = |status: &str, paid: u64, scheduled: u64| json!({ "status": status, "amount": 90, "fee": 10, "paid": paid, "in_flight": 0, "scheduled": scheduled });
        assert!(satisfies_l10(&credit("active", 40, 60)));
        assert!(!satisfies_l10(&credit("active", 40, 50)));
        assert!(satisfies_l10(&credit("repaid", 120, 0)));
        assert!(!satisfies_l10(&credit("repaid", 120, 10)));
        assert!(satisfies_l10(&credit("held", 40, 50)));
    }
}
