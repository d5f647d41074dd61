//! What always holds, whatever the processor says and whenever: random worlds of one credit.
//!
//! Each rule is worked out here a second time, from the facts alone and by the plainest arithmetic, and
//! compared after every decision and every run.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use paydown::calendar::{DueDateRoll, FederalReserve};
use paydown::credit::{Because, CreditStatus, DebitFacts, DebitStatus, Facts, Kind, Reason, State};
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::decision::{Context, Decision, Effect, Fact, Input, decide};
use paydown::money::Cents;
use paydown::observation::{Outcome, Source, Status, Word};
use paydown::plan::Terms;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use uuid::Uuid;

use crate::calendar::banks_open;
use crate::world::{Answer, Taken, World};

const STOPS: [&str; 11] = ["R02", "R03", "R04", "R05", "R07", "R08", "R10", "R11", "R16", "R20", "R29"];
const RETRYABLE: [&str; 2] = ["R01", "R09"];
const UNKNOWN: [&str; 2] = ["R06", "R85"];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        // The same worlds each time: a test passes or fails, and never by luck.
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::with_cases(1500)
    })]

    #[test]
    fn the_law_holds_after_every_decision_and_every_run(story in stories()) {
        live(&story, |_| {});
    }
}

/// The rules are asked about something: the worlds reach all that the law speaks of.
#[test]
fn the_worlds_reach_what_the_law_speaks_of() {
    let mut reached = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..1000 {
        let story = stories().new_tree(&mut runner).expect("a story").current();
        live(&story, |world| {
            let state = State::of(&world.facts);
            reached.insert(format!("{:?}", state.status()));
            reached.extend(state.debit_statuses().map(|(_, status)| format!("{status:?}")));
            reached.extend(world.facts.debits.iter().map(|debit| format!("{:?}", debit.reason)));
            reached.extend(world.facts.exceptions.iter().map(|e| format!("{:?} {}", e.kind, e.open)));
        });
    }
    let wanted = "Pending Unconfirmed Failed Repaid Held Active \
        Scheduled Processing Submitted Collected Failed TimedOut Returned Cancelled \
        Planned Shortened \
        CreditUnconfirmed_true CreditUnconfirmed_false CreditReturned_true CreditContradiction_true \
        NoAnswer_true NoAnswer_false TimeoutLimit_true ReportGap_true ReportGap_false \
        OverCollected_true OverCollected_false HardReturn_true UnknownReturnCode_true RetryLimit_true";
    let missed: Vec<String> =
        wanted.split_whitespace().map(|w| w.replace('_', " ")).filter(|w| !reached.contains(w)).collect();
    assert_eq!(missed, [""; 0], "never reached, among {reached:?}");
}

// --- random worlds ---

#[derive(Debug, Clone)]
struct Story {
    terms: Terms,
    offset_hours: i32,
    due_date_roll: DueDateRoll,
    advance_is_answered: bool,
    runs: Vec<RunOf>,
}

/// A run, and what happened since the last one.
#[derive(Debug, Clone)]
struct RunOf {
    hours_later: u32,
    has_report: bool,
    /// What is said of each transaction that was silent so far.
    of_the_silent: Option<Said>,
    /// What an operator decides of each transaction without a word.
    decided: Option<Said>,
    /// What is said of any transaction: which one, what, and how many hours ago it was.
    of_any: Vec<(usize, Said, u32)>,
    /// Whether an operator releases the credit from all its holds, just before the run.
    is_released: bool,
    answer: Answer,
}

/// A word: success, or a failure with its code.
type Said = Result<(), Option<&'static str>>;

