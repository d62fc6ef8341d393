//! Properties of the lowering, against products of 4 × 4 matrices.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use aqt_compile::{
    gates::{GateSink, OneQubitGate},
    lower::{Lowered, Lowering, Step},
    rotation::Rotation,
};
use proptest::prelude::*;

/// A gate on two qubits.
#[derive(Clone, Copy, Debug)]
enum Gate {
    R(u32, f64, f64),
    Rz(u32, f64),
    U(u32, f64, f64, f64),
    Rxx(f64),
    Barrier,
}

/// Any angle; multiples of π/4 often.
fn angle() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-9..9_i32).prop_map(|eighths| f64::from(eighths) * FRAC_PI_4),
        (-2..2_i32).prop_map(|quarters| f64::from(quarters) * FRAC_PI_2),
        -10.0..10.0,
    ]
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        3 => (0..2_u32, angle(), angle()).prop_map(|(q, theta, phi)| Gate::R(q, theta, phi)),
        2 => (0..2_u32, angle()).prop_map(|(q, phi)| Gate::Rz(q, phi)),
        2 => (0..2_u32, angle(), angle(), angle()).prop_map(|(q, a, b, c)| Gate::U(q, a, b, c)),
        4 => angle().prop_map(Gate::Rxx),
        1 => Just(Gate::Barrier),
    ]
}

fn lower(gates: &[Gate], merge: bool, measured: bool) -> (Vec<Step>, f64) {
    let Lowered { steps, phase, .. } = lowered(gates, merge, measured);
    (steps, phase)
}

fn lowered(gates: &[Gate], merge: bool, measured: bool) -> Lowered {
    let mut lowering = Lowering::new(2);
    for &gate in gates {
        match gate {
            Gate::R(qubit, theta, phi) => lowering.rotate(qubit, OneQubitGate::R(theta, phi)),
            Gate::Rz(qubit, phi) => lowering.rotate(qubit, OneQubitGate::Rz(phi)),
            Gate::U(qubit, a, b, c) => lowering.rotate(qubit, Rotation::u(a, b, c)),
            Gate::Rxx(theta) => lowering.rxx([0, 1], theta),
            Gate::Barrier => lowering.barrier(0, &[0, 1]),
        }
        if !merge {
            lowering.cut(&[0, 1]);
        }
    }
    let lowered = lowering.finish(|_| measured);
    if !lowered.rewritten {
        let kept = as_gates(&lowered.steps);
        assert!(kept.len() < gates.len() || per_qubit(&kept) == per_qubit(gates));
    }
    lowered
}

/// The gates on each qubit, in order.
fn per_qubit(gates: &[Gate]) -> [Vec<String>; 2] {
    [0, 1].map(|wire| {
        let is_here = |gate: &&Gate| match **gate {
            Gate::R(qubit, ..) | Gate::Rz(qubit, _) | Gate::U(qubit, ..) => qubit == wire,
            Gate::Rxx(_) | Gate::Barrier => true,
        };
        gates.iter().filter(is_here).map(|gate| format!("{gate:?}")).collect()
    })
}

fn as_gates(steps: &[Step]) -> Vec<Gate> {
    let gate = |step: &Step| match *step {
        Step::R { qubit, theta, phi } => Gate::R(qubit, theta, phi),
        Step::Rz { qubit, phi } => Gate::Rz(qubit, phi),
        Step::Rxx { theta, .. } => Gate::Rxx(theta),
        Step::Barrier(_) | Step::Opaque(_) => Gate::Barrier,
    };
    steps.iter().map(gate).collect()
}

type Complex = (f64, f64);
type Column = [Complex; 4];

fn times(x: Complex, y: Complex) -> Complex {
    (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0)
}

fn exp(angle: f64) -> Complex {
    (angle.cos(), angle.sin())
}

/// Applies a 2 × 2 matrix to a qubit; qubit 0 is the lowest bit of an index.
fn apply_to_qubit(column: &mut Column, qubit: u32, matrix: [[Complex; 2]; 2]) {
    for low in (0..4).filter(|index| index >> qubit & 1 == 0) {
        let high = low | 1 << qubit;
        let (a, b) = (column[low], column[high]);
        for (row, index) in [low, high].into_iter().enumerate() {
            let (x, y) = (times(matrix[row][0], a), times(matrix[row][1], b));
            column[index] = (x.0 + y.0, x.1 + y.1);
        }
    }
}

fn apply(column: &mut Column, gate: Gate) {
    let rz = |phi: f64| [[exp(-phi / 2.0), (0.0, 0.0)], [(0.0, 0.0), exp(phi / 2.0)]];
    match gate {
        Gate::R(qubit, theta, phi) => {
            let (cosine, sine) = ((theta / 2.0).cos(), (theta / 2.0).sin());
            let off = |phi: f64| times((0.0, -sine), exp(phi));
            apply_to_qubit(column, qubit, [[(cosine, 0.0), off(-phi)], [off(phi), (cosine, 0.0)]]);
        }
        Gate::Rz(qubit, phi) => apply_to_qubit(column, qubit, rz(phi)),
        Gate::U(qubit, theta, phi, lambda) => {
            apply(column, Gate::Rz(qubit, lambda));
            apply(column, Gate::R(qubit, theta, FRAC_PI_2));
            apply(column, Gate::Rz(qubit, phi));
        }
        Gate::Rxx(theta) => {
            let (cosine, sine) = ((theta / 2.0).cos(), (theta / 2.0).sin());
            let before = *column;
            for (index, value) in column.iter_mut().enumerate() {
                let (x, y) = (before[index], times((0.0, -sine), before[3 - index]));
                *value = (cosine * x.0 + y.0, cosine * x.1 + y.1);
            }
        }
        Gate::Barrier => {}
    }
}

