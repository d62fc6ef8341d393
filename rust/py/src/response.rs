//! A response body as Python objects.

use aqt_core::{Status, wire::response};
use pyo3::{prelude::*, types::PyBytes};

use crate::{detached::detached, error_texts, samples::Samples};

/// The state of a job according to a response.
#[pyclass(frozen, module = "aqt_fast.wire")]
pub struct JobState {
    /// `queued`, `ongoing`, `finished`, `error` or `cancelled`.
    #[pyo3(get)]
    status: &'static str,
    /// Number of finished circuits; a number while the job is ongoing.
    #[pyo3(get)]
    finished_count: Option<u64>,
    /// Why the job failed; text if `status` is `error`.
    #[pyo3(get)]
    message: Option<String>,
    /// Status changes as pairs of status and ISO 8601 time stamp; None if not requested.
    #[pyo3(get)]
    timing: Option<Vec<(String, String)>>,
    /// The identifier of the job or run, if present.
    #[pyo3(get)]
    job_id: Option<String>,
    /// The label of the job, if present.
    #[pyo3(get)]
    label: Option<String>,
    samples: Option<Vec<Py<Samples>>>,
}

#[pymethods]
impl JobState {
    /// One `Samples` a circuit, in circuit order; a list if `status` is `finished`.
    #[getter]
    fn samples(&self, py: Python<'_>) -> Option<Vec<Py<Samples>>> {
        self.samples.as_ref().map(|samples| samples.iter().map(|item| item.clone_ref(py)).collect())
    }

    fn __repr__(&self) -> String {
        let circuits = self.samples.as_ref().map_or(0, Vec::len);
        format!("JobState(status='{}', circuits with samples: {circuits})", self.status)
    }
}

impl JobState {
    fn new(py: Python<'_>, state: aqt_core::JobState) -> PyResult<Self> {
        let samples = state.samples.map(|samples| {
            samples.into_iter().map(|samples| Py::new(py, Samples::from(samples))).collect()
        });
        Ok(Self {
            status: state.status.name(),
            finished_count: state.finished_count,
            message: state.message,
            timing: state.timing.map(|changes| {
                changes.into_iter().map(|change| (change.new_status, change.timestamp)).collect()
            }),
            samples: samples.transpose()?,
            job_id: state.job_id,
            label: state.label,
        })
    }
}

/// Reads the body of a result response of the cloud.
#[pyfunction]
pub fn decode_response(py: Python<'_>, body: &Bound<'_, PyBytes>) -> PyResult<JobState> {
    let bytes = body.as_bytes();
    let state = detached(py, || response::decode(bytes));
    JobState::new(py, state.map_err(|problem| error_texts::malformed_response(py, &problem))?)
}

/// Reads the body of a result response of direct access.
#[pyfunction]
pub fn decode_direct_response(py: Python<'_>, body: &Bound<'_, PyBytes>) -> PyResult<JobState> {
    let bytes = body.as_bytes();
    let mut state = detached(py, || response::decode_direct(bytes))
        .map_err(|problem| error_texts::malformed_response(py, &problem))?;
    if state.status == Status::Error {
        state.message.get_or_insert_with(|| error_texts::NO_MESSAGE.to_owned());
    }
    JobState::new(py, state)
}
