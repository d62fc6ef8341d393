//! Plans measurements of Pauli terms and evaluates them.
//!
//! ```text
//! terms ─► grouping ─► basis of each group ─► circuits
//!              spread ─► allocation of shots ─► measured rows ─► expectation values
//! ```
//!
//! A term is a Hermitian product of Pauli matrices in two bit masks: bit `q` of `x` and of `z` tells
//! whether the term has X, Z or, with both, Y on qubit `q`. Masks are `W = ceil(qubits / 64)` words,
//! the first with the lowest bits. Nothing here knows circuits, Python or the codec.

mod allocation;
mod basis;
mod bits;
mod expectation;
mod grouping;
mod observables;
mod spread;
mod terms;

pub use allocation::{AllocationError, allocate};
pub use basis::{Basis, Gate, NotCommuting, diagonalise};
pub use expectation::{Expectations, Rows, expectations};
pub use grouping::{Commutation, group};
pub use observables::Observables;
pub use spread::half_spreads;
pub use terms::Terms;
