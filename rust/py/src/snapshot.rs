//! A snapshot of checked circuits: read once, then encoded and evaluated natively.

use std::borrow::Cow;

use aqt_core::{
    Circuit, GateCounts, Limits, MeasurementMap, Operation,
    circuit::{self, operation::radians},
    wire::encoder,
};
use aqt_sweep::{Batch, Part, archive};
use pyo3::{
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes, PyString, PyTuple},
};

use crate::{
    detached::detached,
    error_texts, qiskit,
    repetitions::{Repetitions, Shots},
    samples::{self, ExperimentData, Samples},
};

/// Name, qubits and parameters, as the methods of Qiskit's circuits take them.
type Gate<'py> = (Bound<'py, PyString>, Bound<'py, PyTuple>, Bound<'py, PyTuple>);

/// A snapshot of checked circuits.
#[pyclass(frozen, eq, module = "aqt_fast._native")]
#[derive(PartialEq)]
pub struct Snapshot {
    batch: Batch,
}

/// Pairs of 32-bit numbers, of r and of rxx.
pub fn gate_counts_as_bytes<'py>(py: Python<'py>, counts: &[GateCounts]) -> Bound<'py, PyBytes> {
    let bytes: Vec<_> = counts
        .iter()
        .flat_map(|&GateCounts { r, rxx }| [r, rxx])
        .flat_map(u32::to_ne_bytes)
        .collect();
    PyBytes::new(py, &bytes)
}