fn stories() -> impl Strategy<Value = Story> {
    let terms =
        (1..=3000_u64, 0..=100_u64, 1..=8_u32, prop_oneof![6 => 1..=10_u32, 1 => Just(45), 1 => Just(92)]);
    let terms = terms.prop_map(|(amount, fee_percent, installments, interval_days)| {
        let fee = amount * fee_percent / 100;
        let most = u32::try_from(amount + fee).unwrap_or(u32::MAX);
        let cents = |minor| Cents::new(minor).expect("an amount");
        Terms { amount: cents(amount), fee: cents(fee), installments: installments.min(most), interval_days }
    });
    let runs = prop::collection::vec(runs(), 1..40);
    let [is_answered, is_paid_out, is_quiet] = [0.9, 0.9, 0.15].map(prop::bool::weighted);
    let roll = prop_oneof![Just(DueDateRoll::None), Just(DueDateRoll::Following)];
    (terms, -11..=13_i32, roll, is_answered, is_paid_out, is_quiet, runs).prop_map(
        |(terms, offset_hours, due_date_roll, advance_is_answered, is_paid_out, is_quiet, mut runs)| {
            if is_quiet {
                runs.iter_mut().for_each(|run| run.of_the_silent = None);
            }
            if let (true, Some(first)) = (is_paid_out, runs.first_mut()) {
                first.of_the_silent = Some(Ok(()));
            }
            Story { terms, offset_hours, due_date_roll, advance_is_answered, runs }
        },
    )
}

fn runs() -> impl Strategy<Value = RunOf> {
    let hours_later = prop_oneof![
        12 => Just(24_u32), 2 => Just(5), 2 => Just(48), 2 => Just(120), 1 => Just(216), 1 => Just(24 * 40)
    ];
    let of_the_silent = prop_oneof![5 => Just(None), 5 => Just(Some(Ok(()))), 4 => said().prop_map(Some)];
    let hours_ago = prop_oneof![4 => Just(1_u32), 2 => Just(2), 2 => 0..=120_u32];
    let of_any = prop::collection::vec((0..8_usize, said(), hours_ago), 0..4);
    let answer = prop_oneof![
        16 => Just(Answer::Named), 2 => Just(Answer::Unknown), 1 => Just(Answer::Refused(None)),
        1 => Just(Answer::Refused(Some("R01".into())))
    ];
    let decided = prop_oneof![15 => Just(None), 1 => said().prop_map(Some)];
    let of_any = prop_oneof![2 => Just(vec![]), 1 => of_any];
    let [has_report, is_released] = [0.85, 0.1].map(prop::bool::weighted);
    let parts = (hours_later, has_report, of_the_silent, decided, of_any, is_released, answer);
    parts.prop_map(|(hours_later, has_report, of_the_silent, decided, of_any, is_released, answer)| RunOf {
        hours_later,
        has_report,
        of_the_silent,
        decided,
        of_any,
        is_released,
        answer,
    })
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => Just(Ok(())),
        6 => Just(Err(None)),
        6 => prop::sample::select(&RETRYABLE[..]).prop_map(|code| Err(Some(code))),
        1 => prop::sample::select(&STOPS[..]).prop_map(|code| Err(Some(code))),
        1 => prop::sample::select(&UNKNOWN[..]).prop_map(|code| Err(Some(code))),
    ]
}

fn live(story: &Story, mut look: impl FnMut(&World)) {
    let mut as_of: Instant = "2026-01-05T12:00:00Z".parse().expect("an instant");
    let mut world = World::new(story.terms, as_of);
    world.zone = Zone::new(vec![(Instant::MIN_UTC, story.offset_hours * 3600)]);
    world.policy.due_date_roll = story.due_date_roll;
    if !story.advance_is_answered {
        world.lose_the_answer_to_the_advance();
    }
    let mut called = BTreeSet::new();
    for run in &story.runs {
        as_of += TimeDelta::hours(i64::from(run.hours_later));
        let named = named(&world.facts);
        for subject in &named {
            if own_word(&world.facts, *subject).is_none() {
                let said = run.of_the_silent.into_iter();
                said.for_each(|said| say(&mut world, *subject, Source::Report, said, as_of, 1));
            }
        }
        for (pick, said, hours_ago) in &run.of_any {
            if let Some(subject) = named.get(pick % named.len().max(1)) {
                say(&mut world, *subject, Source::Report, *said, as_of, *hours_ago);
            }
        }
        for subject in without_word(&world.facts) {
            run.decided
                .into_iter()
                .for_each(|said| say(&mut world, subject, Source::Decision, said, as_of, 1));
        }
        world.taken.clear();
        if run.is_released {
            world.decide(Input::Release { exception_id: None }, as_of);
        }
        world.run(as_of, run.has_report, |_| run.answer.clone());
        for taken in &world.taken {
            every_decision(&world, taken, as_of, &mut called);
        }
        every_run(&world, as_of);
        look(&world);
    }
}

