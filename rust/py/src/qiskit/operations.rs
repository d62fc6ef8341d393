//! Qiskit circuit ↔ AQT operations.

use aqt_core::{
    Circuit, CircuitBuilder, CircuitError, Limits, MeasurementMap, Operation,
    circuit::operation::radians,
};
use pyo3::prelude::*;

use super::{
    capi::{Table, kind},
    circuit::CircuitRef,
    culprit::{name_of, not_a_circuit, offence, operation, qubits_of},
    gates::standard_gate,
    instruction::{Instruction, NativeGate},
    self_check::checked_table,
};
use crate::error_texts::{self, ApiFault, Offence, Problem};

/// A circuit with its measurement map.
type Read = (Circuit, MeasurementMap);

/// Names of operations that a device runs. Python may give them to other operations.
const NATIVE_NAMES: [&str; 5] = ["rz", "r", "rxx", "measure", "barrier"];

/// What becomes of angles outside the ranges of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Angles {
    /// They are refused.
    Strict,
    /// They are folded into the ranges, up to global phase.
    Folded,
}

impl Angles {
    /// Strict, or folded.
    pub fn new(strict: bool) -> Self {
        if strict { Self::Strict } else { Self::Folded }
    }
}

/// Reads and checks circuits; `take` gets those that can run.
///
/// # Errors
/// `InvalidCircuitError` lists every circuit that cannot run, with its first problem.
pub fn read_circuits(
    py: Python<'_>,
    circuits: &[Bound<'_, PyAny>],
    limits: Limits,
    angles: Angles,
    mut take: impl FnMut(Circuit, MeasurementMap),
) -> PyResult<()> {
    let table = checked_table(py)?;
    let mut offences = Vec::new();
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = CircuitRef::new(table, object)? else {
            offences.push(not_a_circuit(object, index)?);
            continue;
        };
        match read_circuit(&borrowed, limits, angles) {
            Ok((circuit, map)) => take(circuit, map),
            Err(fault) if fault.is_unknown(&borrowed) => {
                drop(borrowed);
                match read_inlined(table, object, index, limits, angles)? {
                    Ok((circuit, map)) => take(circuit, map),
                    Err(offence) => offences.push(offence),
                }
            }
            Err(fault) => {
                let problem = fault.problem(&borrowed);
                drop(borrowed);
                offences.push(fault.describe(object, index, problem)?);
            }
        }
    }
    if offences.is_empty() { Ok(()) } else { Err(error_texts::invalid_circuits(py, offences)) }
}

/// The first fault of a circuit, and the index of its instruction.
struct Fault {
    instruction: Option<usize>,
    error: CircuitError,
}

impl Fault {
    fn of_circuit(error: CircuitError) -> Self {
        Self { instruction: None, error }
    }

    /// Whether the instruction is an object that only Python can take apart.
    fn is_unknown(&self, borrowed: &CircuitRef<'_>) -> bool {
        self.error == CircuitError::UnsupportedOperation
            && self.instruction.is_some_and(|index| borrowed.kind(index) == kind::UNKNOWN)
    }

