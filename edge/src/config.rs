//! The configuration: one value for each variable of the README's table.

use paydown::api::Intake;
use paydown::calendar::{DueDateRoll, FederalReserve};
use paydown::date::{Instant, Zone};
use paydown::decision::Context;
use paydown::policy::Policy;

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CURRENCY`: the one currency of the installation, ISO 4217.
    pub currency: String,
    /// `FUNDING_ACCOUNT`: the bank account that advances leave from and debits go to.
    pub funding_account: String,
    /// `MAX_ADVANCE`: the largest amount of one advance, in minor units.
    pub max_advance: u64,
    /// `MAX_PER_ACCOUNT`: what one account may owe at most, in minor units.
    pub max_per_account: Option<u64>,
    /// `MAX_PER_DAY`: what may be advanced in all on one business date, in minor units.
    pub max_per_day: Option<u64>,
    /// `MAX_DEBITS_PER_RUN`: how many debits one run may issue before an operator is asked.
    pub max_debits_per_run: Option<u64>,
    /// `MAX_DEBITED_PER_RUN`: what one run may debit in all before an operator is asked, in minor units.
    pub max_debited_per_run: Option<u64>,
    /// `PROCESSOR_CALLS_PER_MINUTE`: how often a run may call the processor for debits.
    pub processor_calls_per_minute: Option<u32>,
    /// `INTAKE`: what comes first for an advance.
    pub intake: Intake,
    /// `REPORT_WINDOW_DAYS`: how many times 24 h before its download a report reaches.
    pub report_window_days: u32,
    /// `BUSINESS_TIME_ZONE`: the business time zone, by its IANA name.
    pub business_time_zone: String,
    /// Its offsets.
    pub zone: Zone,
    /// The policy of the law; its `due_date_roll` is `DUE_DATE_ROLL`.
    pub policy: Policy,
    /// `RUN_STATEMENTS`: what one invocation of a run may use before it hands the rest on; and `RUN_PART_CREDITS`.
    pub budget: Budget,
    /// Whether this is a sandbox: cargo feature `sandbox`, never deployed.
    pub sandbox: bool,
    /// Whether the processor is on this machine, as on a local run: then a webhook may go to this machine too.
    pub is_local: bool,
    /// `PAYDOWN_COMMIT`: what was built, as the commands name it that serve and deploy.
    pub commit: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            currency: "USD".into(),
            funding_account: "paydown_funding".into(),
            max_advance: 100_000_000,
            max_per_account: None,
            max_per_day: None,
            max_debits_per_run: None,
            max_debited_per_run: None,
            processor_calls_per_minute: None,
            intake: Intake::Direct,
            report_window_days: 5,
            business_time_zone: "UTC".into(),
            zone: Zone::default(),
            policy: Policy::default(),
            budget: Budget::default(),
            sandbox: cfg!(feature = "sandbox"),
            is_local: false,
            commit: "unknown".into(),
        }
    }
}

/// What one invocation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Wall time. A cron and a queue's consumer have 15 minutes (Cloudflare, Workers limits), of which the sweeper
    /// takes eight without a finished slice for a run that was left.
    pub seconds: i64,
    /// Calls of other services. An invocation has 10,000 subrequests (Cloudflare, Workers limits).
    pub subrequests: u32,
    /// SQL statements. An invocation has 1,000 (Cloudflare, D1 limits).
    pub statements: u32,
    /// How many credits a part of a stage has, and as many are looked for at once. To look for some costs as much as to look
    /// for all, so that an invocation looks but once or twice; ten thousand ids are 400 kB.
    pub part_credits: u32,
    /// How many credits a slice decides at once: each slice costs a few round trips, and its credits are in memory together. At a
    /// tenth of a second for a call, six at once, so many are called within the eight seconds after which a set of calls begins no more.
    pub slice_credits: u32,
    /// How many bytes of a report a part has: as much as one invocation reads.
    pub part_bytes: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            seconds: 300,
            subrequests: 8_000,
            statements: 800,
            part_credits: 10_000,
            slice_credits: 400,
            part_bytes: 32 << 20,
        }
    }
}

impl Settings {
    /// The settings that `variable` gives by name; what it does not give has its default. `zone_named` knows the time
    /// zones by their IANA names.
    ///
    /// An error names the variable that cannot be read.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        zone_named: impl Fn(&str) -> Option<Zone>,
    ) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let text = |name: &str| variable(name).filter(|v| !v.is_empty());
        if let Some(currency) = text("CURRENCY") {
            let iso = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
            settings.currency = iso.then_some(currency).ok_or("CURRENCY is not an ISO 4217 code")?;
        }
        if let Some(account) = text("FUNDING_ACCOUNT") {
            settings.funding_account = account;
        }
        if let Some(name) = text("BUSINESS_TIME_ZONE").filter(|name| name != "UTC") {
            // An offset such as `-05:00` is no name: it knows no daylight saving.
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let zone = Some(name.as_str()).filter(|_| is_name).and_then(zone_named);
            settings.zone = zone.ok_or_else(|| {
                format!("BUSINESS_TIME_ZONE is {name}: an IANA time zone such as America/New_York is needed")
            })?;
            settings.business_time_zone = name;
        }
        if let Some(roll) = text("DUE_DATE_ROLL") {
            settings.policy.due_date_roll = match roll.as_str() {
                "none" => DueDateRoll::None,
                "following" => DueDateRoll::Following,
                other => return Err(format!("DUE_DATE_ROLL is {other}: none or following is needed")),
            };
        }
        if let Some(commit) = text("PAYDOWN_COMMIT") {
            settings.commit = commit;
        }
        settings.max_advance =
            number(&text, "MAX_ADVANCE", settings.max_advance, 1..=paydown::money::Cents::MAX / 2)?;
        settings.max_per_account = limit(&text, "MAX_PER_ACCOUNT")?;
        settings.max_per_day = limit(&text, "MAX_PER_DAY")?;
        settings.max_debits_per_run = limit(&text, "MAX_DEBITS_PER_RUN")?;
        settings.max_debited_per_run = limit(&text, "MAX_DEBITED_PER_RUN")?;
        if text("PROCESSOR_CALLS_PER_MINUTE").is_some() {
            let most = number(&text, "PROCESSOR_CALLS_PER_MINUTE", 1, 1..=60_000)?;
            settings.processor_calls_per_minute = Some(most);
        }
        if let Some(intake) = text("INTAKE") {
            settings.intake = match intake.as_str() {
                "direct" => Intake::Direct,
                "queue" => Intake::Queue,
                other => return Err(format!("INTAKE is {other}: direct or queue is needed")),
            };
        }
        settings.report_window_days =
            number(&text, "REPORT_WINDOW_DAYS", settings.report_window_days, 1..=366)?;
        settings.budget.statements = number(&text, "RUN_STATEMENTS", settings.budget.statements, 50..=900)?;
        settings.budget.part_credits =
            number(&text, "RUN_PART_CREDITS", settings.budget.part_credits, 100..=10_000)?;
        settings.policy.timeout_days = number(&text, "TIMEOUT_DAYS", settings.policy.timeout_days, 1..=366)?;
        if text("KEY_DAYS").is_some() {
            settings.policy.key_days = Some(number(&text, "KEY_DAYS", 1, 1..=3660)?);
        }
        if let Some(two_strikes) = text("TWO_STRIKES") {
            settings.policy.two_strikes = match two_strikes.as_str() {
                "on" => true,
                "off" => false,
                other => return Err(format!("TWO_STRIKES is {other}: on or off is needed")),
            };
        }
        Ok(settings)
    }

    /// What a decision of an instant knows besides the facts.
    pub fn context(&self, as_of: Instant) -> Context<'_> {
        Context { as_of, zone: &self.zone, policy: &self.policy, calendar: &FederalReserve }
    }
}

/// The limit in minor units that a variable holds; none when it is not set.
fn limit(text: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<u64>, String> {
    if text(name).is_none() {
        return Ok(None);
    }
    number(text, name, paydown::money::Cents::MAX, 1..=paydown::money::Cents::MAX).map(Some)
}

/// The number that a variable holds, its default when it is not set.
fn number<N: TryFrom<u64> + Copy>(
    text: &impl Fn(&str) -> Option<String>,
    name: &str,
    default: N,
    range: std::ops::RangeInclusive<u64>,
) -> Result<N, String> {
    let Some(value) = text(name) else { return Ok(default) };
    let parsed = value.parse::<u64>().ok().filter(|n| range.contains(n)).and_then(|n| N::try_from(n).ok());
    parsed.ok_or(format!(
        "{name} is {value}: a whole number from {} to {} is needed",
        range.start(),
        range.end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world that knows one zone besides UTC.
    fn read(name: &str, value: &str) -> Result<Settings, String> {
        let new_york = Zone::new(vec![(Instant::MIN_UTC, -5 * 3600)]);
        Settings::from_variables(
            |asked| (asked == name).then(|| value.to_owned()),
            |zone| (zone == "America/New_York").then(|| new_york.clone()),
        )
    }

    #[test]
    fn the_zone_is_one_that_has_a_name() {
        let six = "2026-01-05T03:00:00Z".parse().unwrap();
        let zoned = |value| read("BUSINESS_TIME_ZONE", value);
        for (value, name, date) in [
            ("", "UTC", "2026-01-05"),
            ("UTC", "UTC", "2026-01-05"),
            ("America/New_York", "America/New_York", "2026-01-04"),
        ] {
            let settings = zoned(value).unwrap();
            assert_eq!(settings.business_time_zone, name);
            assert_eq!(settings.context(six).run_date().to_string(), date, "{value}");
        }
        for value in ["Mars/Olympus", "-05:00", "+0"] {
            let why = format!(
                "BUSINESS_TIME_ZONE is {value}: an IANA time zone such as America/New_York is needed"
            );
            assert_eq!(zoned(value), Err(why));
        }
    }

    #[test]
    fn due_dates_roll_when_that_is_set() {
        let roll = |value| read("DUE_DATE_ROLL", value).map(|settings| settings.policy.due_date_roll);
        assert_eq!(roll(""), Ok(DueDateRoll::None));
        assert_eq!(roll("none"), Ok(DueDateRoll::None));
        assert_eq!(roll("following"), Ok(DueDateRoll::Following));
        let why = "DUE_DATE_ROLL is preceding: none or following is needed";
        assert_eq!(roll("preceding"), Err(why.to_owned()));
    }
}
