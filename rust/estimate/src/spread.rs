//! Bounds of what a shot can give.

use std::collections::BTreeMap;

use crate::{
    Observables,
    bits::{Echelon, ones},
};

/// Largest rank for which all outcomes are looked at.
const EXACT_RANK: usize = 12;

/// Half of the difference between the largest and the smallest value of each observable.
///
/// An observable is f(b) = Σ c (−1)^(m·b) over outcomes b, with the mask m of each term. The variance of
/// f is at most the square of this number, whatever the state (Popoviciu, Mathematica (Cluj) 9 (1935)).
///
/// Masks that depend on each other are looked at together: exactly, by a fast Walsh–Hadamard transform,
/// up to rank 12; beyond that, Σ|c| is taken, which is never too small. `masks` has `words` words a
/// term; coefficients include the terms' signs.
#[must_use]
pub fn half_spreads(words: usize, masks: &[u64], observables: &Observables) -> Vec<f64> {
    let mask = |term: usize| &masks[term * words..][..words];
    observables
        .iter()
        .map(|(terms, coefficients)| {
            let mut summed = BTreeMap::<_, f64>::new();
            for (&term, coefficient) in terms.iter().zip(coefficients) {
                *summed.entry(mask(term)).or_default() += coefficient;
            }
            summed.retain(|mask, coefficient| {
                mask.iter().any(|&word| word != 0) && *coefficient != 0.0
            });
            half_spread(&summed)
        })
        .collect()
}

/// Half spread of one observable of different masks.
fn half_spread(terms: &BTreeMap<&[u64], f64>) -> f64 {
    let mut echelon = Echelon::default();
    let coordinates: Vec<_> = terms.keys().map(|mask| echelon.add(mask.to_vec()).1).collect();
    // Coordinates of different parts are independent of each other, so spreads add up.
    let mut parts: Vec<usize> = (0..echelon.rank()).collect();
    for coordinate in &coordinates {
        let mut own = ones(coordinate.iter().copied());
        if let Some(first) = own.next() {
            own.for_each(|other| join(&mut parts, first, other));
        }
    }
    let mut of_part = BTreeMap::<_, Vec<_>>::new();
    for (coordinate, coefficient) in coordinates.iter().zip(terms.values()) {
        if let Some(first) = ones(coordinate.iter().copied()).next() {
            of_part.entry(root(&parts, first)).or_default().push((coordinate, *coefficient));
        }
    }
    of_part.values().map(|entries| spread_of_part(entries)).sum()
}

/// Half spread of terms whose coordinates hang together.
fn spread_of_part(entries: &[(&Vec<u64>, f64)]) -> f64 {
    let bound = || entries.iter().map(|(_, coefficient)| coefficient.abs()).sum();
    let mut axes: Vec<_> =
        entries.iter().flat_map(|(coordinate, _)| ones(coordinate.iter().copied())).collect();
    axes.sort_unstable();
    axes.dedup();
    // Independent terms take any signs together.
    if axes.len() == entries.len() || axes.len() > EXACT_RANK {
        return bound();
    }
    let mut values = vec![0.0; 1 << axes.len()];
    for (coordinate, coefficient) in entries {
        let place = ones(coordinate.iter().copied())
            .filter_map(|axis| axes.binary_search(&axis).ok())
            .fold(0, |place, axis| place | 1 << axis);
        values[place] += coefficient;
    }
    walsh_hadamard(&mut values);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (most - least) / 2.0
}

/// Σ over m of values[m] (−1)^(m·b), for all b, in place.
fn walsh_hadamard(values: &mut [f64]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (even, odd) = pair.split_at_mut(half);
            for (one, other) in even.iter_mut().zip(odd) {
                (*one, *other) = (*one + *other, *one - *other);
            }
        }
        half *= 2;
    }
}

/// The representative of an element's set.
fn root(parts: &[usize], mut element: usize) -> usize {
    while parts[element] != element {
        element = parts[element];
    }
    element
}

/// Unites the sets of two elements.
fn join(parts: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(parts, one), root(parts, other));
    parts[one.max(other)] = one.min(other);
}