    /// What the circuit tells about the fault, before Python code runs.
    fn problem(&self, borrowed: &CircuitRef<'_>) -> Option<Problem> {
        let index = self.instruction?;
        let acts_on = |other: usize, qubit: u32| match borrowed.kind(other) {
            kind::GATE => {
                !borrowed.read(other, |it| standard_gate(it).keeps_zero())
                    && borrowed.read(other, |parts| parts.qubits.contains(&qubit))
            }
            kind::MEASURE => borrowed.read(other, |parts| parts.qubits.contains(&qubit)),
            _ => false,
        };
        match (&self.error, borrowed.kind(index)) {
            (CircuitError::UnsupportedOperation, kind::DELAY) => {
                Some(Problem::Circuit(CircuitError::Delay))
            }
            (CircuitError::UnsupportedOperation, kind::RESET) => {
                let qubit = borrowed.read(index, |parts| parts.qubits[0]);
                let used = (0..index).any(|other| acts_on(other, qubit));
                Some(if used {
                    Problem::Circuit(CircuitError::Reset)
                } else {
                    Problem::NeedlessReset
                })
            }
            (CircuitError::GateAfterMeasurement, _) => {
                let qubits = borrowed.read(index, |parts| parts.qubits.to_vec());
                let measured: Vec<_> = qubits
                    .iter()
                    .copied()
                    .filter(|&qubit| {
                        (0..index).any(|other| {
                            borrowed.kind(other) == kind::MEASURE && acts_on(other, qubit)
                        })
                    })
                    .collect();
                let problem = Box::new(if measured.is_empty() {
                    Problem::AmongMeasurements
                } else {
                    Problem::Circuit(CircuitError::GateAfterMeasurement)
                });
                let qubits = if measured.is_empty() { qubits } else { measured };
                Some(Problem::OnQubits { problem, qubits })
            }
            _ => None,
        }
    }

    /// The offence of the circuit `object` with index `circuit`.
    fn describe(
        self,
        object: &Bound<'_, PyAny>,
        circuit: usize,
        problem: Option<Problem>,
    ) -> PyResult<Offence> {
        let unsupported = self.error == CircuitError::UnsupportedOperation;
        let mut offence = offence(object, circuit, self.instruction, self.error)?;
        if let Some(problem) = problem {
            offence.problem = problem;
        } else if let (Some(index), true) = (self.instruction, unsupported) {
            let namesake =
                NATIVE_NAMES.iter().any(|name| offence.operation.as_deref() == Some(name));
            offence.problem = match obstacle(object, index)? {
                Some((kind, name)) if kind == "opaque" => Problem::Opaque { name },
                Some((kind, _)) if kind == "instruction" => Problem::NoSuchInstruction,
                Some((kind, _)) if kind == "variable" => Problem::Variable,
                _ if namesake => Problem::Namesake,
                _ => offence.problem,
            };
        }
        if let (Some(index), false) =
            (self.instruction, matches!(offence.problem, Problem::OnQubits { .. }))
        {
            let qubits = qubits_of(object, index)?;
            if !qubits.is_empty() {
                let problem = Box::new(offence.problem);
                offence.problem = Problem::OnQubits { problem, qubits };
            }
        }
        Ok(offence)
    }
}

/// What keeps an instruction from being transpiled, in a word of `aqt_fast.definitions`, and the name
/// of the operation.
fn obstacle(object: &Bound<'_, PyAny>, index: usize) -> PyResult<Option<(String, String)>> {
    let module = object.py().import("aqt_fast.definitions")?;
    module.call_method1("obstacle", (operation(object, index)?,))?.extract()
}

