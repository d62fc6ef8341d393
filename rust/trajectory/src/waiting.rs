//! How qubits relax while they wait for gates on others: a device runs one gate after the other.

/// How qubits relax, and how long gates take.
///
/// After the time t, 1 has decayed to 0 with the probability 1 − exp(−t/T1), and exp(−t/T2) is left
/// of the coherence. It is a mixture of resets and Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// Lifetime in seconds, above 0.
    pub t1: f64,
    /// Coherence time in seconds, above 0, at most `t1`.
    pub t2: f64,
    /// Duration of r in seconds.
    pub r: f64,
    /// Duration of rxx in seconds.
    pub rxx: f64,
}

impl Waiting {
    pub(crate) fn is_valid(self) -> bool {
        let durations = [self.r, self.rxx];
        self.t1.is_finite()
            && 0.0 < self.t2
            && self.t2 <= self.t1
            && durations.iter().all(|time| time.is_finite() && *time >= 0.0)
    }

    /// The probabilities of a reset, and of Z otherwise, after a time in seconds.
    pub(crate) fn probabilities(self, time: f64) -> [f64; 2] {
        let reset = -(-time / self.t1).exp_m1();
        let flip = -(-time * (1.0 / self.t2 - 1.0 / self.t1)).exp_m1() / 2.0;
        [reset, flip]
    }
}
