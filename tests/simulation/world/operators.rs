//! The operators of a world: what they do to a credit (L8), each act with odds of its own, and how they resolve exceptions.
//!
//! What they say of a transaction is what the bank's own books say, unless they err; then the bank's word comes later and
//! says otherwise.

use futures_executor::block_on;
use paydown::credit::{DebitStatus, Facts, State};
use paydown::id::{self, CreditId};
use paydown::observation::Source;
use paydown_edge::ledger::facts::facts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Came, Deed, World};
use crate::config::Trouble;
use crate::dice::Dice;

/// The acts that come by chance, besides holding, stopping and resolving.
const ACTS: [Trouble; 9] = [
    Trouble::Release,
    Trouble::Decide,
    Trouble::Attach,
    Trouble::ExternalPayment,
    Trouble::Revoke,
    Trouble::Refund,
    Trouble::WriteOff,
    Trouble::PayOff,
    Trouble::Pause,
];

/// How the name of a refund ends that is not to be given.
const TOO_MUCH: &str = ", more than there is";

/// An act of an operator, by the name that stories know it by.
type Act = (String, Deed);

/// Something that the processor was asked for: a credit, a debit or a refund.
struct Subject {
    id: Uuid,
    /// What stories call it.
    label: String,
    /// The part of the API that it belongs to.
    noun: &'static str,
    /// Whether the processor's name of it is known.
    is_named: bool,
    /// Whether the processor said something of it.
    is_said: bool,
    /// Whether an operator said something of it.
    is_decided: bool,
    /// Whether the processor is called for it again until it answers.
    is_sought: bool,
}

impl World {
    /// What operators do in a part of the day.
    pub(super) fn operators(&mut self, part: &str) -> Result<(), String> {
        if self.rolls(Trouble::Hold, part) {
            let whom = self.scene.dice.of("hold").of(self.day).of(part).below(self.scene.config.credits);
            let deed = self.hold(whom);
            self.act("operator holds", deed)?;
        }
        for trouble in ACTS {
            if !self.rolls(trouble, part) {
                continue;
            }
            let dice = self.scene.dice.of(trouble.name()).of(self.day).of(part);
            let Some((name, deed)) = self.chosen(trouble, dice) else { continue };
            let mut deeds = vec![(name.clone(), deed.clone())];
            if self.rolls(Trouble::RepeatedRequest, &name) {
                deeds.push((format!("{name} again"), deed));
            }
            let came = self.perform(deeds)?;
            let is_done = came.iter().flatten().any(|came| matches!(came, Came::Answer(200, _)));
            if name.ends_with(TOO_MUCH) && is_done {
                return Err(format!("L8: more is refunded than was paid too much, {name}"));
            }
        }
        if self.rolls(Trouble::Resolve, part) {
            self.resolve(3)?;
        }
        Ok(())
    }

    /// Some act of an operator, for beside something else.
    pub(super) fn any_act(&self, dice: Dice) -> Act {
        let chosen = self.chosen(dice.of("which").pick(&ACTS), dice);
        let whom = dice.of("whom").below(self.scene.config.credits);
        chosen.unwrap_or_else(|| ("operator holds".to_owned(), self.hold(whom)))
    }

    fn hold(&self, number: u64) -> Deed {
        let id = self.wants[usize::try_from(number).expect("a place")].credit_id.clone();
        let path = format!("/v1/credits/{}/hold", id.unwrap_or_else(|| Uuid::nil().to_string()));
        Deed::post(&path, Some(format!("hold {number} {}", self.now)), json!({ "note": "looks odd" }))
    }

