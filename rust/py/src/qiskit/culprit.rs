//! What the Python object tells about a fault of its circuit.

use aqt_core::CircuitError;
use pyo3::{intern, prelude::*};

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

/// The name of an instruction of a circuit.
pub fn name_of(circuit: &Bound<'_, PyAny>, index: usize) -> PyResult<String> {
    operation(circuit, index)?.getattr(intern!(circuit.py(), "name"))?.extract()
}

/// The operation of an instruction, as a Python object.
pub fn operation<'py>(circuit: &Bound<'py, PyAny>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = circuit.py();
    circuit.getattr(intern!(py, "_data"))?.get_item(index)?.getattr(intern!(py, "operation"))
}

/// Indices of the qubits of an instruction.
pub fn qubits_of(circuit: &Bound<'_, PyAny>, index: usize) -> PyResult<Vec<u32>> {
    Ok(bits_of(circuit, index)?.0)
}

/// Indices of the qubits and classical bits of an instruction.
pub fn bits_of(circuit: &Bound<'_, PyAny>, index: usize) -> PyResult<(Vec<u32>, Vec<u32>)> {
    let py = circuit.py();
    let instruction = circuit.getattr(intern!(py, "_data"))?.get_item(index)?;
    let indices = |name| -> PyResult<Vec<u32>> {
        let bits = instruction.getattr(name)?;
        bits.try_iter()?
            .map(|bit| {
                let place = circuit.call_method1(intern!(py, "find_bit"), (bit?,))?;
                place.getattr(intern!(py, "index"))?.extract()
            })
            .collect()
    };
    Ok((indices("qubits")?, indices("clbits")?))
}
