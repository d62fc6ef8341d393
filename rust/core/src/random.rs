//! Reproducible random numbers.

/// Random bits: splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Random(u64);

impl Random {
    /// A stream for each pair of seed and index.
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        Self(Self(Self(seed).next().wrapping_add(index)).next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Puts items into a random order, each as likely: Durstenfeld's shuffle (Algorithm 235, CACM
    /// 1964).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // The upper half of the product, with a bias of at most (last + 1) / 2^64.
            let place = (u128::from(self.next()) * (last as u128 + 1)) >> 64;
            items.swap(last, usize::try_from(place).unwrap_or(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = Random(1_234_567);
        let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([random.next(), random.next()], published);
    }

    #[test]
    fn all_orders_are_as_likely() {
        let mut found = HashMap::new();
        for seed in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            Random::new(seed, 0).shuffle(&mut items);
            *found.entry(items).or_insert(0) += 1;
        }
        assert_eq!(found.len(), 24);
        // Chi-squared with 23 degrees of freedom: above 60 with a probability of 4e-5.
        let distance: f64 = found.values().map(|&n| f64::from(n - 1000).powi(2) / 1000.0).sum();
        assert!(distance < 60.0, "{distance}");
    }
}
