//! Groups and bases, against Pauli matrices that are multiplied out.

use aqt_estimate::{Basis, Commutation, Gate, NotCommuting, Terms, diagonalise, group};
use proptest::prelude::*;

/// A Pauli product i^phase X^x Z^z on up to 64 qubits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pauli {
    phase: u32,
    x: u64,
    z: u64,
}

impl Pauli {
    /// The Hermitian product with these masks: Y is i X Z.
    fn hermitian(x: u64, z: u64) -> Self {
        Self { phase: (x & z).count_ones() % 4, x, z }
    }

    /// Z^z X^x' = (−1)^|z & x'| X^x' Z^z.
    fn times(self, other: Self) -> Self {
        let swaps = 2 * (self.z & other.x).count_ones();
        let phase = (self.phase + other.phase + swaps) % 4;
        Self { phase, x: self.x ^ other.x, z: self.z ^ other.z }
    }
}

/// What a gate makes of X and Z of a qubit, by their textbook rules.
fn image(gate: Gate, qubit: usize) -> (Pauli, Pauli) {
    let bit = |qubit: usize| 1 << qubit;
    let own = bit(qubit);
    let (x, z) = (Pauli::hermitian(own, 0), Pauli::hermitian(0, own));
    let y = Pauli::hermitian(own, own);
    let minus = |pauli: Pauli| Pauli { phase: (pauli.phase + 2) % 4, ..pauli };
    match gate {
        Gate::H(q) if q == qubit => (z, x),
        Gate::S(q) if q == qubit => (y, z),
        Gate::Sdg(q) if q == qubit => (minus(y), z),
        Gate::Cx(control, target) if control == qubit => (Pauli { x: own | bit(target), ..x }, z),
        Gate::Cx(control, target) if target == qubit => (x, Pauli { z: own | bit(control), ..z }),
        Gate::Cz(one, other) if one == qubit => (Pauli { z: bit(other), ..x }, z),
        Gate::Cz(one, other) if other == qubit => (Pauli { z: bit(one), ..x }, z),
        _ => (x, z),
    }
}

/// G P G†, factor by factor.
fn conjugate(gate: Gate, pauli: Pauli) -> Pauli {
    let mut product = Pauli { phase: pauli.phase, x: 0, z: 0 };
    for qubit in (0..64).filter(|qubit| pauli.x >> qubit & 1 == 1) {
        product = product.times(image(gate, qubit).0);
    }
    for qubit in (0..64).filter(|qubit| pauli.z >> qubit & 1 == 1) {
        product = product.times(image(gate, qubit).1);
    }
    product
}

fn gate(number: u64, qubits: usize) -> Gate {
    let qubit = |shift: u32| usize::try_from(number >> shift & 0xFF).unwrap() % qubits;
    let one = qubit(8);
    let other = (one + 1 + qubit(16) % qubits.max(2).saturating_sub(1)) % qubits;
    match number % 5 {
        3 if one != other => Gate::Cx(one, other),
        4 if one != other => Gate::Cz(one, other),
        1 => Gate::S(one),
        2 => Gate::Sdg(one),
        _ => Gate::H(one),
    }
}

/// Products of Z after a random circuit commute.
fn commuting(qubits: usize, masks: &[u64], gates: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let terms = masks.iter().map(|mask| {
        let start = Pauli::hermitian(0, mask & (u64::MAX >> (64 - qubits)));
        gates.iter().fold(start, |term, &number| conjugate(gate(number, qubits), term))
    });
    terms.map(|term| (term.x, term.z)).unzip()
}

fn entangling(basis: &Basis) -> usize {
    basis.gates.iter().filter(|gate| gate.is_entangling()).count()
}

proptest! {
    #[test]
    fn bases_turn_terms_into_products_of_z(
        qubits in 1_usize..=64,
        masks in prop::collection::vec(any::<u64>(), 0..20),
        gates in prop::collection::vec(any::<u64>(), 0..80),
    ) {
        let (x, z) = commuting(qubits, &masks, &gates);
        let terms = Terms::new(1, x.clone(), z.clone()).unwrap();
        let basis = diagonalise(&terms).unwrap();
        for (term, (&x, &z)) in x.iter().zip(&z).enumerate() {
            let start = Pauli::hermitian(x, z);
            let end = basis.gates.iter().fold(start, |pauli, &gate| conjugate(gate, pauli));
            let phase = if basis.negative[term] { 2 } else { 0 };
            prop_assert_eq!(end, Pauli { phase, x: 0, z: basis.masks[term] });
        }
        prop_assert!(entangling(&basis) <= qubits.min(masks.len()) * (qubits - 1));
    }

    #[test]
    fn groups_commute_and_have_every_term_once(
        terms in prop::collection::vec((any::<[u64; 2]>(), any::<[u64; 2]>(), 0.0..10.0), 0..150),
        qubits in 1_usize..5,
        qubit_wise in any::<bool>(),
    ) {
        // A few qubits on both sides of the border of the words.
        let mask = [u64::MAX << (64 - qubits), (1 << qubits) - 1];
        let masked = |words: &[u64; 2]| [words[0] & mask[0], words[1] & mask[1]];
        let x: Vec<_> = terms.iter().flat_map(|(x, _, _)| masked(x)).collect();
        let z: Vec<_> = terms.iter().flat_map(|(_, z, _)| masked(z)).collect();
        let weights: Vec<_> = terms.iter().map(|term| term.2).collect();
        let terms = Terms::new(2, x, z).unwrap();
        let commutation = if qubit_wise { Commutation::QubitWise } else { Commutation::General };
        let groups = group(&terms, &weights, commutation);
        let mut all = groups.concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..terms.len()).collect::<Vec<_>>());
        for group in &groups {
            for (position, &one) in group.iter().enumerate() {
                for &other in &group[..position] {
                    let fit = if qubit_wise {
                        terms.commute_qubit_wise(one, other)
                    } else {
                        terms.commute(one, other)
                    };
                    prop_assert!(fit);
                }
            }
        }
    }

    #[test]
    fn terms_commute_as_their_products_do(x in any::<[u64; 2]>(), z in any::<[u64; 2]>()) {
        let terms = Terms::new(1, x.to_vec(), z.to_vec()).unwrap();
        let [one, other] = [0, 1].map(|term| Pauli::hermitian(x[term], z[term]));
        prop_assert_eq!(terms.commute(0, 1), one.times(other) == other.times(one));
    }
}

#[test]
fn terms_that_do_not_commute_are_named() {
    let terms = Terms::new(1, vec![0b00, 0b01, 0b00], vec![0b11, 0b00, 0b01]).unwrap();
    assert_eq!(diagonalise(&terms).unwrap_err(), NotCommuting { first: 1, second: 2 });
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    assert!(Terms::new(0, vec![], vec![]).is_none());
    assert!(Terms::new(1, vec![1], vec![]).is_none());
    assert!(Terms::new(2, vec![1], vec![1]).is_none());
}