/// The credit and the debits whose transactions have names, the latest first.
fn named(facts: &Facts) -> Vec<Uuid> {
    let credit = facts.transaction_id.iter().map(|_| facts.id.0);
    let debits = facts.debits.iter().rev().filter(|d| d.transaction_id.is_some()).map(|d| d.id.0);
    debits.chain(credit).collect()
}

/// The credit and the debits of which nothing was said although they were asked for.
fn without_word(facts: &Facts) -> Vec<Uuid> {
    let processed = facts.debits.iter().filter(|d| d.submitted_at.is_some()).map(|d| d.id.0);
    processed.chain([facts.id.0]).filter(|subject| own_word(facts, *subject).is_none()).collect()
}

fn say(world: &mut World, subject: Uuid, source: Source, said: Said, as_of: Instant, hours_ago: u32) {
    let at = as_of - TimeDelta::hours(i64::from(hours_ago));
    match said {
        Ok(()) => world.say(subject, source, Status::Success, None, at),
        Err(code) => world.say(subject, source, Status::Failure, code, at),
    }
}

// --- after every run ---

fn every_run(world: &World, as_of: Instant) {
    let facts = &world.facts;
    let state = State::of(facts);
    let own = Own::of(facts);
    let is_held = facts.holds.iter().any(|hold| !hold.released);
    let is_open = |kind: Kind, subject: Uuid| {
        facts.exceptions.iter().any(|e| e.open && e.kind == kind && e.subject == subject)
    };
    // The same words never hold again, so a release ends what they say of holds.
    let was_released = facts.holds.iter().any(|hold| hold.released);
    let credit = facts.id.0;
    let five_days_since = |at: Instant| as_of - at >= TimeDelta::hours(120);

    let status = match own_word(facts, credit) {
        None if five_days_since(facts.created_at) => CreditStatus::Unconfirmed,
        None => CreditStatus::Pending,
        Some(word) if !word.is_success => CreditStatus::Failed,
        Some(_) if own.paid >= own.total => CreditStatus::Repaid,
        Some(_) if is_held => CreditStatus::Held,
        Some(_) => CreditStatus::Active,
    };
    assert_eq!(state.status(), status, "the status of the credit follows from what was said of it");
    assert_eq!(is_open(Kind::CreditUnconfirmed, credit), status == CreditStatus::Unconfirmed);

    let balances = state.balances();
    assert_eq!((balances.total, balances.collected, balances.paid), (own.total, own.paid, own.paid));
    assert_eq!((balances.in_flight, balances.scheduled), (own.in_flight, own.scheduled));
    let sum = own.paid + own.in_flight + own.scheduled;
    if matches!(status, CreditStatus::Active | CreditStatus::Repaid) {
        assert!(sum == own.total || sum > own.total && own.scheduled == 0, "L10.2: {own:?}");
    }
    assert!(own.scheduled == 0 || sum <= own.total, "L4: never more is scheduled than is owed: {own:?}");
    assert_eq!(state.breaches(), []);
    assert_eq!(is_open(Kind::OverCollected, credit), own.paid > own.total, "L6: {own:?}");
    assert!(facts.exceptions.iter().all(|e| e.kind != Kind::OverCollectionPrevented), "L3: no guard trips");

    let mut silent_and_not_covered = 0;
    let mut timed_out = 0;
    for (debit, (sequence, debit_status)) in facts.debits.iter().zip(state.debit_statuses()) {
        let subject = debit.id.0;
        let word = own_word(facts, subject);
        let is_silent = debit.submitted_at.is_some_and(|at| at < as_of && five_days_since(at));
        let wanted = match &word {
            _ if debit.cancelled_because.is_some() => DebitStatus::Cancelled,
            _ if debit.submitted_at.is_none() => DebitStatus::Scheduled,
            Some(word) if word.is_success => DebitStatus::Collected,
            Some(word) if word.is_after_contrary => DebitStatus::Returned,
            Some(_) => DebitStatus::Failed,
            None if debit.transaction_id.is_none() => DebitStatus::Processing,
            None if facts.timeouts.contains(&subject) => DebitStatus::TimedOut,
            None => DebitStatus::Submitted,
        };
        assert_eq!(debit_status, wanted, "L6: the status of debit {sequence} follows from the set of words");
        if wanted == DebitStatus::Submitted && is_silent {
            silent_and_not_covered += 1;
            let is_covered = world.covered_from.is_some_and(|from| debit.submitted_at >= Some(from));
            assert!(!is_covered, "L5: debit {sequence} was silent for five days under coverage");
        }
        timed_out += usize::from(wanted == DebitStatus::TimedOut);
        let gravity =
            word.filter(|word| !word.is_success).map_or(0, |word| own_gravity(word.code.as_deref()));
        assert!(
            gravity < 3 || was_released || is_held && is_open(Kind::HardReturn, subject),
            "L7: {sequence} holds"
        );
        assert!(
            gravity != 2 || was_released || is_held && is_open(Kind::UnknownReturnCode, subject),
            "L7: {sequence} holds"
        );
    }
    assert_eq!(is_open(Kind::ReportGap, credit), silent_and_not_covered > 0, "L5: report_gap");
    assert!(timed_out < 3 || was_released || is_held, "L5: the third of {timed_out} timeouts holds");
    let recovered = own_word(facts, credit).is_some_and(|word| word.is_success && word.is_after_contrary);
    assert!(
        !recovered || was_released || is_held && is_open(Kind::CreditContradiction, credit),
        "L2: a contradiction holds"
    );

    let sequences: Vec<u32> = facts.debits.iter().map(|debit| debit.sequence).collect();
    assert!(sequences.iter().copied().eq(1..=facts.debits.len() as u32), "dense: {sequences:?}");
    let kept: Vec<BusinessDate> =
        facts.debits.iter().filter(|d| d.cancelled_because.is_none()).map(|d| d.due_date).collect();
    assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), kept.len(), "one debit a due date: {kept:?}");
    assert!(!rolls(world) || kept.iter().all(|date| banks_open(*date)), "L9: banking days: {kept:?}");
    let issued: Vec<BusinessDate> =
        facts.debits.iter().filter_map(|d| d.submitted_at).map(|at| world.zone.business_date(at)).collect();
    assert_eq!(
        issued.iter().collect::<BTreeSet<_>>().len(),
        issued.len(),
        "L3: one debit a date: {issued:?}"
    );
    assert!(
        facts.debits.is_empty()
            || facts.observations.iter().any(|o| o.subject == credit && o.status == Status::Success),
        "L2: no plan without a success"
    );
}

