//! Qiskit circuits of any gates → circuits of AQT's operations.
//!
//! Circuits are read and built with Python's lock held, and compiled without it.

use std::{num::NonZero, thread};

use aqt_compile::{Compiled, Effort, compile};
use aqt_core::Limits;
use pyo3::prelude::*;

use crate::{
    detached::detached,
    error_texts,
    qiskit::{
        Built, Explain, Expressions, Failure, Reading, build_circuit, raised_problem, read_program,
    },
};

/// Number of circuits that are read before they are compiled. Limits the memory.
const CHUNK: usize = 64;

/// Number of gates that are worth a thread, which takes some 30 µs to start.
const GATES_A_THREAD: usize = 4000;

/// Index and outcome of each compiled circuit; a `CircuitProblem` for each circuit that only Qiskit's
/// transpiler may know; the first `CircuitProblem` of each circuit that cannot run.
pub type CompiledCircuits<'py> =
    (Vec<(usize, Built<'py>)>, Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

/// Compiles circuits of any gates to AQT's operations.
///
/// If some cannot run, the others are checked, but not necessarily compiled.
#[pyfunction]
#[pyo3(signature = (circuits, expand, synthesise, *, max_qubits, level))]
pub fn compile_circuits<'py>(
    py: Python<'py>,
    circuits: Vec<Bound<'py, PyAny>>,
    expand: &Bound<'py, PyAny>,
    synthesise: &Bound<'py, PyAny>,
    max_qubits: u32,
    level: u8,
) -> PyResult<CompiledCircuits<'py>> {
    let limits = Limits { qubits: max_qubits, ..Limits::default() };
    let effort = effort(level);
    let explain = &Explain { expand, synthesise };
    let mut offences = Vec::new();
    let mut refused = Vec::new();
    let mut outcomes = Vec::with_capacity(circuits.len());
    for (start, chunk) in (0..).step_by(CHUNK).zip(circuits.chunks(CHUNK)) {
        let mut indices = Vec::with_capacity(chunk.len());
        let mut readings = Vec::with_capacity(chunk.len());
        for (index, object) in (start..).zip(chunk) {
            match read_program(object, explain, limits, None)? {
                Ok(Reading { refused: Some((instruction, reason)), .. }) => {
                    let failure = Failure::unknown(instruction, reason);
                    refused.push(failure.describe(object, index)?);
                }
                Ok(reading) => {
                    let other = if reading.with_plugins && effort != Effort::None {
                        read_other(object, explain, limits, None)?
                    } else {
                        None
                    };
                    indices.push(index);
                    readings.push((reading, other));
                }
                Err(failure) => offences.push(failure.describe(object, index)?),
            }
        }
        if !offences.is_empty() {
            continue;
        }
        let compiled = detached(py, || compile_all(&readings, effort));
        for ((index, (reading, other)), (compiled, of_other)) in
            indices.into_iter().zip(&readings).zip(&compiled)
        {
            let reading = other.as_ref().filter(|_| *of_other).unwrap_or(reading);
            outcomes.push((index, build_circuit(&circuits[index], reading, compiled)?));
        }
    }
    let problems = |offences| error_texts::circuit_problems(py, offences);
    Ok((outcomes, problems(refused)?, problems(offences)?))
}

/// The effort of an optimisation level.
pub fn effort(level: u8) -> Effort {
    match level {
        0 => Effort::None,
        1 => Effort::Merge,
        2 => Effort::Resynthesise,
        _ => Effort::Search,
    }
}

/// A circuit from Qiskit's synthesis plugins, if they find one.
pub fn read_other<'py>(
    object: &Bound<'py, PyAny>,
    explain: &Explain<'_, 'py>,
    limits: Limits,
    expressions: Option<&Expressions<'py>>,
) -> PyResult<Option<Reading>> {
    match explain.synthesise.call1((object,)) {
        Ok(circuit) => Ok(read_program(&circuit, explain, limits, expressions)?.ok()),
        Err(raised) => raised_problem(object.py(), raised).map(|_| None),
    }
}

/// The compiled circuits, and whether each comes from the other reading.
fn compile_all(readings: &[(Reading, Option<Reading>)], effort: Effort) -> Vec<(Compiled, bool)> {
    let gates: usize = readings.iter().map(|(reading, _)| reading.program.items.len()).sum();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(gates / GATES_A_THREAD).max(1);
    let work = |part: &[(Reading, Option<Reading>)]| -> Vec<_> {
        part.iter().map(|(reading, other)| shorter(reading, other.as_ref(), effort)).collect()
    };
    if threads == 1 {
        return work(readings);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = readings
            .chunks(readings.len().div_ceil(threads))
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        let join = |part: thread::ScopedJoinHandle<'_, _>| match part.join() {
            Ok(compiled) => compiled,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// The shorter of two equivalent circuits, and whether it is the other one.
fn shorter(reading: &Reading, other: Option<&Reading>, effort: Effort) -> (Compiled, bool) {
    let first = compile(&reading.program, effort);
    if let Some(other) = other.filter(|other| other.refused.is_none()) {
        let second = compile(&other.program, effort);
        if second.cost() < first.cost() {
            return (second, true);
        }
    }
    (first, false)
}
