//! Merges neighbouring RXX and brings their angles into [0, π/2].

use std::f64::consts::{FRAC_PI_2, PI};

use super::runs::{Event, Opening, Runs};
use crate::rotation::{Rotation, TOLERANCE, without_turns};

/// RXX(θ), |θ| ≤ a few turns, as RXX(`theta`)·RXX(`half_turns`·π) with `theta` ∈ [−π/2, π/2], 0 if
/// negligible.
struct Wrapped {
    theta: f64,
    half_turns: f64,
}

impl Wrapped {
    fn new(theta: f64) -> Self {
        let near = theta.abs() < FRAC_PI_2 + TOLERANCE;
        let half_turns = if near { 0.0 } else { (theta / PI).round() };
        let wrapped = if near { theta } else { theta - half_turns * PI };
        if wrapped.abs() < TOLERANCE {
            Self { theta: 0.0, half_turns }
        } else if wrapped.abs() < FRAC_PI_2 - TOLERANCE {
            Self { theta: wrapped, half_turns }
        } else {
            // −π/2 + kπ is π/2 + (k − 1)π: an even number of half turns needs no pulses.
            let (bound, sign) = (FRAC_PI_2.copysign(wrapped), wrapped.signum());
            if half_turns % 2.0 == 0.0 {
                Self { theta: bound, half_turns }
            } else {
                Self { theta: -bound, half_turns: half_turns + sign }
            }
        }
    }
}

/// Appends RXX(`theta`), `theta` in radians.
pub(super) fn interact(runs: &mut Runs, qubits: [u32; 2], theta: f64) {
    let given = theta;
    let theta = without_turns(given);
    if add_to_last(runs, qubits, theta) {
        runs.rewritten = true;
        return;
    }
    let theta = wrap(runs, qubits, theta, 0);
    runs.rewritten |= theta.to_bits() != given.to_bits();
    if theta != 0.0 {
        let event = Opening::Interaction(runs.events.len());
        runs.events.push(Event::Interaction { qubits, theta });
        for qubit in qubits {
            runs.open(qubit, event);
        }
    }
}

/// Adds RXX(`theta`) to the last interaction of the same qubits, if the rotations A and B after it
/// commute or anticommute with X: RXX(θ)·(A⊗B) = (A⊗B)·RXX(±θ).
fn add_to_last(runs: &mut Runs, qubits: [u32; 2], theta: f64) -> bool {
    let [first, second] = qubits.map(|qubit| *runs.last(qubit));
    let (Opening::Interaction(event), true) = (first.opening, first.opening == second.opening)
    else {
        return false;
    };
    let signs = (first.rotation.sign_of_x(), second.rotation.sign_of_x());
    let (Some(first_sign), Some(second_sign)) = signs else { return false };
    let Event::Interaction { theta: before, .. } = runs.events[event] else { return false };
    let theta = wrap(runs, qubits, before + first_sign * second_sign * theta, 1);
    if theta == 0.0 {
        runs.events[event] = Event::Vanished;
        for (qubit, run) in qubits.into_iter().zip([first, second]) {
            runs.by_qubit[qubit as usize].pop();
            runs.last(qubit).append(run.rotation);
        }
    } else if let Event::Interaction { theta: before, .. } = &mut runs.events[event] {
        *before = theta;
    }
    true
}

/// Writes RXX(`theta`) as RXX(θ') times half turns and returns θ' ∈ [−π/2, π/2]. The half turns go
/// into the phase and into the runs of the qubits, `back` places before the last ones.
fn wrap(runs: &mut Runs, qubits: [u32; 2], theta: f64, back: usize) -> f64 {
    let Wrapped { theta, half_turns } = Wrapped::new(theta);
    // RXX(π) = −i X⊗X = i RX(π)⊗RX(π), and RXX(2π) = −1.
    runs.phase += half_turns.rem_euclid(4.0) * FRAC_PI_2;
    if half_turns % 2.0 != 0.0 {
        for qubit in qubits {
            let runs = &mut runs.by_qubit[qubit as usize];
            let place = runs.len() - 1 - back;
            runs[place].append(Rotation::HALF_X);
        }
    }
    theta
}

/// Makes all angles positive: RXX(−θ) = (RZ(π)⊗1)·RXX(θ)·(RZ(−π)⊗1), on either qubit.
pub(super) fn make_positive(runs: &mut Runs) {
    let mut places = vec![0; runs.by_qubit.len()];
    let mut walled = runs.walled.iter();
    for event in &mut runs.events {
        match event {
            Event::Interaction { qubits, theta } => {
                if *theta < 0.0 {
                    *theta = -*theta;
                    runs.rewritten = true;
                    // A rotation that commutes with X is free, one that anticommutes costs an RZ.
                    let [first, second] = qubits.map(|qubit| {
                        let place = places[qubit as usize];
                        let around = &runs.by_qubit[qubit as usize][place..=place + 1];
                        around.iter().filter_map(|run| run.rotation.sign_of_x()).sum::<f64>()
                    });
                    let qubit = qubits[usize::from(second < first)] as usize;
                    let place = places[qubit];
                    runs.by_qubit[qubit][place].append(Rotation::HALF_Z.inverse());
                    runs.by_qubit[qubit][place + 1].prepend(Rotation::HALF_Z);
                }
                for qubit in qubits {
                    places[*qubit as usize] += 1;
                }
            }
            Event::Wall { num_qubits, .. } => {
                for &qubit in walled.by_ref().take(*num_qubits) {
                    places[qubit as usize] += 1;
                }
            }
            Event::Cut { qubit } => places[*qubit as usize] += 1,
            Event::Vanished => {}
        }
    }
}