// --- after every decision ---

fn every_decision(world: &World, taken: &Taken, as_of: Instant, called: &mut BTreeSet<Uuid>) {
    if taken.input == Input::Seek {
        return every_call_again(taken);
    }
    if taken.input == Input::Issue {
        return every_issue(world, taken, as_of, called);
    }
    any_order_of_words(world, taken, as_of);
    every_fact(world, taken, as_of);
}

/// The order in which words were read, and how often, changes nothing.
fn any_order_of_words(world: &World, taken: &Taken, as_of: Instant) {
    let context = Context { as_of, zone: &world.zone, policy: &world.policy, calendar: &FederalReserve };
    let mut shuffled = taken.before.clone();
    shuffled.observations.reverse();
    let again = shuffled.observations.clone();
    shuffled.observations.extend(again);
    let middle = shuffled.observations.len() / 3;
    shuffled.observations.rotate_left(middle);
    assert_eq!(
        decide(&shuffled, taken.input.clone(), &context),
        taken.decision,
        "L6: the set of words alone"
    );
}

/// Replays a decision fact by fact: what each new debit is, by the state that it was added to.
fn every_fact(world: &World, taken: &Taken, as_of: Instant) {
    let run_date = world.zone.business_date(as_of);
    let mut now = taken.before.clone();
    for fact in &taken.decision.facts {
        if let Fact::TimedOut { subject } = fact
            && let Some(debit) = now.debits.iter().find(|debit| debit.id.0 == *subject)
        {
            let submitted_at = debit.submitted_at.expect("what was never submitted times out");
            assert!(debit.transaction_id.is_some() && own_word(&now, *subject).is_none(), "L5: {debit:?}");
            assert!(as_of - submitted_at >= TimeDelta::hours(120), "L5: {debit:?}");
            assert!(world.covered_from.is_some_and(|from| from <= submitted_at), "L5: {debit:?}");
        }
        if let Fact::Debit(debit) = fact {
            let replaced = debit.replaces.and_then(|s| now.debits.iter().find(|d| d.sequence == s));
            match (debit.reason, replaced) {
                (Reason::Planned, None) => {}
                (Reason::Failed | Reason::Returned | Reason::TimedOut, Some(replaced)) => {
                    let missing = Own::of(&now).missing();
                    assert_eq!(debit.amount.signed(), replaced.amount.signed().min(missing), "L4: {debit:?}");
                    assert_eq!(
                        Some(debit.due_date),
                        own_slot(world, &now, taken.input.clone(), debit, replaced, run_date),
                        "L4, L7, L9: {debit:?}"
                    );
                    assert!(debit.due_date > run_date, "L4: a slot is after the run date: {debit:?}");
                }
                (Reason::Shortened, Some(replaced)) => {
                    assert_eq!(replaced.cancelled_because, Some(Because::Shortened), "L6: {debit:?}");
                    let dates = |d: &DebitFacts| (d.due_date, d.unrolled_due_date);
                    assert_eq!(dates(debit), dates(replaced), "L6: {debit:?}");
                    assert!(debit.amount < replaced.amount, "L6: {debit:?}");
                }
                _ => panic!("no run makes this debit: {debit:?}"),
            }
        }
        if let Fact::Word(word) = fact
            && word.subject != now.id.0
        {
            let before = now.words.iter().rev().find(|w| w.subject == word.subject);
            let before = before.map(|before| (says(before), &before.code));
            assert_ne!(before, Some((says(word), &word.code)), "L6: a word that changes nothing is no fact");
        }
        if let Fact::Cancelled { debit_id, because: Because::Shortened } = fact {
            let success = now.words.last().expect("a success comes before what it shortens");
            let scheduled =
                now.debits.iter().filter(|d| d.submitted_at.is_none() && d.cancelled_because.is_none());
            let last = scheduled.max_by_key(|d| (descends(&now, d, success.subject), d.due_date, d.sequence));
            assert_eq!(
                last.map(|d| d.id),
                Some(*debit_id),
                "L6: its own replacements first, then from the end"
            );
            assert!(Own::of(&now).missing() < 0, "L6: nothing is shortened without an excess");
        }
        let alone = Decision { turn: now.turn, facts: vec![fact.clone()], effects: vec![] };
        now.apply(&alone, as_of);
    }
    let planned: Vec<&DebitFacts> = now.debits.iter().filter(|d| d.reason == Reason::Planned).collect();
    if taken.before.debits.is_empty() && !planned.is_empty() {
        every_plan(world, &now.terms, &planned, run_date);
    }
    for takes_turn in
        [|fact: &Fact| matches!(fact, Fact::Word(_)), |fact: &Fact| matches!(fact, Fact::TimedOut { .. })]
    {
        let facts = taken.decision.facts.iter().filter(|fact| takes_turn(fact));
        let turns: Vec<(BusinessDate, u32)> = facts.filter_map(|fact| turn_of(&now, fact)).collect();
        assert!(turns.is_sorted(), "L4: by due date, then sequence: {turns:?}");
    }
    let holds_account = |effect: &Effect| matches!(effect, Effect::HoldAccount { .. });
    let hard = |fact: &&Fact| matches!(fact, Fact::Opened { kind: Kind::HardReturn, .. });
    let hard_returns = taken.decision.facts.iter().filter(hard).count();
    assert_eq!(taken.decision.effects.iter().filter(|e| holds_account(e)).count(), hard_returns, "L7");
}