/// Reads a circuit of which Python has taken apart the operations that only it knows.
fn read_inlined(
    table: &Table,
    object: &Bound<'_, PyAny>,
    circuit: usize,
    limits: Limits,
    angles: Angles,
) -> PyResult<Result<Read, Offence>> {
    let module = object.py().import("aqt_fast.definitions")?;
    let (inlined, origins): (Bound<'_, PyAny>, Vec<usize>) =
        module.call_method1("inlined", (object,))?.extract()?;
    let Some(borrowed) = CircuitRef::new(table, &inlined)? else {
        return Err(error_texts::api_failed(ApiFault::NotACircuit));
    };
    let fault = match read_circuit(&borrowed, limits, angles) {
        Ok(read) => return Ok(Ok(read)),
        Err(fault) => fault,
    };
    let problem = fault.problem(&borrowed);
    drop(borrowed);
    let mut offence = fault.describe(&inlined, circuit, problem)?;
    if let Some(index) = offence.instruction {
        let origin = origins.get(index).copied().unwrap_or(index);
        offence.instruction = Some(origin);
        offence.operation = Some(name_of(object, origin)?);
    }
    Ok(Err(offence))
}

fn read_circuit(borrowed: &CircuitRef<'_>, limits: Limits, angles: Angles) -> Result<Read, Fault> {
    match read_gates::<false>(borrowed, limits) {
        Err(fault) if fault.error.is_of_range() && angles == Angles::Folded => {
            read_gates::<true>(borrowed, limits)
        }
        read => read,
    }
}

/// Reads a circuit; `FOLD` folds its angles, and takes half as long again.
fn read_gates<const FOLD: bool>(borrowed: &CircuitRef<'_>, limits: Limits) -> Result<Read, Fault> {
    let (num_qubits, num_clbits) = (borrowed.num_qubits(), borrowed.num_clbits());
    let mut map = MeasurementMap::new(num_clbits);
    let mut builder =
        CircuitBuilder::new(num_qubits, num_clbits, borrowed.num_instructions(), limits)
            .map_err(Fault::of_circuit)?;
    for (index, instruction) in borrowed.instructions().enumerate() {
        let appended = match instruction {
            Instruction::Gate(gate) if FOLD => builder.fold(gate),
            Instruction::Gate(gate) => gate.checked().and_then(|operation| builder.gate(operation)),
            Instruction::Measure { qubit, clbit } => {
                builder.measure(qubit, clbit).and_then(|()| map.measure(qubit, clbit))
            }
            Instruction::Barrier => Ok(()),
            Instruction::ControlFlow => Err(CircuitError::ControlFlow),
            Instruction::Unsupported => Err(CircuitError::UnsupportedOperation),
        };
        appended.map_err(|error| Fault { instruction: Some(index), error })?;
    }
    Ok((builder.finish().map_err(Fault::of_circuit)?, map))
}

/// The number of qubits of the circuit with that index and its measurement map.
///
/// # Errors
/// `InvalidCircuitError` if `object` is no `QuantumCircuit`.
pub fn measurement_map(object: &Bound<'_, PyAny>, index: usize) -> PyResult<(u32, MeasurementMap)> {
    let Some(borrowed) = CircuitRef::new(checked_table(object.py())?, object)? else {
        return Err(error_texts::invalid_circuits(
            object.py(),
            vec![not_a_circuit(object, index)?],
        ));
    };
    let mut map = MeasurementMap::new(borrowed.num_clbits());
    for (qubit, clbit) in borrowed.measurements() {
        map.measure(qubit, clbit).map_err(|_| error_texts::api_failed(ApiFault::Read))?;
    }
    Ok((borrowed.num_qubits(), map))
}

/// Appends the operations of a circuit to a `QuantumCircuit`, each qubit of `qubits` at its place in
/// this list, and measures them in this order.
pub fn fill(object: &Bound<'_, PyAny>, circuit: &Circuit, qubits: &[u32]) -> PyResult<()> {
    let Some(mut target) = CircuitRef::new(checked_table(object.py())?, object)? else {
        return Err(error_texts::api_failed(ApiFault::NotACircuit));
    };
    let mut places = vec![0; circuit.num_qubits() as usize];
    for (place, &qubit) in (0..).zip(qubits) {
        places[qubit as usize] = place;
    }
    let place = |qubit: u32| places[qubit as usize];
    for operation in circuit.operations() {
        target.gate(match *operation {
            Operation::Rz { qubit, phi } => {
                NativeGate::Rz { qubit: place(qubit), phi: radians(phi) }
            }
            Operation::R { qubit, phi, theta } => {
                NativeGate::R { qubit: place(qubit), theta: radians(theta), phi: radians(phi) }
            }
            Operation::Rxx { qubits, theta } => {
                NativeGate::Rxx { qubits: qubits.map(place), theta: radians(theta) }
            }
        })?;
    }
    for place in 0..u32::try_from(qubits.len())? {
        target.measure(place, place)?;
    }
    Ok(())
}
