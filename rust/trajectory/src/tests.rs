//! Trajectories with given errors, and the distribution of all, against a simulation gate by gate.

use aqt_core::{Circuit, CircuitBuilder, Limits, Operation, circuit::operation::radians};

use crate::{
    cost::Method,
    density::Density,
    matrix::{Complex, Matrix},
    mixture::{Mixture, Step, Term},
    noise::{Kind, Noise, Qubits, Readout},
    program::Program,
    random::Random,
    sample,
    waiting::Waiting,
    waits::Waits,
};

/// Amplitudes, and every gate applied on its own: slow and obvious.
#[derive(Clone)]
struct Reference(Vec<Complex>);

impl Reference {
    fn new(num_qubits: usize) -> Self {
        let mut amplitudes = vec![Complex::ZERO; 1 << num_qubits];
        amplitudes[0] = Complex::ONE;
        Self(amplitudes)
    }

    fn one(&mut self, qubit: usize, matrix: &Matrix<2>) {
        let before = self.0.clone();
        for (index, amplitude) in self.0.iter_mut().enumerate() {
            let row = index >> qubit & 1;
            let zero = index & !(1 << qubit);
            *amplitude =
                matrix.0[row][0] * before[zero] + matrix.0[row][1] * before[zero | 1 << qubit];
        }
    }

    fn two(&mut self, qubits: [usize; 2], matrix: &Matrix<4>) {
        let before = self.0.clone();
        let [first, second] = qubits;
        for (index, amplitude) in self.0.iter_mut().enumerate() {
            let row = index >> first & 1 | (index >> second & 1) << 1;
            let zero = index & !(1 << first) & !(1 << second);
            *amplitude = Complex::ZERO;
            for (column, &entry) in matrix.0[row].iter().enumerate() {
                let source = zero | (column & 1) << first | (column >> 1) << second;
                *amplitude = *amplitude + entry * before[source];
            }
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Rz { qubit, phi } => self.one(qubit as usize, &Matrix::rz(radians(phi))),
            Operation::R { qubit, phi, theta } => {
                self.one(qubit as usize, &Matrix::r(radians(theta), radians(phi)));
            }
            Operation::Rxx { qubits, theta } => {
                self.two(qubits.map(|qubit| qubit as usize), &Matrix::rxx(radians(theta)));
            }
        }
    }

    /// All that a step can lead to: with resets these are two states that are not normalised.
    fn after(self, step: &Step, qubits: &[usize]) -> Vec<Self> {
        let mut next = self;
        match step {
            Step::One(place, matrix) => next.one(qubits[*place], matrix),
            Step::Two(matrix) => next.two([qubits[0], qubits[1]], matrix),
            Step::Reset(place) => {
                let mut one = next.clone();
                next.one(
                    qubits[*place],
                    &Matrix([[Complex::ONE, Complex::ZERO], [Complex::ZERO; 2]]),
                );
                one.one(
                    qubits[*place],
                    &Matrix([[Complex::ZERO, Complex::ONE], [Complex::ZERO; 2]]),
                );
                return vec![next, one];
            }
        }
        vec![next]
    }

    fn probabilities(&self) -> Vec<f64> {
        self.0.iter().map(|value| value.re * value.re + value.im * value.im).collect()
    }
}

fn below(random: &mut Random, bound: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    let number = (random.uniform() * f64::from(bound)) as u32;
    number
}

/// Random gates; the last of the qubits may be idle.
fn random_circuit(random: &mut Random, num_qubits: u32, gates: usize) -> Circuit {
    let limits = Limits { qubits: 100, operations: 1000 };
    let mut builder = CircuitBuilder::new(num_qubits, num_qubits, gates, limits).unwrap();
    for _ in 0..gates {
        let qubit = below(random, num_qubits);
        let kind = if num_qubits == 1 { below(random, 2) } else { below(random, 3) };
        let operation = match kind {
            0 => Operation::Rz { qubit, phi: 4.0 * random.uniform() - 2.0 },
            1 => Operation::R { qubit, phi: 2.0 * random.uniform(), theta: random.uniform() },
            _ => {
                let other = (qubit + 1 + below(random, num_qubits - 1)) % num_qubits;
                Operation::Rxx { qubits: [qubit, other], theta: random.uniform() / 2.0 }
            }
        };
        builder.gate(operation).unwrap();
    }
    builder.measure(0, 0).unwrap();
    builder.finish().unwrap()
}

