//! Qiskit circuits of any gates → circuits of AQT's operations.
//!
//! Circuits are read and built with Python's lock held, and compiled without it.

mod building;
mod reading;

use std::{num::NonZero, thread};

use aqt_core::{
    Limits,
    compile::{Compiled, Effort, compile},
};
use pyo3::prelude::*;

pub use self::reading::Explain;
use self::{
    building::{Built, build},
    reading::{Failure, Reading, broken, read_circuit},
};
use super::Table;
use crate::error;

/// Circuits that are in memory as gates at the same time.
const CHUNK: usize = 64;

/// Gates that are worth a thread of their own: it takes some 30 µs to start one.
const GATES_A_THREAD: usize = 4000;

/// What became of circuits: those that are compiled, by their indices; `CircuitProblem` for each
/// that Qiskit's transpiler may know; `CircuitProblem` for each that cannot run, the first it has.
pub type Outcomes<'py> = (Vec<(usize, Built<'py>)>, Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

/// Compiles circuits that have at most as many qubits as the `limits`.
///
/// If some cannot run, the others are checked, but not necessarily compiled.
pub fn compile_circuits<'py>(
    circuits: &[Bound<'py, PyAny>],
    explain: &Explain<'_, 'py>,
    limits: Limits,
    effort: Effort,
) -> PyResult<Outcomes<'py>> {
    let py = explain.expand.py();
    let table = Table::get(py)?;
    let mut offences = Vec::new();
    let mut refused = Vec::new();
    let mut outcomes = Vec::with_capacity(circuits.len());
    for (start, chunk) in (0..).step_by(CHUNK).zip(circuits.chunks(CHUNK)) {
        let mut indices = Vec::with_capacity(chunk.len());
        let mut readings = Vec::with_capacity(chunk.len());
        for (index, object) in (start..).zip(chunk) {
            match read_circuit(table, object, explain, limits)? {
                Ok(Reading { refused: Some((instruction, reason)), .. }) => {
                    let failure = Failure::unknown(instruction, reason);
                    refused.push(failure.describe(object, index)?);
                }
                Ok(reading) => {
                    let other = if reading.with_plugins && effort != Effort::None {
                        read_other(table, object, explain, limits)?
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
        let compiled = py.detach(|| compile_all(&readings, effort));
        for ((index, (reading, other)), (compiled, of_other)) in
            indices.into_iter().zip(&readings).zip(&compiled)
        {
            let reading = other.as_ref().filter(|_| *of_other).unwrap_or(reading);
            outcomes.push((index, build(table, &circuits[index], reading, compiled)?));
        }
    }
    let problems = |offences| error::circuit_problems(py, offences);
    Ok((outcomes, problems(refused)?, problems(offences)?))
}

/// What Qiskit's synthesis plugins make of a circuit, if they do make something of it.
fn read_other<'py>(
    table: &Table,
    object: &Bound<'py, PyAny>,
    explain: &Explain<'_, 'py>,
    limits: Limits,
) -> PyResult<Option<Reading>> {
    match explain.synthesise.call1((object,)) {
        Ok(circuit) => Ok(read_circuit(table, &circuit, explain, limits)?.ok()),
        Err(raised) => broken(object.py(), raised).map(|_| None),
    }
}

/// The compiled circuits, and whether each is made of the other reading.
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

/// The shorter one of two ways to make a circuit.
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
