//! Request bodies: written for the device, read for the local server.

use aqt_core::{
    GateCounts, Limits,
    wire::{encoder, fake_device, request},
};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    detached::detached, error_texts, qiskit, repetitions::Shots, snapshot::gate_counts_as_bytes,
};

/// Reads and checks `circuits`, all of them before an error lists every offender.
#[pyfunction]
#[pyo3(signature = (circuits, *, max_qubits, max_operations, strict_angles=false))]
pub fn check_circuits(
    py: Python<'_>,
    circuits: Vec<Bound<'_, PyAny>>,
    max_qubits: u32,
    max_operations: usize,
    strict_angles: bool,
) -> PyResult<()> {
    let limits = Limits { qubits: max_qubits, operations: max_operations };
    qiskit::read_circuits(py, &circuits, limits, qiskit::Angles::new(strict_angles), |_, _| ())
}

/// Reads and checks `circuits` like [`check_circuits`], and counts the gates of each that take time:
/// pairs of 32-bit numbers, of r and of rxx.
#[pyfunction]
#[pyo3(signature = (circuits, *, max_qubits, max_operations, strict_angles=false))]
pub fn count_gates<'py>(
    py: Python<'py>,
    circuits: Vec<Bound<'py, PyAny>>,
    max_qubits: u32,
    max_operations: usize,
    strict_angles: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let limits = Limits { qubits: max_qubits, operations: max_operations };
    let mut counts = Vec::with_capacity(circuits.len());
    qiskit::read_circuits(
        py,
        &circuits,
        limits,
        qiskit::Angles::new(strict_angles),
        |circuit, _| counts.push(circuit.gate_counts()),
    )?;
    Ok(gate_counts_as_bytes(py, &counts))
}

/// The request body of one API job.
#[pyfunction]
#[pyo3(signature = (circuits, shots, label, *, max_qubits, max_operations, strict_angles=false))]
pub fn encode_job<'py>(
    py: Python<'py>,
    circuits: Vec<Bound<'py, PyAny>>,
    shots: Shots,
    label: Option<&str>,
    max_qubits: u32,
    max_operations: usize,
    strict_angles: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let limits = Limits { qubits: max_qubits, operations: max_operations };
    let shots = shots.each(circuits.len())?;
    let mut checked = Vec::with_capacity(circuits.len());
    qiskit::read_circuits(
        py,
        &circuits,
        limits,
        qiskit::Angles::new(strict_angles),
        |circuit, _| {
            checked.push(circuit);
        },
    )?;
    let body = detached(py, || encoder::encode_job(checked.iter().zip(shots), label));
    Ok(PyBytes::new(py, &body))
}

/// A label, repetitions and number of qubits of each circuit, and its numbers of r and rxx.
type JobShape = (Option<String>, Vec<(u32, u32)>, Vec<(u32, u32)>);

/// Reads the request body of an API job.
#[pyfunction]
pub fn read_job(py: Python<'_>, body: &Bound<'_, PyBytes>) -> PyResult<JobShape> {
    let bytes = body.as_bytes();
    let job = detached(py, || request::read(bytes))
        .map_err(|problem| error_texts::malformed_request(py, &problem))?;
    let shape =
        |(repetitions, circuit): &(u32, aqt_core::Circuit)| (*repetitions, circuit.num_qubits());
    let gates = |(_, circuit): &(u32, aqt_core::Circuit)| {
        let GateCounts { r, rxx } = circuit.gate_counts();
        (r, rxx)
    };
    let circuits = job.circuits();
    Ok((
        job.label().map(str::to_owned),
        circuits.iter().map(shape).collect(),
        circuits.iter().map(gates).collect(),
    ))
}

/// Makes samples up for the request body of an API job.
#[pyfunction]
pub fn make_samples<'py>(
    py: Python<'py>,
    body: &Bound<'py, PyBytes>,
    seed: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = body.as_bytes();
    let text = detached(py, || request::read(bytes).map(|job| fake_device::result(&job, seed)))
        .map_err(|problem| error_texts::malformed_request(py, &problem))?;
    Ok(PyBytes::new(py, &text))
}