/// The columns of exp(i·`phase`) times the product of the gates.
fn matrix(gates: &[Gate], phase: f64) -> [Column; 4] {
    let mut columns = [[(0.0, 0.0); 4]; 4];
    for (index, column) in columns.iter_mut().enumerate() {
        column[index] = exp(phase);
        for &gate in gates {
            apply(column, gate);
        }
    }
    columns
}

fn counts(steps: &[Step]) -> (usize, usize) {
    let is_pulse = |step: &&Step| matches!(step, Step::R { .. } | Step::Rxx { .. });
    (steps.len(), steps.iter().filter(is_pulse).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn unitary_and_phase_stay(gates in prop::collection::vec(gate(), 0..30), merge: bool) {
        let (steps, phase) = lower(&gates, merge, false);
        let (before, after) = (matrix(&gates, 0.0), matrix(&as_gates(&steps), phase));
        for (x, y) in before.iter().flatten().zip(after.iter().flatten()) {
            prop_assert!((x.0 - y.0).hypot(x.1 - y.1) < 1e-7);
        }
    }

    #[test]
    fn probabilities_of_measured_circuits_stay(gates in prop::collection::vec(gate(), 0..30)) {
        let (steps, phase) = lower(&gates, true, true);
        let (before, after) = (matrix(&gates, 0.0), matrix(&as_gates(&steps), phase));
        for (x, y) in before.iter().flatten().zip(after.iter().flatten()) {
            prop_assert!((x.0.hypot(x.1) - y.0.hypot(y.1)).abs() < 1e-7);
        }
    }

    #[test]
    fn angles_are_in_range(gates in prop::collection::vec(gate(), 0..30), merge: bool) {
        for step in lower(&gates, merge, false).0 {
            let in_range = match step {
                Step::R { theta, phi, .. } => {
                    theta > 0.0 && theta <= PI && (0.0..TAU).contains(&phi)
                }
                Step::Rz { phi, .. } => phi != 0.0 && phi > -PI && phi <= PI,
                Step::Rxx { theta, .. } => theta > 0.0 && theta <= FRAC_PI_2,
                Step::Barrier(_) | Step::Opaque(_) => true,
            };
            prop_assert!(in_range, "{step:?}");
        }
    }

    #[test]
    fn once_is_enough(
        gates in prop::collection::vec(gate(), 0..40), merge: bool, measured: bool,
    ) {
        let (once, _) = lower(&gates, merge, measured);
        let twice = lowered(&as_gates(&once), merge, measured);
        prop_assert!(!twice.rewritten);
        prop_assert_eq!(once, twice.steps);
        prop_assert!(twice.phase.abs() < f64::MIN_POSITIVE);
    }

    /// Each run on its own is what a barrier before and behind each interaction leaves.
    #[test]
    fn carrying_never_costs(
        runs in prop::collection::vec((prop::collection::vec(gate(), 0..4), 0.1..1.5), 1..12),
        measured: bool,
    ) {
        let is_local = |gate: &&Gate| !matches!(gate, Gate::Rxx(_) | Gate::Barrier);
        let (mut free, mut walled) = (Vec::new(), Vec::new());
        for (index, (run, theta)) in runs.iter().enumerate() {
            // Something that cannot be passed, so that no interactions merge.
            let lock = [Gate::R(0, 1.0, 0.7), Gate::Rz(0, f64::from(u8::try_from(index).unwrap()))];
            let local: Vec<_> = run.iter().filter(is_local).copied().chain(lock).collect();
            free.extend(local.iter().chain([&Gate::Rxx(*theta)]));
            walled.extend(local.iter().chain([&Gate::Barrier, &Gate::Rxx(*theta), &Gate::Barrier]));
        }
        let (free, _) = lower(&free, true, measured);
        let (mut walled, _) = lower(&walled, true, measured);
        walled.retain(|step| !matches!(step, Step::Barrier(_)));
        let (free, walled) = (counts(&free), counts(&walled));
        prop_assert!(free.0 <= walled.0 && free.1 <= walled.1, "{free:?} {walled:?}");
    }
}

#[test]
fn of_two_runs_one_needs_no_pulse() {
    let mut gates = Vec::new();
    for index in 0..20 {
        for qubit in 0..2 {
            let angle = 0.3 + f64::from(index) / 17.0 + f64::from(qubit);
            gates.extend([Gate::U(qubit, angle, 2.0 * angle, 0.7 - angle)]);
        }
        gates.push(Gate::Rxx(0.4));
    }
    let (steps, _) = lower(&gates, true, true);
    let (operations, pulses) = counts(&steps);
    assert!(pulses <= 20 + 20 + 2, "{pulses}");
    assert!(operations <= 20 + 60 + 2, "{operations}");
}

#[test]
fn rotations_about_x_are_collected() {
    let gates: Vec<_> = (0..10)
        .flat_map(|index| {
            [Gate::R(0, 0.1, 0.0), Gate::Rz(1, 0.5 + f64::from(index)), Gate::Rxx(0.3)]
        })
        .collect();
    let (steps, _) = lower(&gates, true, false);
    let rotations = steps.iter().filter(|step| matches!(step, Step::R { qubit: 0, .. }));
    assert_eq!(rotations.count(), 1);
}
