//! Templates: circuits with parameters, read once and compiled for any number of parameter sets.

use std::sync::Arc;

use aqt_compile::Effort;
use aqt_core::Limits;
use aqt_sweep::{Angles, Part, Sweep};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyList},
};

use crate::{
    compile::{effort, read_other},
    detached::detached,
    error_texts::{self, Offence, Problem},
    qiskit::{Explain, Expressions, Failure, Reading, read_program},
    snapshot::Snapshot,
};

/// A circuit with parameters.
#[pyclass(frozen, module = "aqt_fast._native")]
pub struct Template {
    source: Arc<aqt_compile::Template>,
    /// An equivalent template: the shorter circuit is used.
    alternative: Option<Arc<aqt_compile::Template>>,
    effort: Effort,
    measurements: Arc<[(u32, u32)]>,
    num_clbits: u32,
    num_angles: usize,
}

/// What a circuit with parameters is.
#[derive(IntoPyObject)]
pub enum ReadTemplate<'py> {
    /// A template and the expressions of its angles.
    Template(Bound<'py, Template>, Bound<'py, PyList>),
    /// A `CircuitProblem`: why there is no template.
    #[pyo3(transparent)]
    Problem(Bound<'py, PyAny>),
}

/// Reads a circuit with parameters.
#[pyfunction]
#[pyo3(signature = (circuit, expand, synthesise, *, max_qubits, level))]
pub fn read_template<'py>(
    py: Python<'py>,
    circuit: &Bound<'py, PyAny>,
    expand: &Bound<'py, PyAny>,
    synthesise: &Bound<'py, PyAny>,
    max_qubits: u32,
    level: u8,
) -> PyResult<ReadTemplate<'py>> {
    let limits = Limits { qubits: max_qubits, ..Limits::default() };
    let explain = &Explain { expand, synthesise };
    let expressions = Expressions::new(py);
    let refused = |failure: Failure| {
        let offences = vec![failure.describe(circuit, 0)?];
        let problem = error_texts::circuit_problems(py, offences)?.remove(0);
        Ok(ReadTemplate::Problem(problem))
    };
    let mut reading = match read_program(circuit, explain, limits, Some(&expressions))? {
        Ok(reading) => reading,
        Err(failure) => return refused(failure),
    };
    if let Some((instruction, reason)) = reading.refused.take() {
        return refused(Failure::unknown(instruction, reason));
    }
    let effort = effort(level);
    let alternative = if reading.with_plugins && effort != Effort::None {
        read_other(circuit, explain, limits, Some(&expressions))?
            .filter(|other| other.refused.is_none())
    } else {
        None
    };
    let measurements = reading.measurements.clone().into();
    let expressions = expressions.all();
    let template = Template {
        source: native(reading)?,
        alternative: alternative.map(native).transpose()?,
        effort,
        measurements,
        num_clbits: circuit.getattr("num_clbits")?.extract()?,
        num_angles: expressions.len(),
    };
    Ok(ReadTemplate::Template(Bound::new(py, template)?, expressions))
}

fn native(reading: Reading) -> PyResult<Arc<aqt_compile::Template>> {
    aqt_compile::Template::new(reading.program, reading.free)
        .map(Arc::new)
        .ok_or_else(|| PyValueError::new_err("a gate without a meaning"))
}

#[pymethods]
impl Template {
    /// The circuits of `num_sets` sets of angles: rows of little-endian 64-bit floats in radians, one angle for
    /// each expression.
    #[pyo3(signature = (angles, num_sets, *, max_qubits, max_operations))]
    fn sweep(
        &self,
        angles: Bound<'_, PyBytes>,
        num_sets: usize,
        max_qubits: u32,
        max_operations: usize,
    ) -> PyResult<Snapshot> {
        let py = angles.py();
        let sweep = Angles::new(num_sets, self.num_angles, PyBackedBytes::from(angles))
            .and_then(|angles| {
                Sweep::new(
                    self.source.clone(),
                    self.alternative.clone(),
                    self.effort,
                    self.measurements.clone(),
                    self.num_clbits,
                    Arc::new(angles),
                )
            })
            .ok_or_else(|| PyValueError::new_err("other angles than the template has"))?;
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        let problems = detached(py, || sweep.problems(limits));
        if !problems.is_empty() {
            let offence = |aqt_sweep::Problem { set, error }| Offence {
                circuit: set,
                instruction: None,
                operation: None,
                problem: Problem::Circuit(error),
            };
            let offences = problems.into_iter().map(offence).collect();
            return Err(error_texts::invalid_circuits(py, offences));
        }
        Ok(Snapshot::from(vec![Part::Sweep(sweep, 0..num_sets)]))
    }
}
