//! Two strikes: two debits in a row that failed on one account hold all its credits (`TWO_STRIKES`, L8).

use super::{Deciding, Effect, Fact};
use crate::credit::{Hold, Kind};
use crate::id::{self, DebitId, ExceptionId};
use crate::observation::Word;

/// The pairs of debits of an account that failed one right after the other, across all its credits, by the instants of
/// their latest words.
///
/// `words` are the latest words on the account's debits, one for each debit, in any order.
///
/// ```
/// use paydown::{decision::two_strikes, id::DebitId, observation::{Outcome, Word}};
/// let word = |debit: u128, outcome, at: &str| Word {
///     subject: uuid::Uuid::from_u128(debit), outcome, code: None, at: at.parse().unwrap(),
/// };
/// let words = [
///     word(1, Outcome::Failure, "2026-01-12T06:00:00Z"),
///     word(2, Outcome::Success, "2026-01-13T06:00:00Z"),
///     word(3, Outcome::Failure, "2026-01-14T06:00:00Z"),
/// ];
/// // A success lies between the two.
/// assert_eq!(two_strikes(&words), []);
/// let fourth = word(4, Outcome::Returned, "2026-01-15T06:00:00Z");
/// let debit = |number| DebitId(uuid::Uuid::from_u128(number));
/// assert_eq!(two_strikes(&[&words[..], &[fourth]].concat()), [(debit(3), debit(4))]);
/// ```
pub fn two_strikes(words: &[Word]) -> Vec<(DebitId, DebitId)> {
    let mut in_order: Vec<&Word> = words.iter().collect();
    in_order.sort_by_key(|word| (word.at, word.subject));
    let pairs = in_order.iter().zip(in_order.iter().skip(1));
    let struck = pairs.filter(|(first, second)| !first.outcome.is_success() && !second.outcome.is_success());
    struck.map(|(first, second)| (DebitId(first.subject), DebitId(second.subject))).collect()
}

impl Deciding<'_> {
    /// Every credit of the account is held. The exception's id comes from the debit, so that the same words never hold
    /// again.
    pub(super) fn struck(&mut self, debit_id: DebitId) {
        let own = self.facts.id.0;
        let cause = ["exception", Kind::TwoStrikes.name(), &debit_id.to_string()];
        let id = ExceptionId(id::from_cause(id::bucket_of(own), &cause));
        if self.exceptions.iter().any(|e| e.id == id || (e.open && e.kind == Kind::TwoStrikes)) {
            return;
        }
        let detail = "two debits in a row failed on the account".to_owned();
        self.new_facts.push(Fact::Opened { id, kind: Kind::TwoStrikes, subject: own, detail });
        self.new_facts.push(Fact::Held(Hold { exception_id: id, released: false }));
        self.effects.push(Effect::HoldAccount { exception_id: id });
    }
}
