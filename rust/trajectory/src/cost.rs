//! Which method takes less time, by measurement.
//!
//! The figures are nanoseconds on a Xeon of 2023 with AVX2: `make bench-trajectories`.

use crate::program::Program;

/// Of an entry of a density matrix and a block.
const ENTRY: f64 = 1.3;

/// Of a gate's channel.
const CHANNEL: f64 = 4000.0;

/// Of an amplitude of a trajectory and a block.
const AMPLITUDE: f64 = 0.6;

/// Of a block of a trajectory, whatever its amplitudes are.
const BLOCK: f64 = 15.0;

/// Of an error.
const EVENT: f64 = 1000.0;

/// Above this number of qubits, a density matrix takes more than 8 MB.
const MOST_QUBITS: usize = 10;

/// How a circuit is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The state vectors that follow from the errors of the shots.
    Trajectories,
    /// The density matrix, of which all shots are drawn.
    Density,
}

/// The method that is expected to take less time.
pub(crate) fn cheaper(program: &Program, shots: u32) -> Method {
    if program.num_qubits <= MOST_QUBITS && density(program) < trajectories(program, shots) {
        Method::Density
    } else {
        Method::Trajectories
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn density(program: &Program) -> f64 {
    let entries = (program.num_qubits as f64 * 2.0).exp2();
    program.blocks.len() as f64 * entries * ENTRY + program.sites.len() as f64 * CHANNEL
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn trajectories(program: &Program, shots: u32) -> f64 {
    let errors = program.errors();
    if errors < 1e-9 {
        return 0.0;
    }
    let none = (-errors).exp();
    // What is left of the circuit after the first error, on average.
    let rest = 1.0 - 1.0 / errors + none / (1.0 - none);
    let amplitudes = (program.num_qubits as f64).exp2();
    let blocks = (1.0 - none) * rest * program.blocks.len() as f64;
    f64::from(shots) * (blocks * (amplitudes * AMPLITUDE + BLOCK) + errors * EVENT)
}
