//! Observables as sums over terms.

/// Observables over shared terms, each a sparse sum with real coefficients.
#[derive(Clone, Debug)]
pub struct Observables {
    starts: Vec<usize>,
    terms: Vec<usize>,
    coefficients: Vec<f64>,
}

impl Observables {
    /// Observable `o` has the entries `starts[o]..starts[o + 1]` of `terms` and `coefficients`. `None` if
    /// these do not fit together, or if there is a term beyond `num_terms`.
    #[must_use]
    pub fn new(
        num_terms: usize,
        starts: Vec<usize>,
        terms: Vec<usize>,
        coefficients: Vec<f64>,
    ) -> Option<Self> {
        let fits = starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last() == Some(&terms.len())
            && terms.len() == coefficients.len()
            && terms.iter().all(|&term| term < num_terms);
        fits.then_some(Self { starts, terms, coefficients })
    }

    /// Number of observables.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no observables.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Terms and coefficients of each observable.
    pub fn iter(&self) -> impl Iterator<Item = (&[usize], &[f64])> {
        self.starts.windows(2).map(|ends| {
            let entries = ends[0]..ends[1];
            (&self.terms[entries.clone()], &self.coefficients[entries])
        })
    }
}
