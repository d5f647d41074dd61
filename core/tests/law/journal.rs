//! The journal over random lives of one credit: what it says agrees with the balances of the facts after every decision,
//! and nothing that it said before is ever said otherwise.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use paydown::credit::{Facts, RefundStatus, State};
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::decision::{Fact, Input};
use paydown::id::RefundId;
use paydown::journal::{Entry, History, LedgerAccount, Moved, Movement, Why, balances, entries};
use paydown::money::Cents;
use paydown::observation::{Source, Status, Word};
use paydown::plan::Terms;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use uuid::Uuid;

use crate::world::{Answer, Taken, World};

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::with_cases(300)
    })]

    #[test]
    fn the_journal_is_the_balances_and_never_takes_a_word_back(acts in prop::collection::vec(acts(), 1..60)) {
        live(&acts, |_, _| {});
    }
}

/// The lives reach each way in which an entry comes about.
#[test]
fn the_lives_reach_every_reason_and_every_ledger_account() {
    let (mut whys, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..100 {
        let acts = prop::collection::vec(acts(), 1..60);
        let acts = proptest::strategy::ValueTree::current(&acts.new_tree(&mut runner).expect("a life"));
        live(&acts, |_, entries| {
            whys.extend(entries.iter().map(|entry| format!("{:?}", entry.why)));
            accounts.extend(balances(entries).into_keys().map(|account| format!("{account:?}")));
        });
    }
    let all_whys = "AdvanceConfirmed AdvanceFailed AdvanceReturned AdvanceSent Collected CollectionReturned PaidElsewhere \
        PaymentRevoked RefundConfirmed RefundFailed RefundSent WrittenOff";
    assert_eq!(whys.into_iter().collect::<Vec<_>>().join(" "), all_whys);
    let all_accounts = "AdvancesPending Cash CustomerExcess FeeIncome PayoutsInTransit Receivable ReceivedElsewhere WriteOffs";
    assert_eq!(accounts.into_iter().collect::<Vec<_>>().join(" "), all_accounts);
}

#[test]
fn money_that_comes_after_a_write_off_makes_the_loss_less() {
    let acts = [
        Act::Say(0, true),
        Act::Run(1),
        Act::Run(8),
        Act::WriteOff,
        Act::Say(1, true),
        Act::Run(1),
        Act::Say(1, false),
        Act::Run(1),
    ];
    let mut told = Vec::new();
    live(&acts, |world, entries| {
        let Some(last) = entries.last() else { return };
        let loss = balances(entries).get(&LedgerAccount::WriteOffs).copied().unwrap_or_default();
        if world.facts.written_off && !told.iter().any(|(why, _)| *why == last.why) {
            told.push((last.why, loss));
        }
    });
    assert_eq!(told, [(Why::WrittenOff, 1050), (Why::Collected, 787), (Why::CollectionReturned, 1050)]);
}

#[test]
fn an_entry_says_when_it_was_recorded_and_when_the_money_moved() {
    let (mut dates, mut ids) = (Vec::new(), BTreeSet::new());
    live(&[Act::Say(0, true), Act::Run(3), Act::Pay(10)], |_, entries| {
        dates = entries.iter().map(|e| format!("{:?} {} {}", e.why, e.date, e.value_date)).collect();
        ids = entries.iter().map(|e| e.id).collect();
    });
    let wanted = [
        "AdvanceSent 2026-01-05 2026-01-05",
        // Said on the 5th, read on the 8th.
        "AdvanceConfirmed 2026-01-08 2026-01-05",
        "PaidElsewhere 2026-01-08 2026-01-02",
    ];
    assert_eq!((dates, ids.len()), (wanted.map(str::to_owned).to_vec(), 3));
}

// --- random lives ---

#[derive(Debug, Clone)]
enum Act {
    /// A word on one of the transactions that there are, a minute ago.
    Say(usize, bool),
    /// A run so many days later.
    Run(i64),
    Pay(u64),
    Revoke(usize),
    Refund,
    WriteOff,
    Release,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => (0..6_usize, prop::bool::weighted(0.65)).prop_map(|(pick, success)| Act::Say(pick, success)),
        10 => (1..9_i64).prop_map(Act::Run),
        2 => (1..900_u64).prop_map(Act::Pay),
        1 => (0..3_usize).prop_map(Act::Revoke),
        3 => Just(Act::Refund),
        1 => prop::bool::weighted(0.2).prop_map(|gives_up| if gives_up { Act::WriteOff } else { Act::Release }),
        2 => Just(Act::Release),
    ]
}