/// The place in the plan of the debit that a word or timeout is of.
fn turn_of(facts: &Facts, fact: &Fact) -> Option<(BusinessDate, u32)> {
    let of = if let Fact::Word(word) = fact {
        word.subject
    } else if let Fact::TimedOut { subject } = fact {
        *subject
    } else {
        return None;
    };
    facts.debits.iter().find(|debit| debit.id.0 == of).map(|debit| (debit.due_date, debit.sequence))
}

/// What a word makes of a debit.
fn says(word: &Word) -> DebitStatus {
    match word.outcome {
        Outcome::Success | Outcome::Recovered => DebitStatus::Collected,
        Outcome::Failure => DebitStatus::Failed,
        Outcome::Returned => DebitStatus::Returned,
    }
}

/// L1 by counting: equal shares, the odd cents first, and dates that step from the credit's.
fn every_plan(world: &World, terms: &Terms, planned: &[&DebitFacts], run_date: BusinessDate) {
    let total = terms.amount.signed() + terms.fee.signed();
    let amounts: Vec<i128> = planned.iter().map(|d| d.amount.signed()).collect();
    assert_eq!(amounts.len(), terms.installments as usize, "L1");
    assert_eq!(amounts.iter().sum::<i128>(), total, "L1: the plan sums to the total");
    assert!(amounts.is_sorted_by(|a, b| a >= b) && amounts.iter().all(|a| *a > 0), "L1: {amounts:?}");
    assert!(amounts[0] - amounts[amounts.len() - 1] <= 1, "L1: {amounts:?}");
    let mut due = world.zone.business_date(world.facts.created_at).plus_days(terms.interval_days);
    while due < run_date {
        due = due.plus_days(terms.interval_days);
    }
    let mut taken = BTreeSet::new();
    for debit in planned {
        assert_eq!(debit.unrolled_due_date.unwrap_or(debit.due_date), due, "L1: debit {}", debit.sequence);
        assert_eq!(debit.due_date, own_roll(world, due, &taken), "L9: debit {}", debit.sequence);
        taken.insert(debit.due_date);
        due = due.plus_days(terms.interval_days);
    }
}

