//! Random numbers that depend on the seed alone.

use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// A generator: xoshiro256++, whose state `SplitMix64` makes of the seed.
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A multiple of 2⁻⁵³ that is uniform from 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// Calls a function with each of the numbers from 0 to below `count` that is chosen, in
    /// ascending order; each is with this probability.
    pub(crate) fn choose(
        &mut self,
        probability: f64,
        count: u32,
        mut chosen: impl FnMut(&mut Self, u32),
    ) {
        if probability <= 0.0 {
            return;
        }
        // The numbers that are left out before each chosen one are distributed geometrically.
        let scale = 1.0 / (-probability.min(1.0)).ln_1p();
        let mut next = 0.0_f64;
        loop {
            next += ((1.0 - self.uniform()).ln() * scale).floor();
            if next >= f64::from(count) {
                return;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            chosen(self, next as u32);
            next += 1.0;
        }
    }
}