fn term(probability: f64, steps: Vec<Step>) -> Term {
    Term { probability, steps }
}

/// Terms of each kind of error, by the number of qubits.
fn terms(num_qubits: usize) -> Vec<Term> {
    let tilt = Matrix::r(0.3, 0.2);
    let mut terms = vec![
        term(0.5, vec![Step::One(0, tilt)]),
        term(0.1, vec![Step::One(0, Matrix::Y)]),
        term(0.2, vec![Step::One(0, Matrix::X), Step::Reset(0), Step::One(0, tilt)]),
    ];
    if num_qubits == 1 {
        terms.push(term(0.2, vec![Step::Reset(0), Step::One(0, Matrix::X)]));
    } else {
        let both = Matrix::rxx(0.7).after(&Matrix::r(1.0, 0.4).on(1));
        terms.push(term(0.1, vec![Step::Reset(1), Step::Two(Box::new(both)), Step::Reset(0)]));
        terms.push(term(0.1, vec![Step::Two(Box::new(both)), Step::One(1, Matrix::Z)]));
    }
    terms
}

fn kind_and_qubits(operation: Operation) -> (Kind, Vec<u32>) {
    match operation {
        Operation::Rz { qubit, .. } => (Kind::Rz, vec![qubit]),
        Operation::R { qubit, .. } => (Kind::R, vec![qubit]),
        Operation::Rxx { qubits, .. } => (Kind::Rxx, qubits.to_vec()),
    }
}

/// The probability of each outcome, from every term of every gate.
fn distribution(circuit: &Circuit, noisy: impl Fn(Kind, &[u32]) -> bool) -> Vec<f64> {
    let num_qubits = circuit.num_qubits() as usize;
    let mut branches = vec![(1.0, Reference::new(num_qubits))];
    for &operation in circuit.operations() {
        for (_, state) in &mut branches {
            state.apply(operation);
        }
        let (kind, qubits) = kind_and_qubits(operation);
        if !noisy(kind, &qubits) {
            continue;
        }
        let places: Vec<_> = qubits.iter().map(|&qubit| qubit as usize).collect();
        let mut after = vec![];
        for (weight, state) in branches {
            for term in terms(places.len()) {
                let mut states = vec![state.clone()];
                for step in &term.steps {
                    states =
                        states.into_iter().flat_map(|state| state.after(step, &places)).collect();
                }
                after.extend(states.into_iter().map(|state| (weight * term.probability, state)));
            }
        }
        branches = after;
    }
    let mut total = vec![0.0; 1 << num_qubits];
    for (weight, state) in branches {
        for (sum, probability) in total.iter_mut().zip(state.probabilities()) {
            *sum += weight * probability;
        }
    }
    total
}

/// Checks that counts are within five standard deviations, and a little, of their expectations.
fn check(counts: &[u32], probabilities: &[f64], what: &str) {
    let shots = f64::from(counts.iter().sum::<u32>());
    for (outcome, (&count, probability)) in counts.iter().zip(probabilities).enumerate() {
        let deviation = (shots * probability * (1.0 - probability)).max(0.0).sqrt();
        let distance = (f64::from(count) - shots * probability).abs();
        assert!(
            distance <= 5.0 * deviation + 1e-6 * shots,
            "{what}, outcome {outcome}: {count} instead of {}",
            shots * probability
        );
    }
}

const METHODS: [Option<Method>; 3] = [None, Some(Method::Trajectories), Some(Method::Density)];

fn counts(
    circuit: &Circuit,
    noise: &Noise,
    shots: u32,
    seed: u64,
    method: Option<Method>,
) -> Vec<u32> {
    let samples = sample(circuit, noise, shots, seed, method);
    assert_eq!(samples.num_qubits(), circuit.num_qubits() as usize);
    let mut counts = vec![0; 1 << circuit.num_qubits()];
    for row in samples.rows() {
        counts[usize::from(*row)] += 1;
    }
    counts
}

