//! Chance that follows from a seed and a cause alone.
//!
//! Nothing here has a state: what happens to one credit does not depend on how often chance was asked about another,
//! so that a world with fewer credits, days or troubles lives through the same story as far as it goes.

use std::fmt::Display;

/// Chance for one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// All chance of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(mixed(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    /// The chance for a narrower cause.
    pub fn of(self, cause: impl Display) -> Dice {
        // FNV-1a over the text; the multiplication alone would leave short texts alike.
        let bytes = cause.to_string().into_bytes();
        let hash = bytes.iter().fold(self.0 ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Dice(mixed(hash))
    }

    /// A number below a bound; 0 for none.
    pub fn below(self, bound: u64) -> u64 {
        mixed(self.0 ^ 0x5851_f42d_4c95_7f2d).checked_rem(bound).unwrap_or(0)
    }

    /// A number in a range, both ends included.
    pub fn between(self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True so many times in a thousand.
    pub fn chance(self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of several.
    pub fn pick<T: Copy>(self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")]
    }

    /// Several in another order.
    pub fn shuffle<T>(self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.of(last).below(last as u64 + 1);
            items.swap(last, usize::try_from(other).expect("an index"));
        }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): each bit of the seed moves about half of the result's.
fn mixed(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