    /// An act on a credit of chance, if there is one for which it makes sense.
    fn chosen(&self, trouble: Trouble, dice: Dice) -> Option<Act> {
        let credits = self.all_facts();
        let credit = credits.get(usize::try_from(dice.of("whom").below(credits.len() as u64)).ok()?)?;
        let (balances, of_credit) =
            (State::of(credit).balances(), |act: &str| format!("credits/{}/{act}", credit.id));
        let (path, mut body) = match trouble {
            Trouble::Release => (of_credit("release"), json!({})),
            Trouble::WriteOff => (of_credit("write_off"), json!({})),
            Trouble::PayOff => (of_credit("pay_off"), json!({})),
            Trouble::Pause => (of_credit("pause"), json!({ "intervals": dice.between(1, 3) })),
            Trouble::ExternalPayment => {
                let owed = u64::try_from(balances.outstanding()).ok()?;
                let amount = dice.of("amount").pick(&[1, owed / 3, owed / 2, owed, owed + 500]).max(1);
                let received_on = self.scene.config.zone.business_date(self.now);
                (of_credit("external_payment"), json!({ "amount": amount, "received_on": received_on }))
            }
            Trouble::Revoke => {
                let payment = credit.external_payments.iter().find(|payment| !payment.revoked)?;
                (of_credit(&format!("external_payment/{}/revoke", payment.id)), json!({}))
            }
            Trouble::Refund => {
                let excess = u64::try_from(balances.over_paid().max(0)).ok()?;
                let amount = dice.of("amount").pick(&[1, excess / 2, excess, excess + 1]).max(1);
                (of_credit("refund"), json!({ "amount": amount }))
            }
            Trouble::Decide => self.decision(credit, dice)?,
            Trouble::Attach => {
                let subjects = self.subjects(credit);
                let (subject, name) =
                    subjects.iter().find_map(|subject| Some((subject, self.lost_name(subject)?)))?;
                (format!("{}/{}/attach", subject.noun, subject.id), json!({ "transaction_id": name }))
            }
            other => panic!("{} is no act on a credit", other.name()),
        };
        body["note"] = json!("as agreed");
        let is_too_much = trouble == Trouble::Refund
            && body["amount"].as_i64().map(i128::from) > Some(balances.over_paid());
        let name = format!("{} {}{}", trouble.name(), label(credit), if is_too_much { TOO_MUCH } else { "" });
        let key = format!("{name} {}", self.now);
        if trouble == Trouble::Refund {
            let refund = id::from_cause(id::bucket_of(credit.id.0), &["refund", &key]);
            self.bank.expect_refund(refund, &key);
        }
        Some((name, Deed::post(&format!("/v1/{path}"), Some(key), body)))
    }

    /// What an operator says of a transaction of which the processor has said nothing: the truth, or a mistake that the
    /// processor's own word will show.
    fn decision(&self, credit: &Facts, dice: Dice) -> Option<(String, Value)> {
        let silent: Vec<Subject> = self.subjects(credit).into_iter().filter(|s| !s.is_said).collect();
        let subject = silent.get(usize::try_from(dice.of("subject").below(silent.len() as u64)).ok()?)?;
        let moved = self.bank.has_moved(&subject.id.to_string());
        let errs = moved.is_some() && subject.is_named && self.rolls(Trouble::Mistake, &subject.label);
        let is_success = moved.unwrap_or(false) != errs;
        let path = format!("{}/{}/decision", subject.noun, subject.id);
        let code = dice.of("code").pick(&[None, Some("R01"), Some("R02")]);
        Some((
            path,
            match (is_success, code) {
                (true, _) => json!({ "status": "success" }),
                (false, None) => json!({ "status": "failure" }),
                (false, Some(code)) => json!({ "status": "failure", "code": code }),
            },
        ))
    }

    /// The bank's name of a transaction of which ours knows none.
    fn lost_name(&self, subject: &Subject) -> Option<String> {
        if subject.is_named { None } else { self.bank.name_of(&subject.id.to_string()) }
    }

    /// What the processor was asked for a credit.
    fn subjects(&self, credit: &Facts) -> Vec<Subject> {
        let state = State::of(credit);
        let said = |id: Uuid, by_operator: bool| {
            credit
                .observations
                .iter()
                .any(|o| o.subject == id && (o.source == Source::Decision) == by_operator)
        };
        let seeks_debits = !state.has_failed() && !credit.written_off && self.scene.config.key_days.is_none();
        let label = label(credit);
        let subject = |id: Uuid, noun, label, is_named, seeks: bool| {
            let (is_said, is_decided) = (said(id, false), said(id, true));
            Subject { id, label, noun, is_named, is_said, is_decided, is_sought: seeks && !is_decided }
        };
        let is_named = credit.transaction_id.is_some();
        let own = subject(credit.id.0, "credits", label.clone(), is_named, seeks_debits);
        let submitted = credit.debits.iter().filter(|debit| debit.submitted_at.is_some());
        let debits = submitted.map(|d| {
            let label = format!("{label}/{}", d.sequence);
            subject(d.id.0, "debits", label, d.transaction_id.is_some(), seeks_debits)
        });
        let seeks_refunds = self.scene.config.key_days.is_none();
        let refunds = credit.refunds.iter().enumerate().map(|(place, r)| {
            let label = format!("{label} refund {place}");
            subject(r.id.0, "refunds", label, r.transaction_id.is_some(), seeks_refunds)
        });
        std::iter::once(own).chain(debits).chain(refunds).collect()
    }