/// Checks the probabilities of a density matrix, which are exact.
fn check_density(circuit: &Circuit, noise: &Noise, probabilities: &[f64]) {
    let waits = Waits::new(circuit, noise.waiting());
    let program = Program::new(circuit, noise, &waits);
    let mut density = Density::new(program.num_qubits);
    for block in &program.blocks {
        density.apply(block.qubits, &program.channel(block));
    }
    let mut expected = vec![0.0; 1 << program.num_qubits];
    for (outcome, probability) in probabilities.iter().enumerate() {
        let bit = |(bit, &qubit): (usize, &u32)| (outcome >> qubit & 1) << bit;
        expected[program.active.iter().enumerate().map(bit).sum::<usize>()] += probability;
    }
    for (found, expected) in density.probabilities().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }
}

#[test]
fn without_noise_outcomes_have_their_probabilities() {
    let mut random = Random::new(1);
    for seed in 0..60 {
        let num_qubits = 1 + below(&mut random, 6);
        let gates = below(&mut random, 40) as usize;
        let circuit = random_circuit(&mut random, num_qubits, gates);
        let mut reference = Reference::new(num_qubits as usize);
        for &operation in circuit.operations() {
            reference.apply(operation);
        }
        let expected = reference.probabilities();
        for method in METHODS {
            let found = counts(&circuit, &Noise::default(), 20_000, seed, method);
            check(&found, &expected, &format!("seed {seed}, {method:?}"));
        }
        check_density(&circuit, &Noise::default(), &expected);
    }
}

#[test]
fn with_noise_outcomes_have_their_probabilities() {
    let mut random = Random::new(2);
    let mixtures = || vec![Mixture::new(1, terms(1)).unwrap(), Mixture::new(2, terms(2)).unwrap()];
    for seed in 0..40 {
        let num_qubits = 1 + below(&mut random, 4);
        let circuit = random_circuit(&mut random, num_qubits, 4);
        let mut everywhere = Noise::new(mixtures());
        for (kind, index) in [(Kind::Rz, 0), (Kind::R, 0), (Kind::Rxx, 1)] {
            assert!(everywhere.set_mixture(kind, Qubits::All, index));
        }
        let expected = distribution(&circuit, |_, _| true);
        for method in METHODS {
            let found = counts(&circuit, &everywhere, 20_000, seed, method);
            check(&found, &expected, &format!("everywhere, seed {seed}, {method:?}"));
        }
        check_density(&circuit, &everywhere, &expected);

        let mut somewhere = Noise::new(mixtures());
        assert!(somewhere.set_mixture(Kind::R, Qubits::One(0), 0));
        assert!(somewhere.set_mixture(Kind::Rxx, Qubits::Two([1, 0]), 1));
        let expected = distribution(&circuit, |kind, qubits| {
            kind == Kind::R && qubits == [0] || kind == Kind::Rxx && qubits == [1, 0]
        });
        for method in METHODS {
            let found = counts(&circuit, &somewhere, 20_000, seed, method);
            check(&found, &expected, &format!("somewhere, seed {seed}, {method:?}"));
        }
        check_density(&circuit, &somewhere, &expected);
    }
}

#[test]
fn noise_of_certain_qubits_replaces_that_of_all() {
    let nothing = Mixture::new(1, vec![term(1.0, vec![])]).unwrap();
    let flip = Mixture::new(1, vec![term(1.0, vec![Step::One(0, Matrix::X)])]).unwrap();
    let mut noise = Noise::new(vec![flip, nothing]);
    assert!(noise.set_mixture(Kind::R, Qubits::All, 0));
    assert!(noise.set_mixture(Kind::R, Qubits::One(1), 1));
    let limits = Limits { qubits: 3, operations: 10 };
    let mut builder = CircuitBuilder::new(3, 1, 2, limits).unwrap();
    for qubit in [0, 1] {
        builder.gate(Operation::R { qubit, phi: 0.0, theta: 0.0 }).unwrap();
    }
    builder.measure(0, 0).unwrap();
    let circuit = builder.finish().unwrap();
    assert_eq!(counts(&circuit, &noise, 5, 0, None), [0, 5, 0, 0, 0, 0, 0, 0]);
    // Qubit 2 is idle, but read wrongly.
    assert!(noise.set_readout(Some(2), Readout { one_of_zero: 1.0, zero_of_one: 0.0 }));
    assert!(noise.set_readout(Some(0), Readout { one_of_zero: 0.0, zero_of_one: 1.0 }));
    assert_eq!(counts(&circuit, &noise, 5, 0, None), [0, 0, 0, 0, 5, 0, 0, 0]);
}

