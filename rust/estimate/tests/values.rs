//! Expectation values, bounds and shots, against sums written out.

use aqt_estimate::{AllocationError, Observables, Rows, allocate, expectations, half_spreads};
use proptest::prelude::*;

/// The value of a term in a row.
fn value(row: u64, mask: u64, negative: bool) -> f64 {
    if ((row & mask).count_ones() % 2 == 1) == negative { 1.0 } else { -1.0 }
}

fn one_observable(num_terms: usize, coefficients: &[f64]) -> Observables {
    let terms = (0..coefficients.len()).collect();
    Observables::new(num_terms, vec![0, coefficients.len()], terms, coefficients.to_vec()).unwrap()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * (1.0 + expected.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn means_and_variances_are_those_of_the_shots(
        shots in prop::collection::vec(any::<u64>(), 1..3000),
        terms in prop::collection::vec((any::<u64>(), any::<bool>(), -3.0..3.0), 1..20),
        width in 1_usize..=8,
        sets in 1_usize..3,
    ) {
        let bits = u64::MAX >> (64 - 8 * width);
        let shots: Vec<_> = shots.into_iter().map(|row| row & bits).collect();
        let row = |row: &u64| row.to_be_bytes()[8 - width..].to_vec();
        let bytes: Vec<_> = shots.iter().flat_map(row).collect::<Vec<_>>().repeat(sets);
        let masks: Vec<_> = terms.iter().map(|term| term.0 & bits).collect();
        let negative: Vec<_> = terms.iter().map(|term| term.1).collect();
        let coefficients: Vec<_> = terms.iter().map(|term| term.2).collect();
        let rows = Rows::new(&bytes, sets, shots.len(), width).unwrap();
        let observables = one_observable(terms.len(), &coefficients);
        let found = expectations(rows, 1, &masks, &negative, &observables);

        let number = f64::from(u32::try_from(shots.len()).unwrap());
        let of_shot = |row: &u64| -> f64 {
            let terms = masks.iter().zip(&negative).zip(&coefficients);
            terms.map(|((&mask, &sign), value_of)| value_of * value(*row, mask, sign)).sum()
        };
        let mean = shots.iter().map(of_shot).sum::<f64>() / number;
        let squares: f64 = shots.iter().map(|row| (of_shot(row) - mean).powi(2)).sum();
        let variance = if shots.len() == 1 { 0.0 } else { squares / (number - 1.0) };
        for set in 0..sets {
            prop_assert!(close(found.values[set], mean));
            prop_assert!(close(found.variances[set], variance));
            for (term, (&mask, &sign)) in masks.iter().zip(&negative).enumerate() {
                let sum: f64 = shots.iter().map(|&row| value(row, mask, sign)).sum();
                prop_assert!(close(found.means[set * masks.len() + term], sum / number));
            }
        }
    }

    #[test]
    fn half_spreads_are_exact_for_few_bits(
        terms in prop::collection::vec((0_u64..256, -3.0..3.0), 0..30),
    ) {
        let (masks, coefficients): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        let found = half_spreads(1, &masks, &one_observable(masks.len(), &coefficients));
        let values: Vec<f64> = (0..256)
            .map(|row| {
                let terms = masks.iter().zip(&coefficients);
                terms.map(|(&mask, coefficient)| coefficient * value(row, mask, true)).sum()
            })
            .collect();
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert!(close(found[0], (most - least) / 2.0));
    }

    #[test]
    fn allocations_meet_every_error(
        variances in prop::collection::vec(prop_oneof![Just(0.0), 1e-3_f64..1e3], 24),
        errors in prop::collection::vec(1e-3_f64..1.0, 1..6),
        minimum in 1_u64..100,
    ) {
        let variances = &variances[..4 * errors.len()];
        let shots = allocate(4, variances, &errors, minimum).unwrap();
        prop_assert!(shots.iter().all(|&number| number >= minimum));
        for (row, error) in variances.chunks(4).zip(&errors) {
            let shots = shots.iter().map(|&number| f64::from(u32::try_from(number).unwrap()));
            let square: f64 = row.iter().zip(shots).map(|(variance, number)| variance / number).sum();
            prop_assert!(square <= error * error * (1.0 + 1e-9));
        }
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    assert!(Rows::new(&[0; 6], 1, 3, 2).is_some());
    assert!(Rows::new(&[0; 6], 1, 3, 1).is_none());
    assert!(Rows::new(&[], 1, 0, 1).is_none());
    assert!(Rows::new(&[], usize::MAX, 2, 2).is_none());
}

#[test]
fn observables_that_do_not_fit_are_refused() {
    assert!(Observables::new(2, vec![0, 1], vec![1], vec![1.0]).is_some());
    assert!(Observables::new(1, vec![0, 1], vec![1], vec![1.0]).is_none());
    assert!(Observables::new(2, vec![0, 2], vec![1], vec![1.0]).is_none());
    assert!(Observables::new(2, vec![0, 1, 0], vec![], vec![]).is_none());
    assert!(Observables::new(2, vec![], vec![], vec![]).is_none());
}

#[test]
fn allocation_names_what_is_out_of_range() {
    let found = |variances: &[f64], errors: &[f64]| allocate(2, variances, errors, 1).unwrap_err();
    assert_eq!(
        found(&[1.0, f64::NAN], &[1.0]),
        AllocationError::Variance { observable: 0, group: 1 }
    );
    assert_eq!(found(&[1.0; 4], &[1.0, 0.0]), AllocationError::Error { observable: 1 });
    assert_eq!(found(&[0.0, 1.0], &[1e-9]), AllocationError::TooMany { group: 1 });
}
