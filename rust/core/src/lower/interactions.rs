//! Interactions: merging neighbours, and bringing the angle of RXX into [0, π/2].

use std::f64::consts::{FRAC_PI_2, PI};

use super::{
    Event, Lowering, Opening,
    rotation::{Rotation, TOLERANCE, without_turns},
};

/// RXX(θ), θ of a few turns at most, as RXX(`theta`)·RXX(`half_turns`·π), `theta` ∈ [−π/2, π/2] and 0 if it is negligible.
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
            // −π/2 + kπ is π/2 + (k − 1)π: the one with an even k needs no pulses.
            let (bound, sign) = (FRAC_PI_2.copysign(wrapped), wrapped.signum());
            if half_turns % 2.0 == 0.0 {
                Self { theta: bound, half_turns }
            } else {
                Self { theta: -bound, half_turns: half_turns + sign }
            }
        }
    }
}

impl Lowering {
    /// Appends RXX(`theta`), `theta` in radians.
    pub(super) fn interact(&mut self, qubits: [u32; 2], theta: f64) {
        let came = theta;
        let theta = without_turns(came);
        if self.add_to_last(qubits, theta) {
            self.rewritten = true;
            return;
        }
        let theta = self.wrap(qubits, theta, 0);
        self.rewritten |= theta.to_bits() != came.to_bits();
        if theta != 0.0 {
            let event = Opening::Interaction(self.events.len());
            self.events.push(Event::Interaction { qubits, theta });
            for qubit in qubits {
                self.open(qubit, event);
            }
        }
    }

    /// Adds RXX(`theta`) to the last interaction of the same qubits, if what came after that can
    /// be passed: RXX(θ)·(A⊗B) = (A⊗B)·RXX(±θ) where A and B have a sign with X.
    fn add_to_last(&mut self, qubits: [u32; 2], theta: f64) -> bool {
        let [first, second] = qubits.map(|qubit| *self.run(qubit));
        let (Opening::Interaction(event), true) = (first.opening, first.opening == second.opening)
        else {
            return false;
        };
        let signs = (first.rotation.sign_of_x(), second.rotation.sign_of_x());
        let (Some(first_sign), Some(second_sign)) = signs else { return false };
        let Event::Interaction { theta: before, .. } = self.events[event] else { return false };
        let theta = self.wrap(qubits, before + first_sign * second_sign * theta, 1);
        if theta == 0.0 {
            self.events[event] = Event::Vanished;
            for (qubit, run) in qubits.into_iter().zip([first, second]) {
                self.runs[qubit as usize].pop();
                self.run(qubit).append(run.rotation);
            }
        } else if let Event::Interaction { theta: before, .. } = &mut self.events[event] {
            *before = theta;
        }
        true
    }

    /// θ' ∈ [−π/2, π/2] with RXX(`theta`) = RXX(θ') but for what goes into the phase and into the
    /// runs of its qubits, `back` places before the last ones.
    fn wrap(&mut self, qubits: [u32; 2], theta: f64, back: usize) -> f64 {
        let Wrapped { theta, half_turns } = Wrapped::new(theta);
        // RXX(π) = −i X⊗X = i RX(π)⊗RX(π), and RXX(2π) = −1.
        self.phase += half_turns.rem_euclid(4.0) * FRAC_PI_2;
        if half_turns % 2.0 != 0.0 {
            for qubit in qubits {
                let runs = &mut self.runs[qubit as usize];
                let place = runs.len() - 1 - back;
                runs[place].append(Rotation::HALF_X);
            }
        }
        theta
    }

    /// Makes all angles positive: RXX(−θ) = (RZ(π)⊗1)·RXX(θ)·(RZ(−π)⊗1), on either qubit.
    pub(super) fn make_positive(&mut self) {
        let mut places = vec![0; self.runs.len()];
        let mut walled = self.walled.iter();
        for event in &mut self.events {
            match event {
                Event::Interaction { qubits, theta } => {
                    if *theta < 0.0 {
                        *theta = -*theta;
                        self.rewritten = true;
                        // What commutes with X is free, what anticommutes with it takes an RZ.
                        let [first, second] = qubits.map(|qubit| {
                            let place = places[qubit as usize];
                            let around = &self.runs[qubit as usize][place..=place + 1];
                            around.iter().filter_map(|run| run.rotation.sign_of_x()).sum::<f64>()
                        });
                        let qubit = qubits[usize::from(second < first)] as usize;
                        let place = places[qubit];
                        self.runs[qubit][place].append(Rotation::HALF_Z.inverse());
                        self.runs[qubit][place + 1].prepend(Rotation::HALF_Z);
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
}
