//! Whatever operators do, in whatever order, between whatever words: L10 holds, and no cent is lost or counted twice.

use chrono::TimeDelta;
use paydown::credit::{CreditStatus, Facts, Kind, Reason, State};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::Input;
use paydown::id::RefundId;
use paydown::money::Cents;
use paydown::observation::{Source, Status, latest_word};
use paydown::plan::Terms;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use uuid::Uuid;

use crate::world::{Answer, World};

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::with_cases(1500)
    })]

    #[test]
    fn the_law_holds_whatever_operators_do(
        first_word in 0..4_i64,
        days in prop::collection::vec(days(), 1..40),
    ) {
        let cents = |minor| Cents::new(minor).expect("an amount");
        let terms = Terms { amount: cents(300), fee: Cents::ZERO, installments: 3, interval_days: 2 };
        let mut as_of: Instant = "2026-01-05T12:00:00Z".parse().expect("an instant");
        let mut world = World::new(terms, as_of);
        let advance = world.facts.id.0;
        world.say(advance, Source::Report, Status::Success, None, as_of + TimeDelta::hours(1));
        let word = world.facts.observations.pop();
        for (number, day) in days.iter().enumerate() {
            as_of += TimeDelta::hours(24);
            if i64::try_from(number) == Ok(first_word) {
                world.facts.observations.extend(word.clone());
            }
            day.said.iter().for_each(|(pick, status)| say(&mut world, *pick, *status, as_of));
            if let Some(input) = day.act.and_then(|act| asked(&world, act, number, as_of)) {
                let decision = world.decide(input, as_of);
                world.call(&decision, as_of, &|_| day.answer.clone());
                stands(&world);
            }
            world.run(as_of, true, |_| day.answer.clone());
            stands(&world);
            every_gap_is_filled_or_waits(&world);
        }
    }
}

/// What happens before a day's run, and what the processor answers on it.
#[derive(Debug, Clone)]
struct Day {
    said: Vec<(usize, Status)>,
    act: Option<Act>,
    answer: Answer,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Hold,
    Release,
    Paid(u64),
    Revoke(usize),
    Refund(u64),
    WriteOff,
    PayOff,
    Pause(u32),
}

fn days() -> impl Strategy<Value = Day> {
    let status = prop_oneof![3 => Just(Status::Success), 2 => Just(Status::Failure)];
    let said = prop::collection::vec((0..6_usize, status), 0..3);
    let act = prop_oneof![
        1 => Just(Act::Hold), 3 => Just(Act::Release), 3 => (1..=400_u64).prop_map(Act::Paid),
        2 => (0..4_usize).prop_map(Act::Revoke), 4 => (1..=200_u64).prop_map(Act::Refund),
        1 => Just(Act::PayOff), 1 => (1..4_u32).prop_map(Act::Pause),
    ];
    let act = prop_oneof![40 => act, 1 => Just(Act::WriteOff)];
    let answer =
        prop_oneof![8 => Just(Answer::Named), 1 => Just(Answer::Unknown), 1 => Just(Answer::Refused(None))];
    (said, prop::option::weighted(0.4, act), answer).prop_map(|(said, act, answer)| Day { said, act, answer })
}

/// A word on one of the transactions that have a name, the latest first; seldom on the advance itself.
fn say(world: &mut World, pick: usize, status: Status, as_of: Instant) {
    let facts = &world.facts;
    let debits = facts.debits.iter().rev().filter(|d| d.transaction_id.is_some()).map(|d| d.id.0);
    let refunds = facts.refunds.iter().rev().filter(|r| r.transaction_id.is_some()).map(|r| r.id.0);
    let named: Vec<Uuid> = refunds.chain(debits).chain([facts.id.0]).collect();
    if let Some(subject) = named.get(pick) {
        world.say(*subject, Source::Report, status, None, as_of - TimeDelta::hours(1));
    }
}