fn rolls(world: &World) -> bool {
    world.policy.due_date_roll == DueDateRoll::Following
}

/// L9 by counting: the first banking day that is free.
fn own_roll(world: &World, mut date: BusinessDate, taken: &BTreeSet<BusinessDate>) -> BusinessDate {
    while rolls(world) && (!banks_open(date) || taken.contains(&date)) {
        date = date.plus_days(1);
    }
    date
}

/// L3: what is called for again has no answer yet, and nothing forbids it.
fn every_call_again(taken: &Taken) {
    let facts = &taken.before;
    for effect in &taken.decision.effects {
        let Effect::Submit { subject, amount } = effect else {
            panic!("seeking does nothing else: {effect:?}")
        };
        assert!(
            facts.holds.iter().all(|hold| hold.released) && Own::of(facts).total > 0,
            "L3: a held or failed credit seeks nothing"
        );
        if *subject == facts.id.0 {
            assert_eq!((&facts.transaction_id, *amount), (&None, facts.terms.amount));
        } else {
            let debit = facts.debits.iter().find(|debit| debit.id.0 == *subject).expect("a debit");
            assert!(debit.transaction_id.is_none() && debit.submitted_at.is_some(), "L3: {debit:?}");
            assert_eq!(*amount, debit.amount, "L3: the same body");
        }
    }
}

