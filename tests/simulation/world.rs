//! A world: clients, operators, crons and a bank, day after day, over the very code of the Worker.
//!
//! A day, in order: what moves by night; clients and operators; the queue; the cron at 06:00; the sweeper; clients
//! and operators again; the queue; the checks. After the last day with troubles come calm ones, until all is paid.

mod operators;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::TimeDelta;
use paydown::api::Scope;
use paydown::date::Instant;
use paydown::policy::Policy;
use paydown_edge::config::Budget;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::http::router;
use paydown_edge::ledger::keys::{NewKey, add};
use paydown_edge::message::{Message, Verdict};
use paydown_edge::ports::Ports;
use paydown_edge::run::{Opened, daily, deliver, sweep};
use paydown_tests::memory::{MemoryArchive, MemoryOutbox, SetClock};
use paydown_tests::sqlite::Sqlite;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::bank::{self, Bank};
use crate::checks::Checks;
use crate::config::{Config, Trouble};
use crate::ports::{FrailArchive, FrailDatabase};
use crate::scene::{Drive, Scene, drive};

/// The key of all clients and operators.
const KEY: &str = "pd_simulation";

/// A world that does not come to rest in so many days is stuck.
const MOST_CALM_DAYS: i64 = 1500;

/// How many days lie between two runs of the calm time: one debit leaves a credit on each.
const CALM_STRIDE_DAYS: i64 = 3;

/// How the life of a world ended.
pub struct Life {
    /// What went against the law, and on which day.
    pub wrong: Option<(u64, String)>,
    pub story: Vec<String>,
    pub figures: BTreeMap<&'static str, u64>,
}

/// Lives through a world.
pub fn live(config: Config) -> Life {
    let scene = Arc::new(Scene::new(config));
    let shared = scene.clone();
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut world = World::new(shared);
        world.live().err().map(|wrong| (world.day, wrong))
    }));
    let wrong = lived.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Some((scene.config.days, format!("panic: {}", said.unwrap_or_default())))
    });
    Life { wrong, story: scene.story(), figures: scene.figures() }
}

struct World {
    scene: Arc<Scene>,
    sqlite: Arc<Sqlite>,
    bank: Arc<Bank>,
    outbox: Arc<MemoryOutbox>,
    clock: Arc<SetClock>,
    ports: Ports,
    router: Router,
    checks: Checks,
    now: Instant,
    day: u64,
    wants: Vec<Want>,
    mail: Vec<Letter>,
    starts_on: Option<u64>,
    run_polls: u64,
}

/// An advance that a client wants.
struct Want {
    label: String,
    body: String,
    from_day: u64,
    is_afternoon: bool,
    state: Wanted,
    credit_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Asking,
    /// It was answered: whatever was promised must hold.
    Promised,
    /// Refused for good before anything was recorded.
    Refused,
    GivenUp,
}

/// A message of the queue.
struct Letter {
    body: String,
    from_day: u64,
}

/// What is done to the product.
#[derive(Clone)]
enum Deed {
    Run(Instant),
    Sweep(Instant),
    Post { path: String, key: Option<String>, body: String },
    Deliver(Vec<String>),
}

/// What became of it.
#[derive(Debug)]
enum Came {
    Run(Result<Opened, Fault>),
    Swept(Result<(), Fault>),
    Answer(u16, Value),
    Delivered(Vec<Verdict>),
}

/// How often a run is handed on before the day goes on without it.
const MOST_HANDS: usize = 10_000;