    /// The facts of all credits, in an order that does not depend on their ids.
    fn all_facts(&self) -> Vec<Facts> {
        let ids = self.sqlite.query("SELECT id FROM credits ORDER BY amount, account_id");
        let ids: Vec<CreditId> = ids.iter().map(|id| CreditId(id.parse().expect("an id"))).collect();
        block_on(facts(&*self.sqlite, &ids)).expect("the facts can be read")
    }

    /// Resolves some of the open exceptions: releases those that hold, closes the others or says what became of their
    /// transactions.
    pub(super) fn resolve(&mut self, most: usize) -> Result<(), String> {
        let open = self.sqlite.query(
            "SELECT json_array(e.id, e.kind, EXISTS (SELECT 1 FROM holds WHERE exception_id = e.id), coalesce(c.amount, 0),
               coalesce((SELECT sequence FROM debits WHERE id = e.subject), 0), e.subject)
             FROM exceptions e LEFT JOIN credits c ON c.id = e.credit_id
             WHERE e.id NOT IN (SELECT exception_id FROM resolutions)
             ORDER BY e.kind, e.opened_at, coalesce(c.amount, 0),
               coalesce((SELECT sequence FROM debits WHERE id = e.subject), 0), e.detail",
        );
        let mut open: Vec<Value> = open.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect();
        if !self.scene.is_calm() {
            self.scene.dice.of("resolve").of(self.now).shuffle(&mut open);
        }
        for exception in open.into_iter().take(most) {
            let about = format!("{} of {}/{}", exception[1], exception[3], exception[4]);
            let waits =
                ["no_answer", "credit_unconfirmed"].contains(&exception[1].as_str().unwrap_or_default());
            let mut body = if exception[2] == 1 {
                json!({ "action": "release" })
            } else if waits
                && !self.scene.is_calm()
                && self.scene.dice.of("decide").of(&about).of(self.day).chance(500)
            {
                let moved = self.bank.has_moved(exception[5].as_str().unwrap_or_default());
                let status = if moved.unwrap_or(false) { "success" } else { "failure" };
                json!({ "action": "decide", "status": status })
            } else {
                json!({ "action": "close" })
            };
            body["note"] = json!("seen");
            let path = format!("/v1/exceptions/{}/resolution", exception[0].as_str().expect("an id"));
            let name = format!("operator: {} {about}", body["action"].as_str().unwrap_or_default());
            self.act(&name, Deed::post(&path, None, body))?;
        }
        Ok(())
    }

    /// Names what the bank carries out and we will not call for again, and says of what it does not that nothing moved.
    pub(super) fn clear_up(&mut self) -> Result<(), String> {
        for credit in self.all_facts() {
            let processing: Vec<Uuid> = State::of(&credit)
                .debit_statuses()
                .zip(&credit.debits)
                .filter(|((_, status), _)| *status == DebitStatus::Processing)
                .map(|(_, debit)| debit.id.0)
                .collect();
            for subject in self.subjects(&credit) {
                if subject.is_named || subject.is_said || subject.is_sought {
                    continue;
                }
                let waits = subject.noun != "debits" || processing.contains(&subject.id);
                let (act, mut body) = match self.bank.name_of(&subject.id.to_string()) {
                    Some(name) => ("attach", json!({ "transaction_id": name })),
                    None if subject.is_decided || !waits => continue,
                    None => ("decision", json!({ "status": "failure" })),
                };
                body["note"] = json!("cleared up");
                let name = format!("operator: {act} of {}", subject.label);
                let path = format!("/v1/{}/{}/{act}", subject.noun, subject.id);
                self.act(&name, Deed::post(&path, Some(format!("{name} {}", self.now)), body))?;
            }
        }
        Ok(())
    }
}

/// What stories call a credit: no two of a world have one amount.
fn label(credit: &Facts) -> String {
    format!("c{}", credit.terms.amount.get() % 1000)
}
