//! What a decision's facts are called, which rule they follow, and what they leave when they land.

use chrono::TimeDelta;
use paydown::credit::{Because, ExternalPayment, RefundFacts};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::{Decision, Fact, Input};
use paydown::id::{DebitId, ExceptionId, RefundId, TransactionId};
use paydown::money::Cents;
use paydown::observation::{Outcome, Source, Status, Word};
use paydown::plan::Terms;
use uuid::Uuid;

use crate::world::{Answer, World};

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn cents(minor: u64) -> Cents {
    Cents::new(minor).expect("an amount")
}

/// A credit of three debits, the first of which is in flight.
fn planned() -> World {
    let created_at = at("2026-01-05T12:00:00Z");
    let terms = Terms { amount: cents(300), fee: cents(0), installments: 3, interval_days: 7 };
    let mut world = World::new(terms, created_at);
    world.say(world.facts.id.0, Source::Report, Status::Success, None, created_at);
    for day in ["2026-01-06T06:00:00Z", "2026-01-12T06:00:00Z"] {
        world.run(at(day), true, |_| Answer::Named);
    }
    world
}

fn of(facts: Vec<Fact>) -> Decision {
    Decision { turn: 0, facts, effects: vec![] }
}

#[test]
fn the_first_fact_says_the_rule() {
    let world = planned();
    let (credit, debit) = (world.facts.id, world.facts.debits[0].id);
    let word = |subject| {
        let word = Word { subject, outcome: Outcome::Success, code: None, at: at("2026-01-13T06:00:00Z") };
        Fact::Word(word)
    };
    let timed_out = |subject| Fact::TimedOut { subject };
    let cancelled = Fact::Cancelled { debit_id: debit, because: Because::CreditReturned };
    for (first, rule) in [
        (word(credit.0), "L2"),
        (word(debit.0), "L6"),
        (timed_out(credit.0), "L2"),
        (timed_out(debit.0), "L5"),
        (cancelled, "L2"),
        (Fact::Debit(world.facts.debits[0].clone()), "L1"),
        (Fact::Processed { debit_id: debit }, "L3"),
        (Fact::WrittenOff, "L8"),
    ] {
        let decision = of(vec![first, Fact::WrittenOff]);
        assert_eq!(decision.rule(credit), rule, "{:?}", decision.facts[0]);
    }
    assert_eq!(of(vec![]).rule(credit), "L3");
}

#[test]
fn a_fact_is_called_as_in_json() {
    let debit_id = DebitId(Uuid::from_u128(7));
    let transaction_id = TransactionId::try_from("tx_7".to_owned()).expect("a name");
    let payment = ExternalPayment {
        id: Uuid::from_u128(9),
        amount: cents(1),
        received_on: BusinessDate::new(at("2026-01-05T12:00:00Z").date_naive()),
        revoked: false,
        shortened: vec![],
    };
    for fact in [
        Fact::TimedOut { subject: debit_id.0 },
        Fact::Processed { debit_id },
        Fact::Released { exception_id: ExceptionId(Uuid::from_u128(8)) },
        Fact::Closed { id: ExceptionId(Uuid::from_u128(8)) },
        Fact::Decided { subject: debit_id.0, status: Status::Success, code: None },
        Fact::Attached { subject: debit_id.0, transaction_id },
        Fact::ExternalPayment(payment),
        Fact::Revoked { payment_id: Uuid::from_u128(9) },
        Fact::WrittenOff,
    ] {
        let json = serde_json::to_value(&fact).expect("a fact can be written");
        assert_eq!(json["fact"], fact.name());
    }
}

#[test]
fn an_attached_transaction_is_its_subjects_alone() {
    let mut world = planned();
    let refund = RefundFacts {
        id: RefundId(Uuid::from_u128(11)),
        amount: cents(1),
        submitted_at: at("2026-01-13T06:00:00Z"),
        transaction_id: None,
    };
    world.facts.refunds.push(refund);
    world.facts.transaction_id = None;
    for debit in &mut world.facts.debits {
        debit.transaction_id = None;
    }
    let subjects = [world.facts.id.0, world.facts.debits[1].id.0, world.facts.refunds[0].id.0];
    for (place, subject) in subjects.into_iter().enumerate() {
        let mut facts = world.facts.clone();
        let transaction_id = TransactionId::try_from("tx_attached".to_owned()).expect("a name");
        facts.apply(&of(vec![Fact::Attached { subject, transaction_id }]), at("2026-01-13T06:00:00Z"));
        let named =
            [&facts.transaction_id, &facts.debits[1].transaction_id, &facts.refunds[0].transaction_id];
        let named: Vec<bool> = named.into_iter().map(Option::is_some).collect();
        assert_eq!(named, [place == 0, place == 1, place == 2]);
        assert_eq!(facts.debits[0].transaction_id, None);
    }
}

#[test]
fn a_payment_keeps_which_debits_it_shortened() {
    let mut world = planned();
    let paid_at = at("2026-01-12T06:00:00Z") + TimeDelta::hours(1);
    let received_on = BusinessDate::new(paid_at.date_naive());
    world.decide(Input::ExternalPayment { id: Uuid::from_u128(9), amount: cents(150), received_on }, paid_at);
    assert_eq!(world.facts.external_payments[0].shortened, [2, 3]);
}