impl World {
    fn new(scene: Arc<Scene>) -> World {
        let (sqlite, archive) = (Arc::new(Sqlite::new()), Arc::new(MemoryArchive::default()));
        let bank = Arc::new(Bank::new(scene.clone(), sqlite.clone()));
        let (outbox, clock) =
            (Arc::new(MemoryOutbox::default()), Arc::new(SetClock::at(scene.config.begins)));
        let (statements, (part_credits, part_bytes)) = (scene.config.statements, scene.config.parts);
        let default = Budget::default();
        // Where parts are small, slices are smaller.
        let slice_credits = part_credits.div_ceil(3).min(default.slice_credits);
        let budget = Budget { statements, part_credits, slice_credits, part_bytes, ..default };
        let policy = Policy {
            due_date_roll: scene.config.due_date_roll,
            key_days: scene.config.key_days,
            two_strikes: scene.config.two_strikes,
            ..Policy::default()
        };
        let zone = scene.config.zone.clone();
        let settings = Settings { intake: scene.config.intake, budget, policy, zone, ..Settings::default() };
        let ports = Ports {
            database: Arc::new(FrailDatabase { sqlite: sqlite.clone(), scene: scene.clone() }),
            processor: bank.clone(),
            archive: Arc::new(FrailArchive { archive: archive.clone(), scene: scene.clone() }),
            outbox: outbox.clone(),
            courier: Arc::<paydown_tests::courier::FakeCourier>::default(),
            limiter: Arc::<paydown_tests::memory::Allowance>::default(),
            clock: clock.clone(),
            settings: Arc::new(settings),
        };
        let now = scene.config.begins.parse().expect("an instant");
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, KEY.as_bytes());
        let new = NewKey { id, key: KEY, label: "op", scopes: &Scope::ALL, created_at: now };
        futures_executor::block_on(add(&*sqlite, &new)).expect("the key is added");
        let wants = (0..scene.config.credits).map(|number| want(&scene, &bank, number)).collect();
        let checks = Checks::new(scene.clone(), sqlite.clone(), archive, bank.clone());
        World {
            router: router(ports.clone()),
            scene,
            sqlite,
            bank,
            outbox,
            clock,
            ports,
            checks,
            now,
            day: 0,
            wants,
            mail: vec![],
            starts_on: None,
            run_polls: 60,
        }
    }

    fn live(&mut self) -> Result<(), String> {
        for day in 0..self.scene.config.days {
            self.day = day;
            self.live_day()?;
        }
        self.day = self.scene.config.days;
        self.rest()
    }

    fn live_day(&mut self) -> Result<(), String> {
        let midnight = self.begins() + TimeDelta::days(i64::try_from(self.day).expect("days"));
        self.scene.tell(format!("{}", midnight.date_naive()));
        self.scene.count("days", 1);
        self.set(midnight + TimeDelta::hours(1));
        self.people(false)?;
        self.mornings_run(midnight)?;
        self.set(midnight + TimeDelta::hours(14));
        self.people(true)?;
        if self.rolls(Trouble::SecondRun, "") {
            self.act("a run now", Deed::post("/v1/runs", None, json!({})))?;
            self.post_office()?;
        }
        self.set(midnight + TimeDelta::hours(22));
        self.evenings_sweep()?;
        self.checks.day()
    }

    fn begins(&self) -> Instant {
        self.scene.config.begins.parse().expect("an instant")
    }

    /// Moves the time on; never back.
    fn set(&mut self, at: Instant) {
        self.now = at.max(self.now + TimeDelta::milliseconds(1));
        self.clock.set(self.now);
        self.bank.wake(self.now);
    }

    fn rolls(&self, trouble: Trouble, cause: &str) -> bool {
        self.scene.has(trouble, &format!("day {} {cause}", self.day))
    }

    // --- the cron and the sweeper ---

    fn mornings_run(&mut self, midnight: Instant) -> Result<(), String> {
        let as_of = midnight + TimeDelta::hours(6);
        // A silence of days begins on one of the last six.
        let silent = (0..6_u64).any(|back| {
            self.day >= back && self.scene.has(Trouble::LongSilence, &format!("day {}", self.day - back))
        });
        if silent {
            self.scene.tell("  no cron fires today");
            return Ok(());
        }
        let step = self.scene.dice.of("clock").of(self.day).between(1, 180);
        let step = if self.rolls(Trouble::ClockStep, "") { step } else { 0 };
        self.set(as_of + TimeDelta::minutes(i64::try_from(step).expect("minutes")));
        if !self.rolls(Trouble::MissedCron, "") {
            self.run(as_of)?;
            if self.rolls(Trouble::DoubledCron, "") {
                self.run(as_of)?;
            }
        }
        for minutes in [20, 40, 360] {
            self.set(as_of + TimeDelta::minutes(minutes));
            if self.scene.is_calm() || self.scene.dice.of("sweeps").of(self.day).of(minutes).chance(600) {
                self.act("sweep", Deed::Sweep(self.now))?;
            }
        }
        Ok(())
    }

    /// The last sweep of a day: when it ends by itself no run is left behind, but for one that a message goes on with.
    fn evenings_sweep(&mut self) -> Result<(), String> {
        let came = self.perform(vec![("sweep".to_owned(), Deed::Sweep(self.now))])?;
        self.collect();
        let goes_on = self.mail.iter().any(|letter| letter.body.contains("\"run\""));
        match self.checks.left_open() {
            Some(as_of) if !goes_on && matches!(came[..], [Some(Came::Swept(Ok(())))]) => {
                Err(format!("the sweeper leaves the run of {as_of} behind"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A run, alone or at once with something else.
    fn run(&mut self, as_of: Instant) -> Result<(), String> {
        let mut deeds = vec![("run".to_owned(), Deed::Run(as_of))];
        if self.rolls(Trouble::Interleaved, "run") {
            let dice = self.scene.dice.of("beside").of(self.day);
            let left = self.checks.left_open().and_then(|left| left.parse().ok());
            deeds.push(match dice.below(5) {
                _ if let Some(left) = left => ("the run before".to_owned(), Deed::Run(left)),
                0 => ("the same run".to_owned(), Deed::Run(as_of)),
                1 => ("sweep beside it".to_owned(), Deed::Sweep(self.now)),
                2 => ("the queue beside it".to_owned(), Deed::Deliver(self.due_letters())),
                3 => {
                    let (name, deed) = self.any_act(dice);
                    (format!("{name} beside it"), deed)
                }
                _ => ("a stop beside it".to_owned(), Deed::post("/v1/stop", None, json!({ "note": "wait" }))),
            });
        }
        let is_alone = deeds.len() == 1;
        let came = self.perform(deeds)?;
        let has_ended = matches!(came.first(), Some(Some(Came::Run(Ok(Opened::Open(_))))));
        if !has_ended || !is_alone {
            return Ok(());
        }
        // What it handed on goes on now, unless that message is late or the processor is to be waited for.
        for _ in 0..MOST_HANDS {
            if self.checks.is_closed(as_of) {
                return self.checks.after_run(as_of);
            }
            self.collect();
            let is_run = |letter: &Letter| letter.body.contains("\"run\"") && letter.from_day <= self.day;
            let Some(place) = self.mail.iter().position(is_run) else { return Ok(()) };
            let letter = self.mail.remove(place);
            self.act("the run goes on", Deed::Deliver(vec![letter.body]))?;
        }
        Ok(())
    }

    // --- people ---

    fn people(&mut self, is_afternoon: bool) -> Result<(), String> {
        for place in 0..self.wants.len() {
            self.client(place, is_afternoon)?;
        }
        self.post_office()?;
        let part = if is_afternoon { "afternoon" } else { "morning" };
        self.operators(part)?;
        if self.starts_on.is_some_and(|day| day <= self.day) {
            self.act("operator starts", Deed::post("/v1/start", None, json!({ "note": "go" })))?;
        } else if self.starts_on.is_none() && self.rolls(Trouble::Stop, part) {
            self.act("operator stops", Deed::post("/v1/stop", None, json!({ "note": "wait" })))?;
        }
        Ok(())
    }

    fn client(&mut self, place: usize, is_afternoon: bool) -> Result<(), String> {
        let want = &self.wants[place];
        let is_first = want.from_day == self.day && want.is_afternoon == is_afternoon;
        let is_late = want.from_day < self.day;
        let part = format!("{} {is_afternoon}", want.label);
        let asks = match want.state {
            Wanted::Asking => is_first || is_late,
            Wanted::Promised => {
                is_late && self.day < want.from_day + 4 && self.rolls(Trouble::RepeatedRequest, &part)
            }
            Wanted::Refused | Wanted::GivenUp => false,
        };
        if !asks {
            return Ok(());
        }
        let deed = Deed::post(
            "/v1/perform_advance",
            Some(want.label.clone()),
            serde_json::from_str(&want.body).expect("JSON"),
        );
        let name = format!("advance {}", want.label);
        let mut deeds = vec![(name.clone(), deed.clone())];
        if self.rolls(Trouble::Interleaved, &part) {
            deeds.push((format!("{name} again"), deed));
        }
        for came in self.perform(deeds)? {
            self.client_hears(place, came)?;
        }
        if self.wants[place].state == Wanted::Asking && self.rolls(Trouble::GivenUp, &part) {
            self.scene.tell(format!("  the client of {} gives up", self.wants[place].label));
            self.wants[place].state = Wanted::GivenUp;
        }
        Ok(())
    }

    fn client_hears(&mut self, place: usize, came: Option<Came>) -> Result<(), String> {
        let want = &mut self.wants[place];
        let Some(Came::Answer(status, body)) = came else { return Ok(()) };
        let id = body["id"].as_str().or(body["credit_id"].as_str()).map(str::to_owned);
        match (status, body["code"].as_str()) {
            (201 | 202, _) | (422, Some("refused")) => {
                if want.credit_id.is_some() && want.credit_id != id {
                    return Err(format!("{} is two credits to its client", want.label));
                }
                want.credit_id = id;
                want.state = Wanted::Promised;
                Ok(())
            }
            (422, Some("account_held")) if matches!(want.state, Wanted::Asking | Wanted::Refused) => {
                want.state = Wanted::Refused;
                Ok(())
            }
            (422, Some("stopped")) if want.state == Wanted::Asking => Ok(()),
            (503 | 500 | 409, _) => Ok(()),
            _ => Err(format!("the client of {} hears {status} {body}", want.label)),
        }
    }

    // --- the queue ---

    fn due_letters(&mut self) -> Vec<String> {
        self.collect();
        let day = self.day;
        let (due, later): (Vec<Letter>, Vec<Letter>) =
            std::mem::take(&mut self.mail).into_iter().partition(|letter| letter.from_day <= day);
        self.mail = later;
        due.into_iter().map(|letter| letter.body).collect()
    }

    /// Takes over what was sent: some of it comes twice, some late.
    fn collect(&mut self) {
        for message in self.outbox.take() {
            let body = serde_json::to_string(&message).expect("JSON");
            let cause = match &message {
                Message::Record { intent, .. } => format!("{} {}", intent.idempotency_key, self.now),
                Message::Submit { .. } | Message::Run { .. } | Message::Webhooks { .. } => {
                    self.now.to_string()
                }
            };
            let late = if self.scene.has(Trouble::Message, &format!("{cause} late")) { 1 } else { 0 };
            if self.scene.has(Trouble::Message, &format!("{cause} doubled")) {
                self.mail.push(Letter { body: body.clone(), from_day: self.day });
            }
            self.mail.push(Letter { body, from_day: self.day + late });
        }
    }

    fn post_office(&mut self) -> Result<(), String> {
        let letters = self.due_letters();
        if letters.is_empty() {
            return Ok(());
        }
        self.act("the queue delivers", Deed::Deliver(letters))
    }

    // --- doing it ---

    fn act(&mut self, name: &str, deed: Deed) -> Result<(), String> {
        self.perform(vec![(name.to_owned(), deed)]).map(|_| ())
    }

    /// Does all of it at once, and some of it not to its end.
    fn perform(&mut self, deeds: Vec<(String, Deed)>) -> Result<Vec<Option<Came>>, String> {
        self.set(self.now);
        let names: Vec<&str> = deeds.iter().map(|(name, _)| name.as_str()).collect();
        let cause = format!("{} {}", names.join(" and "), self.now);
        self.scene.begin(&cause);
        self.scene.tell(format!("  {} {}", self.now.format("%H:%M"), names.join(" and ")));
        let dice = self.scene.dice.of("drive").of(&cause);
        let drives = deeds.iter().enumerate().map(|(place, (name, deed))| {
            let crashes = self.scene.has(Trouble::Crash, &format!("{cause} {place}"));
            let bound = if name.contains("run") || name.contains("sweep") { self.run_polls } else { 12 };
            let crashes_after = crashes.then(|| dice.of("crash").of(place).below(bound + 2));
            Drive { future: self.future(deed.clone()), crashes_after }
        });
        let ends = drive(drives.collect(), dice);
        let mut came = Vec::new();
        for ((name, deed), (end, polls)) in deeds.into_iter().zip(ends) {
            self.scene.tell(match &end {
                None => format!("    {name}: crashed after {polls} steps"),
                Some(end) => format!("    {name}: {}", in_short(end)),
            });
            self.settle(&deed, &end, polls);
            came.push(end);
        }
        let stopped = self.sqlite.query("SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1");
        let is_stopped = stopped.first().is_some_and(|action| action == "stop");
        self.bank.set_stopped(is_stopped);
        if is_stopped && self.starts_on.is_none() {
            self.starts_on = Some(self.day + self.scene.dice.of("start").of(self.day).between(1, 3));
        } else if !is_stopped {
            self.starts_on = None;
        }
        let wrongs = self.bank.wrongs();
        if wrongs.is_empty() { Ok(came) } else { Err(wrongs.join("; ")) }
    }

    /// What a deed leaves behind for the world itself: messages that come again, and how long a run is.
    fn settle(&mut self, deed: &Deed, end: &Option<Came>, polls: u64) {
        if let (Deed::Run(_), Some(Came::Run(Ok(Opened::Open(_))))) = (deed, end) {
            self.run_polls = polls.max(20);
        }
        let Deed::Deliver(letters) = deed else { return };
        for (place, body) in letters.iter().enumerate() {
            let is_done = match end {
                Some(Came::Delivered(verdicts)) => verdicts.get(place) == Some(&Verdict::Done),
                _ => false,
            };
            if !is_done {
                self.mail.push(Letter { body: body.clone(), from_day: self.day });
            }
        }
    }

    fn future(&self, deed: Deed) -> Pin<Box<dyn Future<Output = Came>>> {
        let (ports, router) = (self.ports.clone(), self.router.clone());
        match deed {
            Deed::Run(as_of) => Box::pin(async move { Came::Run(daily(&ports, as_of).await) }),
            Deed::Sweep(at) => Box::pin(async move { Came::Swept(sweep(&ports, at).await) }),
            Deed::Deliver(bodies) => {
                Box::pin(async move { Came::Delivered(deliver(&ports, "paydown-runs", &bodies).await) })
            }
            Deed::Post { path, key, body } => Box::pin(async move {
                let mut request = Request::post(path)
                    .header("authorization", format!("Bearer {KEY}"))
                    .header("content-type", "application/json");
                if let Some(key) = key {
                    request = request.header("idempotency-key", key);
                }
                let request = request.body(Body::from(body)).expect("a request");
                let response = router.oneshot(request).await.expect("a router never fails");
                let status = response.status().as_u16();
                let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
                Came::Answer(status, serde_json::from_slice(&bytes).unwrap_or_default())
            }),
        }
    }

    // --- the calm after it ---

    /// Nothing goes wrong any more, and operators release what is held: all comes to its end.
    fn rest(&mut self) -> Result<(), String> {
        self.scene.calm_down();
        self.bank.calm_down(self.now);
        let last_day = self.now + TimeDelta::days(MOST_CALM_DAYS);
        let mut midnight = self.begins() + TimeDelta::days(i64::try_from(self.day).expect("days"));
        while midnight < last_day {
            self.scene.tell(format!("{}, calm", midnight.date_naive()));
            self.day += 1;
            self.set(midnight + TimeDelta::hours(1));
            self.act("operator starts", Deed::post("/v1/start", None, json!({ "note": "go" })))?;
            self.people(false)?;
            self.clear_up()?;
            self.resolve(usize::MAX)?;
            self.set(midnight + TimeDelta::hours(6));
            self.run(self.now)?;
            self.set(midnight + TimeDelta::hours(8));
            self.act("sweep", Deed::Sweep(self.now))?;
            self.resolve(usize::MAX)?;
            self.set(midnight + TimeDelta::hours(14));
            self.people(true)?;
            self.checks.day()?;
            let all_is_said = self.bank.last_word_at().is_none_or(|at| at < midnight);
            if all_is_said && self.mail.is_empty() && self.checks.all_is_done() {
                return self.end();
            }
            midnight += TimeDelta::days(CALM_STRIDE_DAYS);
        }
        Err(format!("it never comes to its end: {}", self.checks.what_is_left().join(", ")))
    }

    fn end(&mut self) -> Result<(), String> {
        for want in self.wants.iter().filter(|want| want.state == Wanted::Promised) {
            let Some(id) = &want.credit_id else { return Err(format!("{} has no id", want.label)) };
            let is_kept = format!(
                "SELECT 1 FROM credits WHERE id = '{id}' UNION ALL SELECT 1 FROM refused_requests WHERE credit_id = '{id}'"
            );
            if self.sqlite.query(&is_kept).is_empty() {
                return Err(format!("{} was promised and is not in the ledger", want.label));
            }
        }
        self.checks.end()
    }
}

impl Deed {
    fn post(path: &str, key: Option<String>, body: Value) -> Deed {
        Deed::Post { path: path.to_owned(), key, body: body.to_string() }
    }
}

/// The advance with a number. Its amount is no other's, so that the bank's calls can be told apart.
fn want(scene: &Scene, bank: &Bank, number: u64) -> Want {
    let dice = scene.dice.of("want").of(number);
    let account = bank::account(dice.of("account"), scene.config.accounts);
    let installments = dice.of("installments").pick(&[1_u64, 2, 3, 4, 6, 12, 12, 13]);
    let amount = dice.of("amount").below(90) * 1000 + 1000 + number;
    let fee = dice.of("fee").pick(&[0, 0, 7, amount / 10]);
    let interval_days = dice.of("interval").pick(&[1_u64, 2, 3, 7, 7, 7, 14]);
    let body = json!({
        "account_id": account, "amount": amount, "fee": fee, "installments": installments,
        "interval_days": interval_days,
    });
    let label = format!("c{number}");
    bank.expect(&account, amount, &label);
    scene.tell(format!("{label} will be asked for: {body}"));
    Want {
        label,
        body: body.to_string(),
        from_day: dice.of("day").below(scene.config.asking_days),
        is_afternoon: dice.of("part").chance(500),
        state: Wanted::Asking,
        credit_id: None,
    }
}

fn in_short(came: &Came) -> String {
    match came {
        Came::Run(Ok(Opened::Open(_))) => "done".into(),
        Came::Run(Ok(Opened::Closed(_))) => "was done".into(),
        Came::Run(Ok(Opened::Refused { last })) => format!("refused, the last is of {last}"),
        Came::Run(Err(fault)) | Came::Swept(Err(fault)) => fault.to_string(),
        Came::Swept(Ok(())) => "done".into(),
        Came::Answer(status, body) => {
            let said = body["status"].as_str().or(body["code"].as_str()).unwrap_or_default();
            format!("{status} {said}")
        }
        Came::Delivered(verdicts) => format!("{verdicts:?}"),
    }
}
