//! What all parts of a world share: its chance, its story so far, its figures, and where it may be interrupted.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use crate::config::{Config, Trouble};
use crate::dice::Dice;

/// More polls than any future of a world needs: what goes on beyond them goes on for ever.
const MOST_POLLS: u64 = 2_000_000;

/// What all parts of a world share.
pub struct Scene {
    pub config: Config,
    pub dice: Dice,
    /// No troubles come any more.
    calm: AtomicBool,
    /// How many port calls the action has made so far, and which action it is.
    step: AtomicU64,
    action: Mutex<String>,
    story: Mutex<Vec<String>>,
    figures: Mutex<BTreeMap<&'static str, u64>>,
}

impl Scene {
    pub fn new(config: Config) -> Scene {
        let dice = Dice::new(config.seed);
        Scene {
            config,
            dice,
            calm: AtomicBool::new(false),
            step: AtomicU64::new(0),
            action: Mutex::default(),
            story: Mutex::default(),
            figures: Mutex::default(),
        }
    }

    /// Whether a trouble comes now, for this cause.
    pub fn has(&self, trouble: Trouble, cause: &str) -> bool {
        let odds = self.config.odds.get(&trouble).copied().unwrap_or(0);
        let comes = !self.is_calm() && odds > 0 && self.dice.of(trouble.name()).of(cause).chance(odds);
        if comes {
            self.count(trouble.name(), 1);
        }
        comes
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
        self.tell("from here on nothing goes wrong");
    }

    /// Begins an action: the troubles of its port calls follow from its name and their number.
    pub fn begin(&self, action: &str) {
        *self.action.lock().expect("no thread panicked") = action.to_owned();
        self.step.store(0, Ordering::SeqCst);
    }

    /// The cause of the next port call's troubles.
    pub fn next_call(&self) -> String {
        let number = self.step.fetch_add(1, Ordering::SeqCst);
        format!("{} call {number}", self.action.lock().expect("no thread panicked"))
    }

    pub fn tell(&self, line: impl Into<String>) {
        self.story.lock().expect("no thread panicked").push(line.into());
    }

    pub fn story(&self) -> Vec<String> {
        self.story.lock().expect("no thread panicked").clone()
    }

    pub fn count(&self, what: &'static str, by: u64) {
        *self.figures.lock().expect("no thread panicked").entry(what).or_default() += by;
    }

    pub fn figures(&self) -> BTreeMap<&'static str, u64> {
        self.figures.lock().expect("no thread panicked").clone()
    }
}

/// Lets others go on: a future may be dropped here, as a crash does, or another polled.
pub fn pause() -> Pause {
    Pause(false)
}

pub struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Something under way, and after how many polls it is dropped.
pub struct Drive<'a, T> {
    pub future: Pin<Box<dyn Future<Output = T> + 'a>>,
    pub crashes_after: Option<u64>,
}

/// Polls all of them in turns of chance, each to its end or its crash; one of them may be much slower than the others. Gives what they came to and after how many
/// polls; none for a crash.
pub fn drive<'a, T: 'a>(mut drives: Vec<Drive<'a, T>>, dice: Dice) -> Vec<(Option<T>, u64)> {
    let mut ends: Vec<Option<(Option<T>, u64)>> = drives.iter().map(|_| None).collect();
    let mut polls = vec![0_u64; drives.len()];
    let mut context = Context::from_waker(Waker::noop());
    let mut turn = 0_u64;
    let slow = dice.of("slow").below(2 * drives.len() as u64);
    while ends.iter().any(Option::is_none) {
        turn += 1;
        assert!(turn < MOST_POLLS, "it never ends");
        let going: Vec<usize> = (0..drives.len()).filter(|place| ends[*place].is_none()).collect();
        let place = dice.of(turn).pick(&going);
        let is_slow = going.len() > 1 && place as u64 == slow;
        if is_slow && !dice.of("slow").of(turn).chance(50) {
            continue;
        }
        if drives[place].crashes_after.is_some_and(|after| polls[place] >= after) {
            drives[place].future = Box::pin(std::future::pending());
            ends[place] = Some((None, polls[place]));
            continue;
        }
        polls[place] += 1;
        if let Poll::Ready(value) = drives[place].future.as_mut().poll(&mut context) {
            ends[place] = Some((Some(value), polls[place]));
        }
    }
    ends.into_iter().flatten().collect()
}