impl From<Vec<Part>> for Snapshot {
    fn from(parts: Vec<Part>) -> Self {
        Self { batch: Batch::new(parts) }
    }
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
        let mut read = Vec::with_capacity(circuits.len());
        let mut maps = Vec::with_capacity(circuits.len());
        qiskit::read_circuits(
            py,
            &circuits,
            limits,
            qiskit::Angles::new(strict_angles),
            |circuit, map| {
                read.push(circuit);
                maps.push(map);
            },
        )?;
        Ok(Self::from(vec![Part::Circuits(read, maps)]))
    }

    /// The circuits of snapshots, one after the other.
    #[staticmethod]
    fn joined(snapshots: Vec<Bound<'_, Self>>) -> Self {
        let parts = snapshots.iter().flat_map(|snapshot| snapshot.get().batch.parts());
        Self::from(parts.cloned().collect::<Vec<_>>())
    }

    fn __len__(&self) -> usize {
        self.batch.len()
    }

    /// All circuits as an archive that later versions can read.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || archive::write(&self.batch)))
    }

    /// Reads and checks an archive, without limits.
    #[staticmethod]
    fn from_bytes(data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        match detached(data.py(), || archive::read(bytes)) {
            Ok(batch) => Ok(Self { batch }),
            Err(fault) => Err(error_texts::broken_archive(&fault)),
        }
    }

    /// Number of qubits of a circuit.
    fn num_qubits(&self, index: usize) -> PyResult<u32> {
        self.batch.num_qubits(index).ok_or_else(error_texts::no_such_circuits)
    }

    /// Number of classical bits of a circuit.
    fn num_clbits(&self, index: usize) -> PyResult<u32> {
        self.batch.num_clbits(index).ok_or_else(error_texts::no_such_circuits)
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
        self.one(index)?.0.operations().iter().map(gate).collect()
    }

    /// How many r and how many rxx each circuit has: pairs of 32-bit numbers.
    fn gate_counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        gate_counts_as_bytes(py, &detached(py, || self.batch.gate_counts(0..self.batch.len())))
    }

    /// The measurements of a circuit as (qubit, classical bit), in the order of the latter.
    fn measurements(&self, index: usize) -> PyResult<Vec<(u32, u32)>> {
        let (_, map) = self.one(index)?;
        Ok((0..)
            .zip(map.sources())
            .filter_map(|(clbit, source)| Some(((*source)?, clbit)))
            .collect())
    }

    /// The circuits from `start` to before `stop` as a snapshot of their own.
    fn part(&self, start: usize, stop: usize) -> PyResult<Self> {
        let batch = self.batch.part(start..stop).ok_or_else(error_texts::no_such_circuits)?;
        Ok(Self { batch })
    }

    /// The qubits on which a circuit acts, in ascending order.
    fn active_qubits(&self, index: usize) -> PyResult<Vec<u32>> {
        Ok(self.one(index)?.0.active_qubits())
    }

    /// Runs of neighbours with the same gates on the same qubits: the number of circuits, and their
    /// angles as 64-bit floats, row by row. If `measured` is set, they measure the same qubits, too.
    fn alike<'py>(
        &self,
        py: Python<'py>,
        start: usize,
        stop: usize,
        measured: bool,
    ) -> PyResult<Vec<(usize, Bound<'py, PyBytes>)>> {
        self.check(start, stop)?;
        let runs = circuit::alike(self.circuits(start, stop), measured);
        Ok(runs
            .into_iter()
            .map(|run| {
                let bytes: Vec<_> =
                    run.angles.iter().flat_map(|angle| angle.to_ne_bytes()).collect();
                (run.len, PyBytes::new(py, &bytes))
            })
            .collect())
    }

    /// Appends a circuit's gates on its active qubits to a `QuantumCircuit` of as many qubits and
    /// classical bits, and a measurement of each qubit into the bit with its number.
    fn fill(&self, index: usize, circuit: &Bound<'_, PyAny>) -> PyResult<()> {
        let (source, _) = self.one(index)?;
        qiskit::fill(circuit, &source, &source.active_qubits())
    }

    /// The request body of one API job with the circuits from `start` to before `stop`.
    fn encode_job<'py>(
        &self,
        py: Python<'py>,
        start: usize,
        stop: usize,
        repetitions: Repetitions,
        label: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.check(start, stop)?;
        let runs = repetitions.runs(stop - start)?;
        let body = detached(py, || {
            let circuits = self.batch.circuits(start..stop);
            let runs = runs.iter().map(|&(circuit, shots)| (&*circuits[circuit].0, shots));
            encoder::encode_job(runs, label)
        });
        Ok(PyBytes::new(py, &body))
    }

    /// The request body of direct access for one circuit.
    fn encode_circuit<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        shots: u32,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = encoder::encode_circuit(&self.one(index)?.0, shots);
        Ok(PyBytes::new(py, &body))
    }

    /// Checks that the samples' numbers are those of the runs of the circuits from `start` to before
    /// `stop`.
    fn check_samples(
        &self,
        py: Python<'_>,
        samples: Vec<Bound<'_, Samples>>,
        start: usize,
        stop: usize,
        repetitions: Repetitions,
    ) -> PyResult<()> {
        self.check(start, stop)?;
        let runs = repetitions.runs(stop - start)?;
        samples::check_numbers(py, &samples, &runs)?;
        for (samples, (circuit, _)) in samples.iter().zip(runs) {
            let index = start + circuit;
            samples.get().check_qubits(py, index, self.num_qubits(index)?)?;
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
        shots: Shots,
        with_memory: bool,
    ) -> PyResult<Vec<ExperimentData<'py>>> {
        self.check(start, stop)?;
        samples::check_shots(py, &samples, stop - start, shots)?;
        let mut circuits = self.circuits(start, stop);
        samples::data(py, &samples, with_memory, |_| {
            let (circuit, map) = circuits.next().ok_or_else(error_texts::no_such_circuits)?;
            Ok((circuit.num_qubits(), map.into_owned()))
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
        self.check(start, stop)?;
        samples::check_number(py, &samples, stop - start)?;
        let mut circuits = detached(py, || self.batch.circuits(start..stop)).into_iter();
        samples::bits(py, &samples, start, &clbits, || {
            let (circuit, map) = circuits.next().ok_or_else(error_texts::no_such_circuits)?;
            Ok((circuit.num_qubits(), map))
        })
    }
}

impl Snapshot {
    /// A circuit and its measurement map.
    fn one(&self, index: usize) -> PyResult<(Cow<'_, Circuit>, Cow<'_, MeasurementMap>)> {
        self.batch.reader().circuit(index).ok_or_else(error_texts::no_such_circuits)
    }

    /// The circuits from `start` to before `stop` with their measurement maps, as far as there are.
    pub fn circuits(
        &self,
        start: usize,
        stop: usize,
    ) -> impl Iterator<Item = (Cow<'_, Circuit>, Cow<'_, MeasurementMap>)> {
        let mut reader = self.batch.reader();
        (start..stop).map_while(move |index| reader.circuit(index))
    }

    /// Checks that there are circuits from `start` to before `stop`.
    pub fn check(&self, start: usize, stop: usize) -> PyResult<()> {
        if start <= stop && stop <= self.batch.len() {
            Ok(())
        } else {
            Err(error_texts::no_such_circuits())
        }
    }
}
