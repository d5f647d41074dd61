//! The intake: advances that were answered from the queue are recorded, many in one batch, and submitted.
//!
//! A message may come twice, late, and in any order; whatever is recorded is recorded once.
//!
//! 1. Offer each idempotency key's first message to the ledger, all in one batch; more of the same key follow it.
//! 2. What may not be recorded is kept with its exception, so that the same message changes nothing any more.
//! 3. Call the processor for what is recorded. Whatever fails from here on, the sweeper seeks it.

use paydown::credit::Kind;
use paydown::date::text;
use paydown::id::{self, CreditId};
use paydown::money;
use serde_json::json;
use uuid::Uuid;

use super::calling;
use crate::error::Fault;
use crate::ledger::advances::{self, Asker, Proposal, Recorded, RefusedRow, Room, Standing};
use crate::ledger::exceptions::NewException;
use crate::log;
use crate::message::{Intent, Message, Verdict};
use crate::ports::Ports;

/// How often the same messages are offered when others to the same accounts are recorded in between.
const ATTEMPTS: u32 = 5;

/// Seconds until a message comes again while a stop is in force.
const STOP_SECONDS: u32 = 600;

/// Seconds until a message comes again that the ledger could not take.
const FAULT_SECONDS: u32 = 10;

/// An advance that was answered, and the key that allowed it.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub api_key_id: Uuid,
    pub intent: Intent,
}

/// Records and submits what was accepted; gives for each whether its message is done.
pub(super) async fn record(ports: &Ports, accepted: &[Accepted]) -> Vec<Verdict> {
    let mut taken =
        Taken { accepted, verdicts: vec![None; accepted.len()], recorded: vec![], refused: vec![] };
    // 1.
    if let Err(fault) = taken.offer(ports).await {
        log::error("messages were not recorded", json!({ "fault": fault.to_string() }));
        taken.later(Verdict::after(&fault));
    }
    // 2.
    if let Err(fault) = taken.refuse(ports).await {
        log::error("refused messages were not kept", json!({ "fault": fault.to_string() }));
        for (place, _) in std::mem::take(&mut taken.refused) {
            taken.decide(place, Verdict::after(&fault));
        }
    }
    taken.log();
    // 3.
    if let Err(fault) = calling::submit(ports, &taken.recorded).await {
        log::error("recorded advances were not submitted", json!({ "fault": fault.to_string() }));
    }
    taken.later(Verdict::Later { seconds: 1 });
    taken.verdicts.into_iter().flatten().collect()
}

/// The messages of one delivery and what became of each so far.
struct Taken<'a> {
    accepted: &'a [Accepted],
    verdicts: Vec<Option<Verdict>>,
    /// The credits that are in the ledger for them.
    recorded: Vec<CreditId>,
    /// Which may not be recorded, and why.
    refused: Vec<(usize, String)>,
}

impl<'a> Taken<'a> {
    /// Offers what is undecided to the ledger until nothing new is decided.
    async fn offer(&mut self, ports: &Ports) -> Result<(), Fault> {
        let mut attempts = 0;
        loop {
            let round = self.round();
            if round.is_empty() || attempts == ATTEMPTS {
                return Ok(());
            }
            let undecided = self.undecided().count();
            let (round, proposals) = self.proposals(ports, round).await?;
            let found = match advances::record(&*ports.database, &ports.settings, &proposals).await {
                Ok(found) => found.into_iter().map(Some).collect(),
                // One that the ledger cannot take must not stop the rest.
                Err(Fault::Permanent(_)) if proposals.len() > 1 => one_by_one(ports, &proposals).await,
                Err(fault) => return Err(fault),
            };
            for (place, (proposal, found)) in round.iter().zip(proposals.iter().zip(found)) {
                match found {
                    Some(found) => self.follow(*place, found.standing(proposal, &ports.settings)),
                    None => self.decide(*place, Verdict::Later { seconds: FAULT_SECONDS }),
                }
            }
            if self.undecided().count() == undecided {
                attempts += 1;
            }
        }
    }