fn live(acts: &[Act], mut look: impl FnMut(&World, &[Entry])) {
    let cents = |minor| Cents::new(minor).expect("an amount");
    let mut now: Instant = "2026-01-05T15:00:00Z".parse().expect("an instant");
    let mut world =
        World::new(Terms { amount: cents(1000), fee: cents(50), installments: 4, interval_days: 7 }, now);
    let zone = Zone::new(vec![(Instant::MIN_UTC, -5 * 3600)]);
    let (mut movements, mut said): (Vec<Movement>, Vec<Entry>) = (vec![], vec![]);
    for (number, act) in acts.iter().enumerate() {
        now += TimeDelta::minutes(10);
        let id = Uuid::from_u128(1000 + number as u128);
        match act {
            Act::Say(pick, is_success) => {
                let submitted =
                    world.facts.debits.iter().filter(|d| d.submitted_at.is_some()).map(|d| d.id.0);
                let refunds = world.facts.refunds.iter().map(|refund| refund.id.0);
                let all: Vec<Uuid> = [world.facts.id.0].into_iter().chain(refunds).chain(submitted).collect();
                let status = if *is_success { Status::Success } else { Status::Failure };
                let subject = all[pick % all.len()];
                world.say(subject, Source::Report, status, None, now - TimeDelta::minutes(1));
            }
            Act::Run(days) => {
                now += TimeDelta::days(*days);
                world.run(now, true, |_| Answer::Named);
            }
            Act::Pay(amount) => {
                let received_on = "2026-01-02".parse().expect("a date");
                world.decide(Input::ExternalPayment { id, amount: cents(*amount), received_on }, now);
            }
            Act::Revoke(pick) => {
                if let Some(payment) = world.facts.external_payments.get(*pick) {
                    world.decide(Input::Revoke { payment_id: payment.id }, now);
                }
            }
            Act::Refund => {
                let amount = Cents::from_balance(State::of(&world.facts).balances().over_paid());
                world.decide(Input::Refund { id: RefundId(id), amount }, now);
            }
            Act::WriteOff => {
                world.decide(Input::WriteOff, now);
            }
            Act::Release => {
                world.decide(Input::Release { exception_id: None }, now);
            }
        }
        for taken in std::mem::take(&mut world.taken) {
            movements.extend(taken.decision.facts.iter().filter_map(|fact| movement(&taken, fact, now)));
            let saying = entries(&history(&world.facts, movements.clone()), &zone);
            assert_eq!(saying[..said.len()], said, "what was said is said again");
            assert!(
                saying
                    .iter()
                    .all(|e| !e.transfers.is_empty() && e.transfers.iter().all(|t| t.amount.get() > 0))
            );
            agrees(&taken.after, &balances(&saying));
            said = saying;
        }
        look(&world, &said);
    }
}

fn history(facts: &Facts, movements: Vec<Movement>) -> History {
    History {
        credit_id: facts.id,
        account_id: facts.account_id.clone(),
        currency: facts.currency.clone(),
        amount: facts.terms.amount,
        fee: facts.terms.fee,
        created_at: facts.created_at,
        movements,
    }
}