#[test]
fn readout_errors_have_their_probabilities() {
    let mut noise = Noise::default();
    assert!(noise.set_readout(None, Readout { one_of_zero: 0.1, zero_of_one: 0.25 }));
    assert!(noise.set_readout(Some(1), Readout { one_of_zero: 0.5, zero_of_one: 0.02 }));
    let limits = Limits { qubits: 2, operations: 10 };
    let mut builder = CircuitBuilder::new(2, 1, 2, limits).unwrap();
    builder.gate(Operation::R { qubit: 0, phi: 0.0, theta: 1.0 }).unwrap();
    builder.measure(0, 0).unwrap();
    let circuit = builder.finish().unwrap();
    let found = counts(&circuit, &noise, 100_000, 3, None);
    check(&found, &[0.25 * 0.5, 0.75 * 0.5, 0.25 * 0.5, 0.75 * 0.5], "idle qubit 1");
}

const WAITING: Waiting = Waiting { t1: 1.0, t2: 0.6, r: 0.1, rxx: 0.4 };

/// The probability of each outcome if, after each gate, every other qubit that a gate has acted on
/// relaxes for the gate's duration.
fn distribution_of_waiting(circuit: &Circuit) -> Vec<f64> {
    let num_qubits = circuit.num_qubits() as usize;
    let mut branches = vec![(1.0, Reference::new(num_qubits))];
    let mut used = vec![false; num_qubits];
    for &operation in circuit.operations() {
        for (_, state) in &mut branches {
            state.apply(operation);
        }
        let time = match operation {
            Operation::Rz { .. } => continue,
            Operation::R { .. } => WAITING.r,
            Operation::Rxx { .. } => WAITING.rxx,
        };
        let reset = 1.0 - (-time / WAITING.t1).exp();
        let coherence = (-time / WAITING.t2).exp() / (1.0 - reset);
        for (qubit, used) in used.iter_mut().enumerate() {
            if operation.touches(u32::try_from(qubit).unwrap()) {
                *used = true;
            } else if *used {
                let terms = [
                    (reset, Step::Reset(0)),
                    ((1.0 - reset) * (1.0 - coherence) / 2.0, Step::One(0, Matrix::Z)),
                    ((1.0 - reset) * (1.0 + coherence) / 2.0, Step::One(0, Matrix::identity())),
                ];
                let relaxed = |(weight, state): &(f64, Reference)| {
                    terms
                        .iter()
                        .flat_map(|(probability, step)| {
                            let states = state.clone().after(step, &[qubit]).into_iter();
                            states.map(move |state| (weight * probability, state))
                        })
                        .collect::<Vec<_>>()
                };
                branches = branches.iter().flat_map(relaxed).collect();
            }
        }
    }
    let mut total = vec![0.0; 1 << num_qubits];
    for (weight, state) in branches {
        for (sum, probability) in total.iter_mut().zip(state.probabilities()) {
            *sum += weight * probability;
        }
    }
    total
}

#[test]
fn waiting_qubits_relax() {
    let mut random = Random::new(8);
    let mut noise = Noise::default();
    assert!(noise.set_waiting(WAITING));
    let mut different = 0;
    for seed in 0..40 {
        let num_qubits = 1 + below(&mut random, 3);
        let circuit = random_circuit(&mut random, num_qubits, 5);
        let expected = distribution_of_waiting(&circuit);
        check_density(&circuit, &noise, &expected);
        let found = counts(&circuit, &noise, 20_000, seed, Some(Method::Trajectories));
        check(&found, &expected, &format!("seed {seed}"));
        let without = distribution(&circuit, |_, _| false);
        let distance = |(a, b): (&f64, &f64)| (a - b).abs();
        different += u32::from(expected.iter().zip(&without).map(distance).sum::<f64>() > 0.1);
    }
    assert!(different > 5, "{different} circuits show it");
}

#[test]
fn gates_rotate_too_far() {
    let mut random = Random::new(9);
    let mut noise = Noise::default();
    assert!(noise.set_over_rotation(0.2));
    for seed in 0..20 {
        let num_qubits = 1 + below(&mut random, 3);
        let circuit = random_circuit(&mut random, num_qubits, 10);
        let mut reference = Reference::new(num_qubits as usize);
        for &operation in circuit.operations() {
            reference.apply(match operation {
                Operation::Rz { .. } => operation,
                Operation::R { qubit, phi, theta } => {
                    Operation::R { qubit, phi, theta: 1.2 * theta }
                }
                Operation::Rxx { qubits, theta } => Operation::Rxx { qubits, theta: 1.2 * theta },
            });
        }
        check_density(&circuit, &noise, &reference.probabilities());
        let found = counts(&circuit, &noise, 20_000, seed, Some(Method::Trajectories));
        check(&found, &reference.probabilities(), &format!("seed {seed}"));
    }
}