/// L3: the earliest due debit is issued, unless one was on this date; never more than is owed.
fn every_issue(world: &World, taken: &Taken, as_of: Instant, called: &mut BTreeSet<Uuid>) {
    let facts = &taken.before;
    let run_date = world.zone.business_date(as_of);
    let own = Own::of(facts);
    let is_active = facts.holds.iter().all(|hold| hold.released)
        && own.paid < own.total
        && own_word(facts, facts.id.0).is_some_and(|w| w.is_success);
    let is_issued_today =
        facts.debits.iter().filter_map(|d| d.submitted_at).any(|at| world.zone.business_date(at) == run_date);
    let scheduled = facts.debits.iter().filter(|d| d.submitted_at.is_none() && d.cancelled_because.is_none());
    let next = scheduled
        .filter(|debit| debit.due_date <= run_date && is_active && !is_issued_today)
        .min_by_key(|debit| (debit.due_date, debit.sequence));
    let facts_wanted: Vec<Fact> = next.iter().map(|debit| Fact::Processed { debit_id: debit.id }).collect();
    let calls_wanted: Vec<Effect> =
        next.iter().map(|debit| Effect::Submit { subject: debit.id.0, amount: debit.amount }).collect();
    assert_eq!(taken.decision.facts, facts_wanted, "L3: what is due");
    assert_eq!(taken.decision.effects, calls_wanted, "L3: what is due");
    let after = Own::of(&taken.after);
    if let Some(debit) = next {
        assert!(after.paid + after.in_flight <= after.total, "L3: never more than is owed: {after:?}");
        assert!(called.insert(debit.id.0), "L10.1: no debit is called for under two keys or twice");
    }
}

// --- the law a second time ---

/// The money of a credit, added up from its facts.
#[derive(Debug)]
struct Own {
    total: i128,
    paid: i128,
    in_flight: i128,
    scheduled: i128,
}

impl Own {
    fn of(facts: &Facts) -> Own {
        let word_of = |subject: Uuid| facts.words.iter().rev().find(|word| word.subject == subject);
        let has_failed = word_of(facts.id.0).is_some_and(|word| !word.outcome.is_success());
        let owed = facts.terms.amount.signed() + facts.terms.fee.signed();
        let mut own = Own { total: if has_failed { 0 } else { owed }, paid: 0, in_flight: 0, scheduled: 0 };
        for debit in &facts.debits {
            let amount = debit.amount.signed();
            match word_of(debit.id.0).map(|word| word.outcome.is_success()) {
                Some(true) => own.paid += amount,
                Some(false) => {}
                None if debit.cancelled_because.is_some() => {}
                None if debit.submitted_at.is_none() => own.scheduled += amount,
                None if facts.timeouts.contains(&debit.id.0) => {}
                None => own.in_flight += amount,
            }
        }
        own
    }

    fn missing(&self) -> i128 {
        self.total - self.paid - self.in_flight - self.scheduled
    }
}

/// The latest word on a transaction.
struct OwnWord {
    is_success: bool,
    /// Whether the opposite was said of an earlier instant.
    is_after_contrary: bool,
    code: Option<String>,
}

