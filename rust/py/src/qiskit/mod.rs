//! Qiskit's circuits and DAGs, read and built through the function table that Qiskit exports to
//! extension modules. All unsafe code of the project is in this folder.
//!
//! `capi` declares the table, `circuit` and `dag` wrap it safely, `self_check` hands it out after a
//! round trip. `operations` reads circuits of AQT's operations and `program` circuits of any gates;
//! `build` writes circuits and DAGs.

mod build;
mod capi;
mod circuit;
mod culprit;
mod dag;
mod gates;
mod instruction;
mod operations;
mod program;
mod self_check;
mod unknown_operations;
mod version;

pub use self::{
    build::{Built, build_circuit, build_dag},
    capi::kind,
    dag::{DagRef, Node},
    gates::{StandardGate, standard_gate},
    operations::{Angles, fill, measurement_map, read_circuits},
    program::{Expressions, Failure, Reading, read_program},
    self_check::checked_table,
    unknown_operations::{Explain, raised_problem},
};