#[test]
fn shots_do_not_depend_on_their_place() {
    let mut random = Random::new(4);
    let circuit = random_circuit(&mut random, 4, 30);
    let mut noise = Noise::new(vec![Mixture::new(1, terms(1)).unwrap()]);
    assert!(noise.set_mixture(Kind::R, Qubits::All, 0));
    let shots = 40_000;
    let samples = sample(&circuit, &noise, shots, 5, Some(Method::Trajectories));
    let parts: Vec<_> = samples.rows().chunks(10_000).collect();
    for qubit in 0..4 {
        let ones = |part: &[u8]| part.iter().map(|row| f64::from(row >> qubit & 1)).sum::<f64>();
        let mean = ones(samples.rows()) / f64::from(shots);
        for part in &parts {
            let deviation = (10_000.0 * mean * (1.0 - mean)).sqrt();
            assert!((ones(part) - 10_000.0 * mean).abs() < 5.0 * deviation + 1.0);
        }
        // Neighbours agree as often as any two shots.
        let rows = samples.rows();
        let agreeing: f64 =
            rows.windows(2).map(|pair| f64::from((pair[0] ^ pair[1] ^ 255) >> qubit & 1)).sum();
        let expected = mean * mean + (1.0 - mean) * (1.0 - mean);
        assert!((agreeing / f64::from(shots) - expected).abs() < 0.02);
    }
}

#[test]
fn outcomes_depend_on_the_seed_alone() {
    let mut random = Random::new(6);
    let circuit = random_circuit(&mut random, 5, 30);
    let mut noise = Noise::new(vec![Mixture::new(2, terms(2)).unwrap()]);
    assert!(noise.set_mixture(Kind::Rxx, Qubits::All, 0));
    let first = sample(&circuit, &noise, 1000, 7, None);
    assert_eq!(first, sample(&circuit, &noise, 1000, 7, None));
    assert_ne!(first, sample(&circuit, &noise, 1000, 8, None));
    assert_eq!(sample(&circuit, &noise, 0, 7, None).num_shots(), 0);
}

#[test]
fn what_is_no_noise_is_refused() {
    let flip = || Step::One(0, Matrix::X);
    assert!(Mixture::new(1, vec![term(0.9, vec![])]).is_none());
    assert!(Mixture::new(1, vec![term(1.1, vec![]), term(-0.1, vec![flip()])]).is_none());
    assert!(Mixture::new(1, vec![term(1.0, vec![Step::Reset(1)])]).is_none());
    assert!(
        Mixture::new(1, vec![term(1.0, vec![Step::Two(Box::new(Matrix::rxx(0.1)))])]).is_none()
    );
    let half = Matrix([[Complex::new(0.5, 0.0), Complex::ZERO], [Complex::ZERO, Complex::ONE]]);
    assert!(Mixture::new(1, vec![term(1.0, vec![Step::One(0, half)])]).is_none());
    let mut noise = Noise::new(vec![Mixture::new(1, vec![term(1.0, vec![flip()])]).unwrap()]);
    assert!(!noise.set_mixture(Kind::R, Qubits::All, 1));
    assert!(!noise.set_mixture(Kind::Rxx, Qubits::All, 0));
    assert!(!noise.set_mixture(Kind::R, Qubits::Two([0, 1]), 0));
    assert!(!noise.set_readout(None, Readout { one_of_zero: 1.1, zero_of_one: 0.0 }));
    for wrong in [
        Waiting { t1: 0.5, ..WAITING },
        Waiting { t2: 0.0, ..WAITING },
        Waiting { t1: f64::INFINITY, ..WAITING },
        Waiting { r: -0.1, ..WAITING },
        Waiting { rxx: f64::NAN, ..WAITING },
    ] {
        assert!(!noise.set_waiting(wrong));
    }
    assert!(!noise.set_over_rotation(f64::NAN));
}
