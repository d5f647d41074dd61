//! Replaying a book (L10.4): each credit's state is built anew, by core, from the inputs alone, and compared with what the
//! ledger holds, one hash for each credit.
//!
//! Inputs are taken as the ledger and the archive keep them: the requests, the processor's answers, the bytes of the reports
//! with the instants of their runs, what operators asked, and what each decision had seen of all that. Everything else,
//! report rows and coverage among it, is worked out again.

mod coverage;
mod lines;
mod said;
pub mod state;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use futures_executor::block_on;
use paydown::calendar::FederalReserve;
use paydown::credit::{CreditStatus, Facts, Hold, State};
use paydown::date::Instant;
use paydown::decision::{Context, Decision, Effect, Fact, Input, decide};
use paydown::id::{CreditId, ExceptionId};
use paydown_edge::ledger::asked::Asked;
use paydown_edge::ledger::facts::facts;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use coverage::Coverage;
use lines::Lines;
use said::Said;
use tables::{Decided, Tables};

use crate::sqlite::Sqlite;

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Every credit of the book.
    pub credits: Vec<Credit>,
    /// The archived reports that are not, byte for byte, those that were read, each in a sentence.
    pub changed_reports: Vec<String>,
}

/// One credit, as the ledger has it and as it follows from the inputs.
#[derive(Debug)]
pub struct Credit {
    /// The credit.
    pub id: CreditId,
    /// The hash of all its decisions and facts in the ledger.
    pub recorded: String,
    /// The hash of what follows from the inputs.
    pub replayed: String,
    /// What differs first: as recorded, and as replayed.
    pub first_difference: Option<(String, String)>,
}

impl Replayed {
    /// The credits whose state is not what follows from the inputs.
    pub fn different(&self) -> impl Iterator<Item = &Credit> {
        self.credits.iter().filter(|credit| credit.recorded != credit.replayed)
    }

    /// Whether all is as it follows from the inputs.
    pub fn is_equal(&self) -> bool {
        self.changed_reports.is_empty() && self.different().next().is_none()
    }

    /// What a person is told: a line for each thing that differs, and the sum.
    pub fn told(&self) -> String {
        let mut told = String::new();
        for report in &self.changed_reports {
            told.push_str(&format!("{report}\n"));
        }
        for credit in self.different() {
            let (recorded, replayed) = credit.first_difference.clone().unwrap_or_default();
            told.push_str(&format!(
                "{} recorded {} replayed {}\n  recorded: {recorded}\n  replayed: {replayed}\n",
                credit.id, credit.recorded, credit.replayed
            ));
        }
        let (all, different) = (self.credits.len(), self.different().count());
        told + &format!("{all} credits, {} equal, {different} different", all - different)
    }
}

/// Replays every credit of a ledger. `archived` gives the bytes of an archived object.
pub fn replay(sqlite: &Sqlite, archived: &dyn Fn(&str) -> Option<Vec<u8>>) -> Replayed {
    let tables = Tables::of(sqlite);
    let (said, changed_reports) = Said::of(&tables, archived);
    let coverage = Coverage::of(&tables, &said);
    let recorded: BTreeMap<CreditId, Facts> =
        block_on(facts(sqlite, &tables.credits.keys().copied().collect::<Vec<_>>()))
            .expect("the ledger gives its facts")
            .into_iter()
            .map(|facts| (facts.id, facts))
            .collect();
    let mut lives: Vec<Life<'_>> = tables.credits.values().map(|first| Life::new(&tables, first)).collect();
    for life in &mut lives {
        life.live(&said, &coverage);
    }
    let accounts = Accounts::of(&lives);
    let credits = lives.into_iter().map(|life| {
        let ledger = recorded.get(&life.own.id).cloned();
        life.compared(&said, &accounts, ledger)
    });
    Replayed { credits: credits.collect(), changed_reports }
}

/// A hold on a whole account: the exception, the decision that opened it, and when.
type AccountHold = (ExceptionId, Uuid, Instant);

/// A credit while it is replayed.
struct Life<'a> {
    tables: &'a Tables,
    /// What follows from its own decisions; what comes from outside is laid over it for each of them.
    own: Facts,
    /// The exceptions that were closed from outside, as far as they were seen.
    closed: BTreeSet<ExceptionId>,
    /// The holds that decisions of other credits of the account put on it.
    account_holds: BTreeSet<AccountHold>,
    /// The holds that its decisions put on the other credits of its account.
    puts: Vec<AccountHold>,
    recorded: Lines,
    replayed: Lines,
}

