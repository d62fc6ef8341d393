//! Circuits that were read once: checked, kept natively, encoded and evaluated from there.

use aqt_core::{Body, Circuit, Encoder, Limits, MeasurementMap, payload};
use pyo3::{exceptions::PyIndexError, prelude::*, types::PyBytes};

use crate::{
    outcomes::{self, ExperimentData, Samples},
    qiskit,
};

/// A snapshot of checked circuits.
#[pyclass(frozen, eq, module = "aqt_fast._native")]
#[derive(PartialEq)]
pub struct Batch {
    circuits: Vec<Circuit>,
    maps: Vec<MeasurementMap>,
}

#[pymethods]
impl Batch {
    /// Reads and checks `circuits`, all of them before an error lists every offender.
    #[new]
    #[pyo3(signature = (circuits, *, max_qubits, max_operations))]
    fn new(
        py: Python<'_>,
        circuits: Vec<Bound<'_, PyAny>>,
        max_qubits: u32,
        max_operations: usize,
    ) -> PyResult<Self> {
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        let mut batch = Self {
            circuits: Vec::with_capacity(circuits.len()),
            maps: Vec::with_capacity(circuits.len()),
        };
        qiskit::read_circuits(py, &circuits, limits, |circuit, map| {
            batch.circuits.push(circuit);
            batch.maps.push(map);
        })?;
        Ok(batch)
    }

    fn __len__(&self) -> usize {
        self.circuits.len()
    }

    /// The request body of one API job with the circuits from `start` to before `stop`.
    fn encode_job<'py>(
        &self,
        py: Python<'py>,
        start: usize,
        stop: usize,
        shots: u32,
        label: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let circuits = part(&self.circuits, start, stop)?;
        let body = py.detach(|| {
            let mut encoder = Encoder::new(shots);
            for circuit in circuits {
                encoder.push(circuit.clone());
            }
            encoder.finish(label)
        });
        to_python(py, &body)
    }

    /// One circuit as direct access takes it.
    fn encode_circuit<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        shots: u32,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut text = Vec::new();
        for circuit in part(&self.circuits, index, index.saturating_add(1))? {
            payload::write_circuit(&mut text, circuit, shots);
        }
        Ok(PyBytes::new(py, &text))
    }

    /// Checks that samples are those of the circuits from `start` on, as far as numbers tell.
    fn check_samples(
        &self,
        py: Python<'_>,
        samples: Vec<Bound<'_, Samples>>,
        start: usize,
        stop: usize,
        shots: usize,
    ) -> PyResult<()> {
        let circuits = part(&self.circuits, start, stop)?;
        outcomes::check_numbers(py, &samples, circuits.len(), shots)?;
        for (index, (samples, circuit)) in samples.iter().zip(circuits).enumerate() {
            samples.get().check_qubits(py, start + index, circuit.num_qubits())?;
        }
        Ok(())
    }

    /// Counts and, if wanted, memory of the circuits from `start` on.
    fn experiment_data<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<Bound<'py, Samples>>,
        start: usize,
        stop: usize,
        shots: usize,
        with_memory: bool,
    ) -> PyResult<Vec<ExperimentData<'py>>> {
        let circuits = part(&self.circuits, start, stop)?;
        let maps = part(&self.maps, start, stop)?;
        outcomes::check_numbers(py, &samples, circuits.len(), shots)?;
        outcomes::data(py, &samples, with_memory, |index| {
            Ok((circuits[index].num_qubits(), maps[index].clone()))
        })
    }
}

fn part<T>(items: &[T], start: usize, stop: usize) -> PyResult<&[T]> {
    items.get(start..stop).ok_or_else(|| PyIndexError::new_err("no such circuits"))
}

/// A body as one `bytes`.
pub fn to_python<'py>(py: Python<'py>, body: &Body) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, body.len(), |bytes| {
        body.copy_to(bytes);
        Ok(())
    })
}
