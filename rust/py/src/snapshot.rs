//! A snapshot of checked circuits: read once, then encoded and evaluated natively.

use aqt_core::{
    Circuit, Limits, MeasurementMap, Operation,
    circuit::{archive, operation::radians},
    wire::encoder,
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes, PyString, PyTuple},
};

use crate::{
    error_texts, qiskit,
    samples::{self, ExperimentData, Samples},
};

/// Name, qubits and parameters, as the methods of Qiskit's circuits take them.
type Gate<'py> = (Bound<'py, PyString>, Bound<'py, PyTuple>, Bound<'py, PyTuple>);

/// A snapshot of checked circuits.
#[pyclass(frozen, eq, module = "aqt_fast._native")]
#[derive(PartialEq)]
pub struct Snapshot {
    circuits: Vec<Circuit>,
    maps: Vec<MeasurementMap>,
}

#[pymethods]
impl Snapshot {
    /// Reads and checks `circuits`, all of them before an error lists every offender.
    #[new]
    #[pyo3(signature = (circuits, *, max_qubits, max_operations, strict_angles=false))]
    fn new(
        py: Python<'_>,
        circuits: Vec<Bound<'_, PyAny>>,
        max_qubits: u32,
        max_operations: usize,
        strict_angles: bool,
    ) -> PyResult<Self> {
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        let mut snapshot = Self {
            circuits: Vec::with_capacity(circuits.len()),
            maps: Vec::with_capacity(circuits.len()),
        };
        qiskit::read_circuits(
            py,
            &circuits,
            limits,
            qiskit::Angles::new(strict_angles),
            |circuit, map| {
                snapshot.circuits.push(circuit);
                snapshot.maps.push(map);
            },
        )?;
        Ok(snapshot)
    }

    fn __len__(&self) -> usize {
        self.circuits.len()
    }

    /// All circuits as an archive that later versions can read.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let (circuits, maps) = (self.circuits.as_slice(), self.maps.as_slice());
        let size = py.detach(|| archive::size(circuits, maps));
        PyBytes::new_with(py, size, |bytes| {
            py.detach(|| archive::write(bytes, circuits, maps));
            Ok(())
        })
    }

    /// Reads and checks an archive, without limits.
    #[staticmethod]
    fn from_bytes(data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        match data.py().detach(|| archive::read(bytes)) {
            Ok((circuits, maps)) => Ok(Self { circuits, maps }),
            Err(error) => Err(error_texts::broken_archive(&error)),
        }
    }

    /// Number of qubits of a circuit.
    fn num_qubits(&self, index: usize) -> PyResult<u32> {
        Ok(one(&self.circuits, index)?.num_qubits())
    }

    /// Number of classical bits of a circuit.
    fn num_clbits(&self, index: usize) -> PyResult<u32> {
        Ok(one(&self.maps, index)?.num_clbits())
    }

    /// The gates of a circuit. Angles are in radians and read back as the same angles.
    fn operations<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Vec<Gate<'py>>> {
        let gate = |operation: &Operation| {
            let (name, qubits, parameters) = match *operation {
                Operation::Rz { qubit, phi } => {
                    (intern!(py, "rz"), PyTuple::new(py, [qubit])?, vec![phi])
                }
                Operation::R { qubit, phi, theta } => {
                    (intern!(py, "r"), PyTuple::new(py, [qubit])?, vec![theta, phi])
                }
                Operation::Rxx { qubits, theta } => {
                    (intern!(py, "rxx"), PyTuple::new(py, qubits)?, vec![theta])
                }
            };
            let parameters = PyTuple::new(py, parameters.into_iter().map(radians))?;
            Ok((name.clone(), qubits, parameters))
        };
        one(&self.circuits, index)?.operations().iter().map(gate).collect()
    }

    /// The measurements of a circuit as (qubit, classical bit), in the order of the latter.
    fn measurements(&self, index: usize) -> PyResult<Vec<(u32, u32)>> {
        let sources = one(&self.maps, index)?.sources();
        Ok((0..).zip(sources).filter_map(|(clbit, source)| Some(((*source)?, clbit))).collect())
    }

    /// The circuits from `start` to before `stop` as a snapshot of their own.
    fn part(&self, start: usize, stop: usize) -> PyResult<Self> {
        let circuits = part(&self.circuits, start, stop)?.to_vec();
        Ok(Self { circuits, maps: part(&self.maps, start, stop)?.to_vec() })
    }

    /// The qubits on which a circuit acts, in ascending order.
    fn active_qubits(&self, index: usize) -> PyResult<Vec<u32>> {
        Ok(one(&self.circuits, index)?.active_qubits())
    }

    /// Appends a circuit's gates on its active qubits to a `QuantumCircuit` of as many qubits and
    /// classical bits, and a measurement of each qubit into the bit with its number.
    fn fill(&self, index: usize, circuit: &Bound<'_, PyAny>) -> PyResult<()> {
        let source = one(&self.circuits, index)?;
        qiskit::fill(circuit, source, &source.active_qubits())
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
        let body = py.detach(|| encoder::encode_job(circuits, shots, label));
        Ok(PyBytes::new(py, &body))
    }

    /// The request body of direct access for one circuit.
    fn encode_circuit<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        shots: u32,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = encoder::encode_circuit(one(&self.circuits, index)?, shots);
        Ok(PyBytes::new(py, &body))
    }

    /// Checks that the samples' numbers are those of the circuits from `start` to before `stop`.
    fn check_samples(
        &self,
        py: Python<'_>,
        samples: Vec<Bound<'_, Samples>>,
        start: usize,
        stop: usize,
        shots: usize,
    ) -> PyResult<()> {
        let circuits = part(&self.circuits, start, stop)?;
        samples::check_numbers(py, &samples, circuits.len(), shots)?;
        for (index, (samples, circuit)) in samples.iter().zip(circuits).enumerate() {
            samples.get().check_qubits(py, start + index, circuit.num_qubits())?;
        }
        Ok(())
    }

    /// Counts and, if wanted, memory of the circuits from `start` to before `stop`.
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
        samples::check_numbers(py, &samples, circuits.len(), shots)?;
        samples::data(py, &samples, with_memory, |index| {
            Ok((circuits[index].num_qubits(), maps[index].clone()))
        })
    }

    /// Outcomes of the circuits from `start` to before `stop` at some of their classical bits: the
    /// number of shots, and rows in the layout of Qiskit's `BitArray`.
    fn bits<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<Bound<'py, Samples>>,
        start: usize,
        stop: usize,
        clbits: Vec<u32>,
    ) -> PyResult<(usize, Bound<'py, PyByteArray>)> {
        let circuits = part(&self.circuits, start, stop)?;
        samples::check_number(py, &samples, circuits.len())?;
        samples::bits(py, &samples, start, &clbits, |index| {
            Ok((self.circuits[index].num_qubits(), self.maps[index].clone()))
        })
    }
}

fn part<T>(items: &[T], start: usize, stop: usize) -> PyResult<&[T]> {
    items.get(start..stop).ok_or_else(error_texts::no_such_circuits)
}

fn one<T>(items: &[T], index: usize) -> PyResult<&T> {
    items.get(index).ok_or_else(error_texts::no_such_circuits)
}
