//! A request body as the local server sees it.

use aqt_core::{request, stand_in};
use pyo3::{prelude::*, types::PyBytes};

use crate::error;

/// A label, and repetitions and number of qubits of each circuit.
type JobShape = (Option<String>, Vec<(u32, u32)>);

/// Reads the request body of an API job.
#[pyfunction]
pub fn read_job(py: Python<'_>, body: &Bound<'_, PyBytes>) -> PyResult<JobShape> {
    let bytes = body.as_bytes();
    let job = py
        .detach(|| request::read(bytes))
        .map_err(|problem| error::malformed_request(py, &problem))?;
    let shape =
        |(repetitions, circuit): &(u32, aqt_core::Circuit)| (*repetitions, circuit.num_qubits());
    Ok((job.label().map(str::to_owned), job.circuits().iter().map(shape).collect()))
}

/// Makes samples up for the request body of an API job.
#[pyfunction]
pub fn make_samples<'py>(
    py: Python<'py>,
    body: &Bound<'py, PyBytes>,
    seed: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = body.as_bytes();
    let text = py
        .detach(|| request::read(bytes).map(|job| stand_in::result(&job, seed)))
        .map_err(|problem| error::malformed_request(py, &problem))?;
    Ok(PyBytes::new(py, &text))
}