impl<'a> Life<'a> {
    fn new(tables: &'a Tables, first: &Facts) -> Life<'a> {
        Life {
            tables,
            own: first.clone(),
            closed: BTreeSet::new(),
            account_holds: BTreeSet::new(),
            puts: vec![],
            recorded: Lines::default(),
            replayed: Lines::default(),
        }
    }

    /// Takes every decision again, in order.
    fn live(&mut self, said: &Said, coverage: &Coverage) {
        let decisions = self.tables.decisions.get(&self.own.id).map_or(&[][..], Vec::as_slice);
        for decided in decisions {
            let turn = decided.turn;
            let Some(input) = &decided.input else {
                self.recorded.push(format!("turn {turn}: what it was asked was not recorded yet"));
                self.replayed.push(format!("turn {turn}: it cannot be decided again"));
                return;
            };
            self.recorded.push(format!("turn {turn}: rule {}", decided.rule));
            self.recorded.extend(turn, self.tables.facts_of(decided));
            self.recorded.push(format!("turn {turn}: asked {input}"));
            let before = State::of(&self.own).status();
            if input["input"] == "held_by_account" {
                self.held_by_account(decided, input);
            } else {
                self.decide(decided, input, said, coverage);
            }
            if self.tables.is_told_of(decided) {
                let told = told(before, State::of(&self.own).status());
                self.recorded.push(format!("turn {turn}: told {:?}", self.tables.standing(decided)));
                self.replayed.push(format!("turn {turn}: told {told:?}"));
            }
        }
    }

    /// A decision of another credit holds this one, by all the exceptions that it opened for the account. Whether it did
    /// is seen when all credits are replayed.
    fn held_by_account(&mut self, decided: &Decided, input: &Value) {
        let cause = serde_json::from_value(input["decision_id"].clone()).unwrap_or_default();
        let exceptions = self.tables.held_under(decided);
        let is_struck =
            |id: &ExceptionId| self.tables.exceptions.get(id).is_some_and(|e| e.kind == "two_strikes");
        let rule = if exceptions.iter().any(is_struck) { "L8" } else { "L7" };
        let turn = self.own.turn;
        let held = |id: &ExceptionId| Fact::Held(Hold { exception_id: *id, released: false });
        let decision = Decision { turn, facts: exceptions.iter().map(held).collect(), effects: vec![] };
        let facts = decision.facts.iter().map(|fact| serde_json::to_value(fact).expect("a fact is JSON"));
        self.replayed.push(format!("turn {turn}: rule {rule}"));
        self.replayed.extend(turn, facts.collect());
        self.replayed.push(format!("turn {turn}: asked {input}"));
        self.own.apply(&decision, decided.at);
        self.account_holds.extend(exceptions.into_iter().map(|id| (id, cause, decided.at)));
    }

    fn decide(&mut self, decided: &Decided, input: &Value, said: &Said, coverage: &Coverage) {
        let turn = self.own.turn;
        let asked: Asked = match serde_json::from_value(input.clone()) {
            Ok(asked) => asked,
            Err(error) => return self.replayed.push(format!("turn {turn}: asked what nobody can: {error}")),
        };
        self.see_closed(&asked);
        let facts = self.with_what_was_seen(&asked, said);
        let (input, asked_again) = match &asked.input {
            Input::Words { covered_from } => {
                let (whole, part) = coverage.of_run(decided.run_id, *covered_from);
                (Input::Words { covered_from: whole }, Input::Words { covered_from: part })
            }
            other => (other.clone(), other.clone()),
        };
        let in_force = self.tables.policies.get(&decided.policy_id).expect("a decision names its policy");
        let (policy, zone) = (&in_force.policy, &in_force.offsets);
        let context = Context { as_of: decided.at, zone, policy, calendar: &FederalReserve };
        let decision = decide(&facts, input.clone(), &context);
        self.replayed.push(format!("turn {turn}: rule {}", decision.rule(self.own.id)));
        self.replayed.extend(turn, self.tables.as_recorded(&self.own, decided, &input, &decision));
        let asked = serde_json::to_value(Asked::of(asked_again, &facts)).expect("it is JSON");
        self.replayed.push(format!("turn {turn}: asked {asked}"));
        self.apply(&decision, decided);
    }

    /// Adds the decision's facts. An exception closes with the last of its holds, whosever that is.
    fn apply(&mut self, decision: &Decision, decided: &Decided) {
        self.own.apply(decision, decided.at);
        for fact in &decision.facts {
            let Fact::Released { exception_id } = fact else { continue };
            let closing = self.tables.closings.get(exception_id);
            let is_last = closing.is_some_and(|closing| closing.decision_id == Some(decided.id));
            for exception in self.own.exceptions.iter_mut().filter(|e| e.id == *exception_id) {
                exception.open = !is_last;
            }
        }
        for effect in &decision.effects {
            if let Effect::HoldAccount { exception_id } = effect {
                self.puts.push((*exception_id, decided.id, decided.at));
            }
        }
    }

    /// Takes in so many closings from outside as the decision had seen, in the order of their instants.
    fn see_closed(&mut self, asked: &Asked) {
        let mut outside: Vec<_> = self
            .own
            .exceptions
            .iter()
            .filter_map(|exception| Some((exception.id, self.tables.closings.get(&exception.id)?)))
            .filter(|(id, closing)| closing.is_from_outside(self.own.id) && !self.closed.contains(id))
            .collect();
        outside.sort_by_key(|(id, closing)| (closing.at, *id));
        let mut outside = outside.into_iter().map(|(id, _)| id).collect::<Vec<_>>().into_iter();
        // What closed by itself and by a person at once is closed by the person.
        let both: Vec<ExceptionId> = self
            .own
            .exceptions
            .iter()
            .filter(|e| !e.open && self.tables.closings.get(&e.id).is_some_and(|c| c.action == "close"))
            .map(|e| e.id)
            .collect();
        both.into_iter().for_each(|id| self.close(id));
        while self.own.exceptions.iter().filter(|e| !e.open).count() < asked.seen.closed {
            let Some(id) = outside.next() else { return };
            self.close(id);
        }
    }

    fn close(&mut self, id: ExceptionId) {
        let by_operator = self.tables.closings.get(&id).is_some_and(|closing| closing.action == "close");
        for exception in self.own.exceptions.iter_mut().filter(|e| e.id == id) {
            exception.open = false;
            exception.closed_by_operator = by_operator;
        }
        self.closed.insert(id);
    }

    /// Its facts with the names, observations and unknown answers that the decision had seen.
    fn with_what_was_seen(&self, asked: &Asked, said: &Said) -> Facts {
        let mut facts = self.own.clone();
        self.tables.name(&mut facts, &asked.seen.unnamed);
        said.observe(&mut facts, self.tables, asked.seen.reported, asked.seen.refused);
        facts.unknown_answers = self.tables.unknown_answers(&facts, asked.seen.unknown);
        facts
    }

    /// Both sides at the end, with all that ever came from outside.
    fn compared(mut self, said: &Said, accounts: &Accounts, ledger: Option<Facts>) -> Credit {
        let id = self.own.id;
        let account_holds = accounts.holds_on(&self.own, &self.account_holds);
        self.recorded.push(format!("held by its account: {:?}", self.account_holds));
        self.replayed.push(format!("held by its account: {account_holds:?}"));
        let mut replayed = self.own.clone();
        self.tables.name(&mut replayed, &[]);
        said.observe(&mut replayed, self.tables, usize::MAX, usize::MAX);
        replayed.unknown_answers = self.tables.unknown_answers(&replayed, usize::MAX);
        for exception in &mut replayed.exceptions {
            let closing = self.tables.closings.get(&exception.id);
            if let Some(held) = accounts.is_held(exception.id) {
                exception.open = held;
            } else if closing.is_some_and(|closing| closing.action == "close") {
                exception.open = false;
                exception.closed_by_operator = true;
            }
        }
        self.replayed.facts(replayed);
        match ledger {
            Some(ledger) => self.recorded.facts(ledger),
            None => self.recorded.push("the ledger gives no facts of it".into()),
        }
        let first_difference = self.recorded.first_difference(&self.replayed);
        Credit { id, recorded: self.recorded.hash(), replayed: self.replayed.hash(), first_difference }
    }
}

/// The status of which an event tells, after a decision that found the credit in another.
fn told(before: CreditStatus, after: CreditStatus) -> Option<CreditStatus> {
    let is_told = matches!(after, CreditStatus::Failed | CreditStatus::Held | CreditStatus::Repaid);
    Some(after).filter(|_| is_told && before != after)
}

/// What credits of one account do to each other.
struct Accounts {
    /// The holds that decisions put on the whole account, with the account and whose decision it was.
    puts: Vec<(AccountHold, String, CreditId)>,
    /// Whether an exception still holds a credit; none for an exception that never held one.
    held: BTreeMap<ExceptionId, bool>,
}

impl Accounts {
    fn of(lives: &[Life<'_>]) -> Accounts {
        let (mut puts, mut held) = (vec![], BTreeMap::new());
        for life in lives {
            let own = &life.own;
            puts.extend(life.puts.iter().map(|hold| (*hold, own.account_id.clone(), own.id)));
            for hold in &own.holds {
                *held.entry(hold.exception_id).or_insert(false) |= !hold.released;
            }
        }
        Accounts { puts, held }
    }

    fn is_held(&self, exception: ExceptionId) -> Option<bool> {
        self.held.get(&exception).copied()
    }

    /// The holds of the account that a credit must bear. One that was asked for at or after the hold's instant, which may be
    /// that of a run under way, bears it if it was there when the hold came, and only the ledger knows that.
    fn holds_on(&self, credit: &Facts, borne: &BTreeSet<AccountHold>) -> BTreeSet<AccountHold> {
        let others = self
            .puts
            .iter()
            .filter(|(_, account, cause)| *account == credit.account_id && *cause != credit.id);
        let on_it = others.map(|(hold, ..)| *hold);
        on_it.filter(|hold| credit.created_at < hold.2 || borne.contains(hold)).collect()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
