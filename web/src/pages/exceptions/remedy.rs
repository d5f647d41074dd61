//! What can be done about an exception, which of it is chosen, and what that would do.

use leptos::prelude::*;
use paydown::api::{CreditDetail, Exception, ResolutionAction, ResolutionRequest, Settings};
use paydown::credit::{Facts, Kind};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::{Context, Input, to_decide};
use paydown::id::{CreditId, TransactionId};
use paydown::observation::Status;
use uuid::Uuid;

use crate::components::entry::{Entry, Pick};
use crate::data::Answer;
use crate::data::actions::{self, Subject};
use crate::data::reading::{self, CreditsAsked};
use crate::pages::credit::acting::{RETURN_CODE, effects, meaning_of, not_known, stated};

/// What an operator can choose to do about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Release,
    Close,
    Succeeded,
    Failed,
    Attach,
}

impl Remedy {
    const ALL: [Remedy; 5] =
        [Remedy::Release, Remedy::Close, Remedy::Succeeded, Remedy::Failed, Remedy::Attach];

    /// What is asked of the API; to attach is asked of the credit, debit or refund.
    const fn action(self) -> Option<ResolutionAction> {
        match self {
            Remedy::Release => Some(ResolutionAction::Release),
            Remedy::Close => Some(ResolutionAction::Close),
            Remedy::Succeeded | Remedy::Failed => Some(ResolutionAction::Decide),
            Remedy::Attach => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Remedy::Release => "release what it holds",
            Remedy::Close => "close it: it holds nothing",
            Remedy::Succeeded => "decide: it succeeded",
            Remedy::Failed => "decide: it failed",
            Remedy::Attach => "attach: it is a transaction of ours",
        }
    }
}

/// What is chosen, with all that it needs but the note.
#[derive(Debug, Clone, PartialEq)]
pub enum Chosen {
    /// To resolve the exception.
    Resolve {
        /// How.
        action: ResolutionAction,
        /// What is decided.
        status: Option<Status>,
        /// The return code of a failure that is decided.
        code: Option<String>,
    },
    /// To name the transaction as that of a credit, debit or refund.
    Attach(Subject),
}

impl Chosen {
    /// Does it.
    pub async fn apply(self, exception: &Exception, note: String, key: &str) -> Answer<()> {
        match self {
            Chosen::Resolve { action, status, code } => {
                let asked = ResolutionRequest { action, status, code, note };
                actions::resolve(exception.id, asked, key).await
            }
            Chosen::Attach(subject) => match attaching(exception, subject.id) {
                Some(input) => actions::act(&subject, input, note, key).await,
                None => Ok(()),
            },
        }
    }

    /// What it says when it was done.
    pub const fn done(&self) -> &'static str {
        match self {
            Chosen::Resolve { action: ResolutionAction::Release, .. } => "released.",
            Chosen::Resolve { action: ResolutionAction::Close, .. } => "closed.",
            Chosen::Resolve { action: ResolutionAction::Decide, .. } => "decided, from the next run on.",
            Chosen::Attach(_) => "attached, from the next run on.",
        }
    }
}

/// The transaction of the exception named as that of a subject.
fn attaching(exception: &Exception, subject: Uuid) -> Option<Input> {
    let transaction_id = TransactionId::try_from(exception.subject.clone()).ok()?;
    Some(Input::Attach { subject, transaction_id })
}

/// What is chosen so far.
#[derive(Clone, Copy)]
pub struct Remedies {
    remedy: RwSignal<String>,
    code: RwSignal<String>,
    id: RwSignal<String>,
    /// What was found under the id.
    subject: RwSignal<Option<Subject>>,
}

impl Remedies {
    /// Nothing.
    pub fn new() -> Remedies {
        let text = || RwSignal::new(String::new());
        Remedies { remedy: text(), code: text(), id: text(), subject: RwSignal::new(None) }
    }

    /// Begins with what is usually done: what holds credits is released, anything else closed.
    pub fn begin(self, actions: &[ResolutionAction]) {
        let releases = actions.contains(&ResolutionAction::Release);
        self.remedy.set(if releases { Remedy::Release } else { Remedy::Close }.words().to_owned());
        self.code.set(String::new());
        self.id.set(String::new());
        self.subject.set(None);
    }

    fn remedy(self) -> Remedy {
        let words = self.remedy.get();
        Remedy::ALL.into_iter().find(|remedy| remedy.words() == words).unwrap_or(Remedy::Close)
    }

    /// What is chosen, or what is wrong with it.
    pub fn chosen(self) -> Result<Chosen, String> {
        let remedy = self.remedy();
        let Some(action) = remedy.action() else {
            let id: Option<Uuid> = self.id.get().trim().parse().ok();
            let found = self.subject.get().filter(|subject| Some(subject.id) == id);
            return found.map(Chosen::Attach).ok_or_else(|| NOT_ATTACHABLE.to_owned());
        };
        if action != ResolutionAction::Decide {
            return Ok(Chosen::Resolve { action, status: None, code: None });
        }
        let status = if remedy == Remedy::Succeeded { "success" } else { "failure" };
        let (status, code) = stated(status, &self.code.get())?;
        Ok(Chosen::Resolve { action, status: Some(status), code })
    }
}

const NOT_ATTACHABLE: &str = "Enter the id of the credit, debit or refund that it is the transaction of.";