fn own_word(facts: &Facts, subject: Uuid) -> Option<OwnWord> {
    let mut said: Vec<_> = facts.observations.iter().filter(|o| o.subject == subject).collect();
    if said.iter().any(|o| o.source != Source::Decision) {
        said.retain(|o| o.source != Source::Decision);
    }
    let latest = said.iter().map(|o| o.at).max()?;
    let failures = said.iter().filter(|o| o.at == latest && o.status == Status::Failure);
    let gravest = failures.max_by_key(|o| (own_gravity(o.code.as_deref()), o.code.clone()));
    let is_success = gravest.is_none();
    Some(OwnWord {
        is_success,
        is_after_contrary: said.iter().any(|o| o.at < latest && (o.status == Status::Success) != is_success),
        code: gravest.and_then(|o| o.code.clone()),
    })
}

/// From none to a stop, 0 to 3.
fn own_gravity(code: Option<&str>) -> u32 {
    match code {
        None => 0,
        Some(code) if RETRYABLE.contains(&code) => 1,
        Some(code) if STOPS.contains(&code) => 3,
        Some(_) => 2,
    }
}

/// Where a replacement must be due; `None` where there must be none.
fn own_slot(
    world: &World,
    now: &Facts,
    input: Input,
    debit: &DebitFacts,
    replaced: &DebitFacts,
    run_date: BusinessDate,
) -> Option<BusinessDate> {
    let kept = || now.debits.iter().filter(|d| d.cancelled_because.is_none());
    let taken: BTreeSet<BusinessDate> = kept().map(|d| d.due_date).collect();
    let unrolled = |d: &DebitFacts| d.unrolled_due_date.unwrap_or(d.due_date);
    // With every debit cancelled, slots count from the latest due date of all.
    let latest = kept().map(unrolled).max().or(now.debits.iter().map(unrolled).max())?;
    let mut slot = latest.plus_days(now.terms.interval_days);
    while slot <= run_date {
        slot = slot.plus_days(now.terms.interval_days);
    }
    assert_eq!(
        debit.unrolled_due_date,
        Some(slot).filter(|slot| *slot != debit.due_date && debit.due_date == own_roll(world, *slot, &taken)),
        "L9"
    );
    let slot = own_roll(world, slot, &taken);
    let is_release = matches!(input, Input::Release { .. });
    if debit.reason == Reason::TimedOut || is_release {
        return Some(slot);
    }
    let root = root_of(now, replaced);
    let family = now.debits.iter().filter(|d| root_of(now, d) == root);
    let presented: Vec<Instant> = family.filter_map(|d| d.submitted_at).collect();
    let word = now.words.iter().rev().find(|word| word.subject == replaced.id.0)?;
    match own_gravity(word.code.as_deref()) {
        0 => (presented.len() < 6).then_some(slot),
        1 if presented.len() < 3 => {
            let limit = world.zone.business_date(*presented.iter().min()?).plus_days(180);
            let mut date = limit.min(slot);
            while date != slot && (taken.contains(&date) || rolls(world) && !banks_open(date)) {
                date = date.minus_days(1);
            }
            (date > run_date).then_some(date)
        }
        _ => None,
    }
}

/// Whether a debit is in another's place, directly or by others.
fn descends(facts: &Facts, debit: &DebitFacts, from: Uuid) -> bool {
    let parent = debit.replaces.and_then(|s| facts.debits.iter().find(|d| d.sequence == s));
    parent.is_some_and(|parent| parent.id.0 == from || descends(facts, parent, from))
}

/// The debit that a family began with.
fn root_of(facts: &Facts, debit: &DebitFacts) -> u32 {
    let parent = debit.replaces.and_then(|s| facts.debits.iter().find(|d| d.sequence == s));
    parent.map_or(debit.sequence, |parent| root_of(facts, parent))
}
