//! Trajectories: noisy state-vector simulation of AQT's circuits, without Python and without unsafe
//! code.

mod cost;
mod density;
mod events;
mod matrix;
mod mixture;
mod noise;
mod outcomes;
mod program;
mod random;
mod rows;
mod sampler;
mod state;
mod transfer;
mod waiting;
mod waits;

pub use self::{
    cost::Method,
    matrix::{Complex, Matrix},
    mixture::{Mixture, Step, Term},
    noise::{Kind, Noise, Qubits, Readout},
    sampler::sample,
    waiting::Waiting,
};

#[cfg(test)]
mod tests;