/// What a fact of a decision may move.
fn movement(taken: &Taken, fact: &Fact, at: Instant) -> Option<Movement> {
    let facts = &taken.after;
    let debit = |id: Uuid| facts.debits.iter().find(|d| d.id.0 == id).map(|d| d.amount);
    let refund = |id: Uuid| facts.refunds.iter().find(|r| r.id.0 == id).map(|r| r.amount);
    let (subject_id, amount, moved) = match fact {
        Fact::Word(Word { subject, outcome, at: said_at, .. }) => {
            let (outcome, said_at) = (*outcome, *said_at);
            match (debit(*subject), refund(*subject)) {
                (Some(amount), _) => (*subject, amount, Moved::Debit { outcome, said_at }),
                (None, Some(amount)) => (*subject, amount, Moved::Refund { outcome, said_at }),
                (None, None) => (*subject, facts.terms.amount, Moved::Advance { outcome, said_at }),
            }
        }
        Fact::Refund(refund) => (refund.id.0, refund.amount, Moved::RefundSent),
        Fact::ExternalPayment(payment) => {
            let received_on: BusinessDate = payment.received_on;
            (payment.id, payment.amount, Moved::PaidElsewhere { received_on })
        }
        Fact::Revoked { payment_id } => {
            let payment = facts.external_payments.iter().find(|payment| payment.id == *payment_id)?;
            (payment.id, payment.amount, Moved::PaymentRevoked)
        }
        Fact::WrittenOff => (facts.id.0, Cents::ZERO, Moved::WrittenOff),
        Fact::TimedOut { .. }
        | Fact::Debit(_)
        | Fact::Cancelled { .. }
        | Fact::Processed { .. }
        | Fact::Held(_)
        | Fact::Released { .. }
        | Fact::Opened { .. }
        | Fact::Closed { .. }
        | Fact::Decided { .. }
        | Fact::Attached { .. } => return None,
    };
    Some(Movement { turn: taken.decision.turn, at, run_id: None, subject_id, amount, moved })
}

/// The balances of the ledger accounts are those that follow from the facts.
fn agrees(facts: &Facts, journal: &BTreeMap<LedgerAccount, i128>) {
    let of = |account| journal.get(&account).copied().unwrap_or_default();
    let money = State::of(facts).balances();
    let own =
        facts.words.iter().rev().find(|word| word.subject == facts.id.0).map(|w| w.outcome.is_success());
    let arrived = own == Some(true);
    let advance = facts.terms.amount.signed();
    let refunds = paydown::api::Refund::of(facts);
    let refunded = |wanted: &[RefundStatus]| -> i128 {
        refunds.iter().filter(|r| wanted.contains(&r.status)).map(|r| r.amount.signed()).sum()
    };
    let sent = [RefundStatus::Processing, RefundStatus::Submitted, RefundStatus::Unconfirmed];
    let (confirmed, sent) = (refunded(&[RefundStatus::Confirmed]), refunded(&sent));
    let pending = if own.is_none() { advance } else { 0 };
    // Before the advance arrived nothing is owed, whatever it will be.
    let owed = if arrived { facts.terms.total() } else { 0 } - money.paid;
    let claim = owed.max(0);

    assert_eq!(journal.values().sum::<i128>(), 0, "the trial balance");
    assert_eq!(of(LedgerAccount::Cash), money.collected - confirmed - if arrived { advance } else { 0 });
    assert_eq!(of(LedgerAccount::ReceivedElsewhere), money.paid - money.collected + money.refunded);
    assert_eq!(of(LedgerAccount::AdvancesPending), pending);
    assert_eq!(of(LedgerAccount::PayoutsInTransit), -pending - sent);
    assert_eq!(of(LedgerAccount::Receivable), if facts.written_off { 0 } else { claim });
    assert_eq!(of(LedgerAccount::WriteOffs), if facts.written_off { claim } else { 0 });
    assert_eq!(of(LedgerAccount::CustomerExcess), -(-owed).max(0));
    assert_eq!(of(LedgerAccount::FeeIncome), if arrived { -facts.terms.fee.signed() } else { 0 });
    if arrived {
        assert_eq!(
            (claim, (-owed).max(0)),
            (money.outstanding(), money.over_paid()),
            "as the dashboard says"
        );
    }
}
