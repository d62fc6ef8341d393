//! Trajectories: noisy state-vector simulation of AQT's circuits, without Python and without unsafe
//! code.

mod events;
mod matrix;
mod noise;
mod program;
mod random;
mod rows;
mod sampler;
mod state;

pub use self::{
    matrix::{Complex, Matrix},
    noise::{Kind, Mixture, Noise, Qubits, Readout, Step, Term},
    sampler::sample,
};

#[cfg(test)]
mod tests;