fn asked(world: &World, act: Act, number: usize, as_of: Instant) -> Option<Input> {
    let id = Uuid::from_u128(1000 + number as u128);
    let amount = |minor| Cents::new(minor).expect("an amount");
    Some(match act {
        Act::Hold => Input::Hold,
        Act::Release => Input::Release { exception_id: None },
        Act::Paid(minor) => {
            let received_on = BusinessDate::new(as_of.date_naive());
            Input::ExternalPayment { id, amount: amount(minor), received_on }
        }
        Act::Revoke(pick) => Input::Revoke { payment_id: world.facts.external_payments.get(pick)?.id },
        // As much as may be given back, at most so much; one cent too many now and then.
        Act::Refund(minor) => {
            let too_much = u64::try_from(State::of(&world.facts).balances().over_paid()).ok()?;
            Input::Refund { id: RefundId(id), amount: amount(minor.min(too_much + u64::from(minor == 200))) }
        }
        Act::WriteOff => Input::WriteOff,
        Act::PayOff => Input::PayOff,
        Act::Pause(intervals) => Input::Pause { intervals },
    })
}

/// The money, worked out a second time from the facts alone.
fn paid_of(facts: &Facts) -> i128 {
    let word = |subject| latest_word(subject, &facts.observations);
    let taken = |subject: Uuid| {
        let taken = facts.words.iter().rev().find(|word| word.subject == subject);
        taken.map(|word| word.outcome.is_success())
    };
    assert!(facts.words.iter().all(|w| word(w.subject).is_some()), "no word without an observation");
    let collected = facts.debits.iter().filter(|d| taken(d.id.0) == Some(true)).map(|d| d.amount.signed());
    let elsewhere = facts.external_payments.iter().filter(|p| !p.revoked).map(|p| p.amount.signed());
    let refunded = facts.refunds.iter().filter(|r| taken(r.id.0) != Some(false)).map(|r| r.amount.signed());
    collected.sum::<i128>() + elsewhere.sum::<i128>() - refunded.sum::<i128>()
}

fn stands(world: &World) {
    let facts = &world.facts;
    let state = State::of(facts);
    let (balances, status) = (state.balances(), state.status());
    let paid = paid_of(facts);
    assert_eq!(balances.paid, paid, "what is paid follows from words, payments and refunds");
    let total = if status == CreditStatus::Failed { 0 } else { 300 };
    assert_eq!(balances.total, total);
    assert_eq!(state.breaches(), [], "{balances:?}");
    let planned: i128 =
        facts.debits.iter().filter(|d| d.reason == Reason::Planned).map(|d| d.amount.signed()).sum();
    assert_eq!(
        planned,
        if state.is_planned() { 300 } else { 0 },
        "a plan is made whole, and before anything else"
    );
    assert!(balances.scheduled == 0 || balances.missing() >= 0, "no more is scheduled than is owed");
    assert!(facts.exceptions.iter().all(|e| e.kind != Kind::OverCollectionPrevented), "no guard trips");
    let is_open = |kind: Kind| facts.exceptions.iter().any(|e| e.open && e.kind == kind);
    assert_eq!(is_open(Kind::OverCollected), paid > total, "{paid} of {total} paid");
    assert_eq!(is_open(Kind::OverRefunded), status == CreditStatus::Failed && paid < 0, "{paid} paid");
}

/// What is missing waits for a release, or is asked for no more.
fn every_gap_is_filled_or_waits(world: &World) {
    let state = State::of(&world.facts);
    let may_miss = match state.status() {
        CreditStatus::Held | CreditStatus::WrittenOff | CreditStatus::Failed => true,
        CreditStatus::Pending | CreditStatus::Unconfirmed => !state.is_planned(),
        CreditStatus::Active | CreditStatus::Repaid => false,
    };
    assert!(may_miss || state.balances().missing() <= 0, "{:?}: {:?}", state.status(), state.balances());
}
