//! The dashboard's figures, over one credit whose only installment falls behind day by day.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeDelta};
use paydown::api::Summary;
use paydown::date::{BusinessDate, Instant};
use paydown::figures::Figures;
use paydown::money::Cents;
use paydown::observation::{Source, Status};
use paydown::plan::Terms;

use crate::world::{Answer, World};

const CREATED_AT: &str = "2026-01-05T12:00:00Z";

#[test]
fn an_installment_ages_from_its_due_date() {
    let ages = [
        (0, "0"),
        (1, "1-7"),
        (7, "1-7"),
        (8, "8-14"),
        (14, "8-14"),
        (15, "15-30"),
        (30, "15-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "90+"),
        (1000, "90+"),
    ];
    for (age, days) in ages {
        let summary = summary(due_on().plus_days(age));
        let held: Vec<_> =
            summary.ageing.iter().filter(|a| a.debits > 0).map(|a| (a.days.as_str(), a.amount)).collect();
        assert_eq!(held, [(days, 300)], "{age} days");
        assert_eq!(summary.overdue, if age == 0 { 0 } else { 300 }, "{age} days");
    }
    let not_due_yet = summary(due_on().minus_days(1));
    assert_eq!((not_due_yet.ageing[0].amount, not_due_yet.overdue), (300, 0));
}

#[test]
fn what_will_be_outstanding_is_what_the_plan_leaves() {
    let (from, to) = (due_on().minus_days(2), due_on().plus_days(1));
    let today = due_on().minus_days(1);
    let left = BTreeMap::from([(from, 250)]);
    let summary =
        figures().summary(CREATED_AT.parse().expect("an instant"), today, (from, to), vec![], &left);
    let outstanding: Vec<_> = summary.days.iter().map(|day| day.outstanding).collect();
    assert_eq!(outstanding, [Some(250), Some(300), Some(0), Some(0)]);
    assert_eq!((summary.totals.advanced, summary.totals.total), (290, 300));
}

#[test]
fn return_rates_count_what_was_submitted_lately() {
    let (mut world, submitted_at) = (world(), "2026-01-12T06:00:00Z".parse().expect("an instant"));
    world.run(submitted_at, true, |_| Answer::Named);
    let debit = world.facts.debits[0].id.0;
    let the_day_after = "2026-01-13T06:00:00Z".parse().expect("an instant");
    world.say(debit, Source::Report, Status::Failure, Some("R10"), the_day_after);
    world.run(the_day_after, true, |_| Answer::Named);
    let figures = figures_of(&world);
    let rates = |as_of: Instant| {
        let summary = figures.summary(as_of, due_on(), (due_on(), due_on()), vec![], &BTreeMap::new());
        summary.returns.iter().map(|rate| (rate.class.name(), rate.debits, rate.returned)).collect::<Vec<_>>()
    };
    let sixty_days_on = submitted_at + Days::new(60);
    assert_eq!(rates(sixty_days_on), [("unauthorized", 1, 1), ("administrative", 1, 0), ("overall", 1, 1)]);
    let later = sixty_days_on + TimeDelta::milliseconds(1);
    assert_eq!(rates(later), [("unauthorized", 0, 0), ("administrative", 0, 0), ("overall", 0, 0)]);
}

#[test]
fn what_is_added_and_taken_away_leaves_nothing() {
    let figures = figures();
    let mut sum = figures.clone();
    sum.plus(&figures);
    assert_ne!(sum, figures);
    sum.minus(&figures);
    assert_eq!(sum, figures);
    sum.minus(&figures);
    assert_eq!(sum, Figures::default());
}

fn summary(today: BusinessDate) -> Summary {
    figures().summary(
        CREATED_AT.parse().expect("an instant"),
        today,
        (today, today),
        vec![],
        &BTreeMap::new(),
    )
}

fn figures() -> Figures {
    figures_of(&world())
}

fn figures_of(world: &World) -> Figures {
    let zone = world.zone.clone();
    Figures::of(&world.facts, |at| zone.business_date(at))
}

/// One credit of which 300 is owed, planned and not due yet.
fn world() -> World {
    let created_at: Instant = CREATED_AT.parse().expect("an instant");
    let cents = |minor| Cents::new(minor).expect("an amount");
    let terms = Terms { amount: cents(290), fee: cents(10), installments: 1, interval_days: 7 };
    let mut world = World::new(terms, created_at);
    world.say(world.facts.id.0, Source::Report, Status::Success, None, created_at);
    world.run("2026-01-06T06:00:00Z".parse().expect("an instant"), true, |_| Answer::Named);
    world
}

fn due_on() -> BusinessDate {
    BusinessDate::new(NaiveDate::from_ymd_opt(2026, 1, 12).expect("a date"))
}