/// The choice of what to do, of some actions.
pub fn choice(actions: &[ResolutionAction], attachable: bool, remedies: Remedies) -> impl IntoView + use<> {
    let possible = Remedy::ALL.into_iter().filter(|remedy| match remedy.action() {
        Some(action) => actions.contains(&action),
        None => attachable,
    });
    let options = possible.map(|remedy| (remedy.words().to_owned(), remedy.words().to_owned())).collect();
    let code = move || {
        (remedies.remedy() == Remedy::Failed).then(|| {
            view! { <Entry label=RETURN_CODE value=remedies.code/> {meaning_of(remedies.code)} }
        })
    };
    view! { <Pick label="What to do" value=remedies.remedy options/> {code} }
}

/// The choice about one exception, and what it would do.
pub fn choosing(exception: Exception, remedies: Remedies) -> impl IntoView {
    let choice = choice(&exception.actions, exception.kind == Kind::UnknownTransaction, remedies);
    let id = move || {
        let attaching = remedies.remedy() == Remedy::Attach;
        attaching.then(|| view! { <Entry label="Id of the credit, debit or refund" value=remedies.id/> {lookup(remedies)} })
    };
    let would = move || {
        let of = |credit_id| {
            let chosen = remedies.chosen().ok()?;
            Some(would_do(exception.clone(), credit_id, chosen))
        };
        match (remedies.chosen(), exception.credit_id) {
            (Err(why), _) => (Some(why), None),
            (Ok(Chosen::Attach(subject)), _) => (None, of(subject.credit_id)),
            (Ok(Chosen::Resolve { action: ResolutionAction::Close, .. }), _) => {
                (Some(CLOSES.to_owned()), None)
            }
            (Ok(_), Some(credit_id)) => (None, of(credit_id)),
            (Ok(_), None) => (Some("Every credit that it holds is released.".to_owned()), None),
        }
    };
    let would = move || {
        let (words, effects) = would();
        view! { <p role="status">{words}</p> {effects} }
    };
    view! { {choice} {id} {would} }
}

const CLOSES: &str = "It is closed with your note, and the same words never open it again.";

/// Looks for what has the id that was entered.
fn lookup(remedies: Remedies) -> impl IntoView {
    let id = move || remedies.id.get().trim().parse::<Uuid>().ok();
    move || {
        let id = id()?;
        let page = reading::credits(move || CreditsAsked { q: Some(id.to_string()), ..Default::default() });
        Some(move || {
            let Some(found) = page.data() else { return not_known(page.failure()) };
            match found.data.first().map(|credit| credit.id) {
                Some(credit_id) => within(credit_id, id, remedies),
                None => view! { <p class="quiet">{NOTHING_OF_OURS}</p> }.into_any(),
            }
        })
    }
}

const NOTHING_OF_OURS: &str = "Nothing of ours has this id.";

/// Which of a credit, its debits and its refunds has the id.
fn within(credit_id: CreditId, id: Uuid, remedies: Remedies) -> AnyView {
    let credit = reading::credit(move || credit_id.to_string());
    let name = move || {
        let detail = credit.data()?;
        let part = part_of(&detail, id);
        remedies.subject.set(part.map(|part| Subject { credit_id, part, id }));
        Some(name_of(&detail, id))
    };
    view! { <p>{name}</p> }.into_any()
}

fn part_of(detail: &CreditDetail, id: Uuid) -> Option<&'static str> {
    if detail.credit.id.0 == id {
        return Some("credits");
    }
    if detail.debits.iter().any(|debit| debit.id.0 == id) {
        return Some("debits");
    }
    detail.refunds.iter().any(|refund| refund.id.0 == id).then_some("refunds")
}

fn name_of(detail: &CreditDetail, id: Uuid) -> String {
    let account = &detail.credit.account_id;
    match (part_of(detail, id), detail.debits.iter().find(|debit| debit.id.0 == id)) {
        (_, Some(debit)) => format!("Debit {} of {account}.", debit.sequence),
        (Some("credits"), None) => format!("The advance of {account}."),
        (Some(_), None) => format!("A refund of {account}."),
        (None, None) => NOTHING_OF_OURS.to_owned(),
    }
}

/// What it would do to the credit.
fn would_do(exception: Exception, credit_id: CreditId, chosen: Chosen) -> impl IntoView {
    let facts = reading::facts(move || credit_id.to_string());
    let summary = reading::summary::<BusinessDate>(|| (None, None));
    let settings: Settings = expect_context();
    let waits = !matches!(chosen, Chosen::Resolve { action: ResolutionAction::Release, .. });
    move || {
        let (Some(facts), Some(summary)) = (facts.data(), summary.data()) else {
            return not_known(facts.failure().or_else(|| summary.failure()));
        };
        let now = summary.as_of;
        effects(&facts, &inputs(&exception, &chosen, &facts, now, &settings), now, waits)
    }
}

/// What is chosen, as core is asked about it; what takes effect in the next run alone, with that run's words.
fn inputs(
    exception: &Exception,
    chosen: &Chosen,
    facts: &Facts,
    as_of: Instant,
    settings: &Settings,
) -> Vec<Input> {
    let words = Input::Words { covered_from: None };
    match chosen {
        Chosen::Attach(subject) => attaching(exception, subject.id).into_iter().chain([words]).collect(),
        Chosen::Resolve { status: Some(status), code, .. } => {
            let Settings { offsets, policy, holidays, .. } = settings;
            let context = Context { as_of, zone: offsets, policy, calendar: holidays };
            let subject = exception.subject.parse().unwrap_or(facts.id.0);
            let undecided = to_decide(facts, exception.kind, subject, &context).into_iter();
            let decide = |subject| Input::Decide { subject, status: *status, code: code.clone() };
            undecided.map(decide).chain([words]).collect()
        }
        Chosen::Resolve { status: None, .. } => vec![Input::Release { exception_id: Some(exception.id) }],
    }
}
