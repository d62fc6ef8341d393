//! Outcomes with given probabilities.

use crate::random::Random;

/// Probabilities of outcomes, added up.
pub(crate) struct Outcomes {
    sums: Vec<f64>,
    total: f64,
}

impl Outcomes {
    /// Outcomes 0, 1, … with these probabilities, up to a common factor.
    pub(crate) fn new(mut probabilities: Vec<f64>) -> Self {
        let mut total = 0.0;
        for probability in &mut probabilities {
            total += *probability;
            *probability = total;
        }
        Self { sums: probabilities, total }
    }

    /// One of them.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let drawn = self.total * random.uniform();
        // Rounding may lead beyond the last outcome that is possible.
        self.sums.partition_point(|&sum| sum <= drawn).min(self.sums.len() - 1)
    }
}
