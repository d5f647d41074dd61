//! A live world for one test: the Worker and the bank simulator on the real runtime, on ports and a state of its
//! own, driven over HTTP alone.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

/// The API key of every local run.
pub const KEY: &str = "pd_local_operator";

/// The daily run's cron and the sweeper's, as a query has them.
const DAILY: &str = "0+6+*+*+*";
const SWEEP: &str = "*/10+*+*+*+*";

/// What runs; it is killed when this goes.
pub struct Live {
    process: Option<Child>,
    state: PathBuf,
    port: u16,
    bank_port: u16,
    /// Settings of the Worker, each `NAME:VALUE`.
    settings: &'static [&'static str],
    /// The processor, where it is not the bank simulator.
    processor_url: Option<String>,
    /// 06:00 of the world's day 0.
    first_day: DateTime<Utc>,
    agent: ureq::Agent,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Live {
    /// A fresh world named after its test, on day 0: the first run is over, so that the book's time is the world's.
    pub fn begin(name: &str) -> Live {
        Live::with(name, &[])
    }

    /// The same with settings of the Worker, each `NAME:VALUE`.
    pub fn with(name: &str, settings: &'static [&'static str]) -> Live {
        let mut live = Live::at(name, settings, None);
        live.start(true);
        live.first_day = live.tomorrow();
        live.live(0..=0);
        live
    }

    /// The Worker alone, on a day far ahead, with a processor that listens on a port of this machine.
    pub fn against(name: &str, settings: &'static [&'static str], processor_port: u16) -> Live {
        let mut live = Live::at(name, settings, Some(format!("http://127.0.0.1:{processor_port}")));
        live.start(true);
        live.first_day = "2030-01-01T06:00:00Z".parse().expect("an instant");
        live
    }

    fn at(name: &str, settings: &'static [&'static str], processor_url: Option<String>) -> Live {
        let state =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/state").join(format!("e2e-{name}"));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(400)))
            .build();
        Live {
            process: None,
            state,
            port: free_port(),
            bank_port: free_port(),
            settings,
            processor_url,
            first_day: DateTime::UNIX_EPOCH,
            agent: config.into(),
        }
    }

    /// The file of the Worker's ledger.
    pub fn ledger(&self) -> PathBuf {
        paydown_tests::replay::state::ledger_of(&self.state).unwrap_or_else(|error| panic!("{error}"))
    }

    /// 06:00 of tomorrow: the book's time never runs behind the real one, which the bank's clock says until it is set.
    fn tomorrow(&self) -> DateTime<Utc> {
        let clock = self.send("GET", &self.bank("/clock"), &[], None).json();
        let now: DateTime<Utc> = clock["now"].as_str().expect("an instant").parse().expect("RFC 3339");
        let tomorrow = now.date_naive().succ_opt().and_then(|date| date.and_hms_opt(6, 0, 0));
        tomorrow.expect("a calendar day").and_utc()
    }

    fn start(&mut self, fresh: bool) {
        let xtask = std::env::var_os("PAYDOWN_XTASK").expect("PAYDOWN_XTASK: run this by `cargo xtask test`");
        let mut command = Command::new(xtask);
        command.args(["dev", "--prebuilt", "--port", &self.port.to_string()]);
        command.args(["--bank-port", &self.bank_port.to_string()]).arg("--state").arg(&self.state);
        if let Some(url) = &self.processor_url {
            command.args(["--processor-url", url]);
        }
        for setting in self.settings {
            command.args(["--var", setting]);
        }
        if fresh {
            command.arg("--fresh");
        }
        // A group of its own, so that a kill reaches all of it.
        let mut process = command.process_group(0).stdout(Stdio::piped()).spawn().expect("xtask starts");
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let ready = output.lines().map_while(Result::ok).find(|line| line.starts_with("ready "));
        self.process = Some(process);
        assert!(ready.is_some(), "the world does not serve");
    }

    /// `kill -9` of everything, from beside a request that is under way.
    pub fn kill_now(&self) {
        if let Some(process) = &self.process {
            let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("a process id");
            kill_process_group(group, Signal::KILL).expect("the group is killed");
        }
    }

    /// `kill -9` of everything that still lives, until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            if let Some(group) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
                // Nothing to kill is as good.
                let _ = kill_process_group(group, Signal::KILL);
            }
            process.wait().expect("it is gone");
        }
    }

    /// Starts again on the same state.
    pub fn restart(&mut self) {
        self.start(false);
    }

    /// 06:00 of a day of this world.
    pub fn morning(&self, day: i64) -> DateTime<Utc> {
        self.first_day.checked_add_signed(TimeDelta::days(day)).expect("a calendar day")
    }

    /// Lives the days: each morning the bank's clock is set and the daily cron fires.
    pub fn live(&self, days: std::ops::RangeInclusive<i64>) {
        for day in days {
            let answer = self.run(day);
            assert_eq!(answer.status, 200, "the run of day {day}: {}", answer.text);
        }
    }

    pub fn run(&self, day: i64) -> Answer {
        self.set_bank_clock(self.morning(day));
        self.fire(day)
    }

    /// The daily cron alone.
    pub fn fire(&self, day: i64) -> Answer {
        self.cron(DAILY, self.morning(day))
    }

    /// The sweeper, some minutes after the run of a day.
    pub fn sweep(&self, day: i64, minutes: i64) {
        let answer = self.try_sweep(day, minutes);
        assert_eq!(answer.status, 200, "the sweep: {}", answer.text);
    }

    /// The same, where a kill may come in between.
    pub fn try_sweep(&self, day: i64, minutes: i64) -> Answer {
        let at = self.morning(day).checked_add_signed(TimeDelta::minutes(minutes)).expect("an instant");
        self.cron(SWEEP, at)
    }

    /// The run of the latest instant.
    pub fn last_run(&self) -> Value {
        self.get("/v1/runs?limit=1").json()["data"][0].clone()
    }

    /// The same once it has ended; what it handed on is the queue's to deliver.
    pub fn ended_run(&self) -> Value {
        let begun_at = now();
        loop {
            let run = self.last_run();
            if run["status"] != "running" {
                return run;
            }
            assert!(begun_at.elapsed() < Duration::from_secs(3600), "it goes on and on: {run}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn cron(&self, pattern: &str, at: DateTime<Utc>) -> Answer {
        self.get(&format!("/cdn-cgi/handler/scheduled?cron={pattern}&time={}", at.timestamp_millis()))
    }

    pub fn set_bank_clock(&self, now: DateTime<Utc>) {
        let answer = self.send("POST", &self.bank("/clock"), &[], Some(&json!({ "now": now }).to_string()));
        assert_eq!(answer.status, 200, "the bank's clock: {}", answer.text);
    }

    pub fn worker(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn bank(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.bank_port)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", &self.worker(path), &[("authorization", &format!("Bearer {KEY}"))], None)
    }

    /// All rows of a list, page after page.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (vec![], String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit=200{cursor}"));
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            let page = page.json();
            rows.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    pub fn post(&self, path: &str, key: Option<&str>, body: &str) -> Answer {
        let authorization = format!("Bearer {KEY}");
        let mut headers =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.send("POST", &self.worker(path), &headers, Some(body))
    }

    pub fn advance(&self, key: &str, account: &str, installments: u32) -> Answer {
        let body = json!({ "account_id": account, "amount": 90_000, "installments": installments });
        self.post("/v1/perform_advance", Some(key), &body.to_string())
    }

    /// The same as a program would ask that wants to be paid once: again with the same key while it is told to try again.
    pub fn advance_at_last(&self, key: &str, account: &str, installments: u32) -> Answer {
        let mut answer = self.advance(key, account, installments);
        for _ in 0..20 {
            if ![429, 503].contains(&answer.status) {
                break;
            }
            answer = self.advance(key, account, installments);
        }
        answer
    }

    /// The transactions that the bank knows of an account.
    pub fn transactions(&self, account: &str) -> Vec<Value> {
        let answer = self.send("GET", &self.bank(&format!("/transactions?account={account}")), &[], None);
        answer.json()["data"].as_array().expect("a list").clone()
    }

    pub fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default().to_owned()).expect("a request");
        match self.agent.run(request) {
            Ok(mut response) => Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                text: response.body_mut().read_to_string().unwrap_or_default(),
            },
            // The world was killed under the request.
            Err(error) => Answer { status: 0, headers: Default::default(), text: error.to_string() },
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.kill();
    }
}

/// To say how long something took, never to decide anything.
#[expect(clippy::disallowed_methods)]
pub fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
