//! The dashboard's figures, over one credit whose only installment falls behind day by day.

use chrono::NaiveDate;
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
    figures().summary(CREATED_AT.parse().expect("an instant"), today, (today, today), 0)
}

fn figures() -> Figures {
    let created_at: Instant = CREATED_AT.parse().expect("an instant");
    let amount = Cents::new(300).expect("an amount");
    let mut world =
        World::new(Terms { amount, fee: Cents::ZERO, installments: 1, interval_days: 7 }, created_at);
    world.say(world.facts.id.0, Source::Report, Status::Success, None, created_at);
    world.run("2026-01-06T06:00:00Z".parse().expect("an instant"), true, |_| Answer::Named);
    let zone = world.zone.clone();
    Figures::of(&world.facts, |at| zone.business_date(at))
}

fn due_on() -> BusinessDate {
    BusinessDate::new(NaiveDate::from_ymd_opt(2026, 1, 12).expect("a date"))
}
