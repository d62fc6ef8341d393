//! What the Python object tells about a fault of its circuit.

use aqt_core::CircuitError;
use pyo3::prelude::*;

use crate::error_texts::{Offence, Problem};

/// Adds the operation's name, and whether a NaN is an unbound parameter.
pub fn offence(
    object: &Bound<'_, PyAny>,
    circuit: usize,
    instruction: Option<usize>,
    error: CircuitError,
) -> PyResult<Offence> {
    let mut operation = None;
    let mut problem = Problem::Circuit(error);
    if let Some(index) = instruction {
        let culprit = object.getattr("data")?.get_item(index)?.getattr("operation")?;
        operation = Some(culprit.getattr("name")?.extract()?);
        if let Problem::Circuit(CircuitError::AngleNotFinite { .. }) = problem {
            for param in culprit.getattr("params")?.try_iter()? {
                if let Some(found) = not_a_number(&param?)? {
                    problem = found;
                    break;
                }
            }
        }
    }
    Ok(Offence { circuit, instruction, operation, problem })
}

/// Why a parameter has no value as a double; `None` if it has one.
pub fn not_a_number(param: &Bound<'_, PyAny>) -> PyResult<Option<Problem>> {
    if param.hasattr("parameters")? && param.getattr("parameters")?.is_truthy()? {
        let names = param.getattr("parameters")?.try_iter()?;
        let mut names =
            names.map(|name| name?.str()?.extract()).collect::<PyResult<Vec<String>>>()?;
        names.sort();
        return Ok(Some(Problem::UnboundParameters { names }));
    }
    if param.extract::<f64>().is_err() {
        let type_name = param.get_type().name()?.to_string();
        return Ok(Some(Problem::NotANumber { type_name }));
    }
    Ok(None)
}

/// The offence of an object that is no circuit.
pub fn not_a_circuit(object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
    let type_name = object.get_type().name()?.to_string();
    let problem = Problem::NotACircuit { type_name };
    Ok(Offence { circuit, instruction: None, operation: None, problem })
}