    /// The first undecided message of each idempotency key.
    fn round(&self) -> Vec<usize> {
        let mut keys = std::collections::BTreeSet::new();
        let first =
            |(_, accepted): &(usize, &'a Accepted)| keys.insert(accepted.intent.idempotency_key.as_str());
        self.undecided().filter(first).map(|(place, _)| place).collect()
    }

    fn undecided(&self) -> impl Iterator<Item = (usize, &'a Accepted)> + '_ {
        let places = self.accepted.iter().enumerate().zip(&self.verdicts);
        places.filter(|(_, verdict)| verdict.is_none()).map(|(place, _)| place)
    }

    /// What is offered in a round. Whose account has room only if an earlier one of the round is not recorded after
    /// all waits for the next.
    async fn proposals(
        &self,
        ports: &Ports,
        round: Vec<usize>,
    ) -> Result<(Vec<usize>, Vec<Proposal<'a>>), Fault> {
        let max_per_account = ports.settings.max_per_account;
        let of = |place: usize| {
            let accepted = self.accepted.get(place)?;
            let asker = Asker::Accepted(accepted.api_key_id);
            Some((place, Proposal { intent: &accepted.intent, asker, room: Room::Unlimited }))
        };
        let all: Vec<(usize, Proposal<'a>)> = round.into_iter().filter_map(of).collect();
        if max_per_account.is_none() {
            return Ok(all.into_iter().unzip());
        }
        let proposals: Vec<Proposal<'a>> = all.iter().map(|(_, proposal)| proposal.clone()).collect();
        let (_, credits) = advances::look(&*ports.database, &ports.settings, &proposals).await?;
        let (mut before, mut offered) = (Vec::new(), Vec::new());
        for (place, mut proposal) in all {
            let alone = Room::of(max_per_account, proposal.intent, &credits, &[]);
            proposal.room = Room::of(max_per_account, proposal.intent, &credits, &before);
            if alone != Room::Over && proposal.room == Room::Over {
                continue;
            }
            if alone != Room::Over {
                before.push(proposal.intent);
            }
            offered.push((place, proposal));
        }
        Ok(offered.into_iter().unzip())
    }

    /// Decides over a message, and over those of the same key for which the same holds.
    fn follow(&mut self, place: usize, standing: Standing) {
        let Some(first) = self.accepted.get(place) else { return };
        let own = |other: &Accepted| other.intent.fingerprint == first.intent.fingerprint;
        let same: Vec<(usize, &'a Accepted)> = self
            .undecided()
            .filter(|(_, other)| other.intent.idempotency_key == first.intent.idempotency_key)
            .collect();
        for (other_place, other) in same {
            match &standing {
                Standing::Known(request) => {
                    let (found, intent) = (request.credit_id, &other.intent);
                    if request.fingerprint != intent.fingerprint {
                        let why =
                            format!("its idempotency key stands for another request, that of credit {found}");
                        self.refused.push((other_place, why));
                    } else if found != intent.id {
                        let why = format!("the same request was recorded meanwhile, as credit {found}");
                        self.refused.push((other_place, why));
                    } else if !self.recorded.contains(&found) {
                        self.recorded.push(found);
                    }
                    self.decide(other_place, Verdict::Done);
                }
                Standing::KeyUsed(credit_id) => {
                    let why =
                        format!("its idempotency key stands for what an operator did to credit {credit_id}");
                    self.refused.push((other_place, why));
                    self.decide(other_place, Verdict::Done);
                }
                Standing::Refused if other_place == place => self.decide(other_place, Verdict::Done),
                Standing::AccountHeld if own(other) => {
                    self.refused.push((other_place, "a hard return on the account is unresolved".into()));
                    self.decide(other_place, Verdict::Done);
                }
                Standing::LimitReached(limit) if own(other) => {
                    self.refused.push((other_place, limit.text(&other.intent.currency)));
                    self.decide(other_place, Verdict::Done);
                }
                Standing::Stopped => self.decide(other_place, Verdict::Later { seconds: STOP_SECONDS }),
                // Another request of the key, or a limit that others came before: to be offered again.
                Standing::Refused | Standing::AccountHeld | Standing::LimitReached(_) | Standing::Free => {}
            }
        }
    }

    /// Keeps what may not be recorded, each request with its message, each credit answered with its exception.
    async fn refuse(&self, ports: &Ports) -> Result<(), Fault> {
        if self.refused.is_empty() {
            return Ok(());
        }
        let at = text(ports.clock.now().await?);
        let (mut rows, mut exceptions) = (Vec::new(), Vec::<NewException>::new());
        for (place, why) in &self.refused {
            let Some(accepted) = self.accepted.get(*place) else { continue };
            let (intent, subject) = (&accepted.intent, accepted.intent.id.to_string());
            rows.push(row(accepted, why, &at)?);
            if exceptions.iter().all(|exception| exception.subject != subject) {
                exceptions.push(NewException {
                    id: id::from_cause(
                        id::bucket_of(intent.id.0),
                        &["exception", Kind::RequestRefused.name(), &subject, &intent.request_id],
                    ),
                    kind: Kind::RequestRefused.name(),
                    subject,
                    run_id: None,
                    detail: detail(intent, why),
                    opened_at: at.clone(),
                });
            }
        }
        advances::refuse(&*ports.database, &rows, &exceptions).await
    }

    /// One line for each change, with the request and the credit that it is about.
    fn log(&self) {
        let refused = self.refused.iter().filter_map(|(place, why)| Some((self.accepted.get(*place)?, why)));
        for (accepted, why) in refused {
            let intent = &accepted.intent;
            let about = json!({ "credit_id": intent.id, "request_id": intent.request_id, "why": why });
            log::error("a request was refused after its answer", about);
        }
        for credit_id in &self.recorded {
            log::info("an advance is recorded", json!({ "credit_id": credit_id }));
        }
    }

    fn decide(&mut self, place: usize, verdict: Verdict) {
        if let Some(undecided) = self.verdicts.get_mut(place) {
            *undecided = Some(verdict);
        }
    }

    /// Decides over all that is undecided.
    fn later(&mut self, verdict: Verdict) {
        for undecided in self.verdicts.iter_mut().filter(|verdict| verdict.is_none()) {
            *undecided = Some(verdict);
        }
    }
}

async fn one_by_one(ports: &Ports, proposals: &[Proposal<'_>]) -> Vec<Option<Recorded>> {
    let mut found = Vec::new();
    for proposal in proposals {
        let recorded =
            advances::record(&*ports.database, &ports.settings, std::slice::from_ref(proposal)).await;
        if let Err(fault) = &recorded {
            let about = json!({ "credit_id": proposal.intent.id, "fault": fault.to_string() });
            log::error("a message was not recorded", about);
        }
        found.push(recorded.ok().and_then(|rows| rows.into_iter().next()));
    }
    found
}

fn row(accepted: &Accepted, why: &str, at: &str) -> Result<RefusedRow, Fault> {
    let intent = &accepted.intent;
    let message = Message::Record { api_key_id: accepted.api_key_id, intent: Box::new(intent.clone()) };
    Ok(RefusedRow {
        request_id: intent.request_id.clone(),
        idempotency_key: intent.idempotency_key.clone(),
        credit_id: intent.id,
        why: why.to_owned(),
        message: serde_json::to_string(&message)?,
        at: at.to_owned(),
    })
}

fn detail(intent: &Intent, why: &str) -> String {
    let amount = money::text(intent.terms.amount.signed(), &intent.currency);
    format!(
        "an advance of {amount} to the account {} was answered as credit {} from the queue and not recorded: {why}",
        intent.account_id, intent.id
    )
}
