//! The table of the installed Qiskit, after a round trip of a known circuit and a known DAG.
//!
//! Between them, the round trips call every slot in use. They compare in both directions: what
//! Python built must read natively as expected, and what was built natively must equal it for
//! Python.

use pyo3::{prelude::*, sync::PyOnceLock};

use super::{
    capi::{Table, kind},
    circuit::{CircuitRef, circuit_class},
    dag::DagRef,
    instruction::{Instruction, NativeGate},
    version::TESTED,
};
use crate::error_texts::{self, QiskitFault};

/// Qubits and classical bits of the known circuit.
const SIZE: (u32, u32) = (3, 2);

/// The barrier's qubits.
const BARRIER: [u32; 2] = [2, 0];

/// The known circuit. Each instruction shares a qubit with the next one: there is one order only.
const KNOWN: [Instruction; 5] = [
    Instruction::Gate(NativeGate::R { qubit: 1, theta: 0.5, phi: 0.25 }),
    Instruction::Gate(NativeGate::Rxx { qubits: [2, 1], theta: 0.75 }),
    Instruction::Gate(NativeGate::Rz { qubit: 2, phi: -1.5 }),
    Instruction::Barrier,
    Instruction::Measure { qubit: 2, clbit: 1 },
];

/// The table of the installed Qiskit, checked on first use.
///
/// # Errors
/// `UnsupportedQiskitError`.
pub fn checked_table(py: Python<'_>) -> PyResult<&'static Table> {
    static TABLE: PyOnceLock<Table> = PyOnceLock::new();
    TABLE.get_or_try_init(py, || {
        let version: String = py.import("qiskit")?.getattr("__version__")?.extract()?;
        let unsupported = |fault| error_texts::unsupported_qiskit(py, &version, &TESTED, fault);
        let table = Table::load(py, &version)?.map_err(unsupported)?;
        let known = known_circuit(py)?;
        if !circuit_returns(&table, &known)? {
            return Err(unsupported(QiskitFault::OtherCircuit));
        }
        if !dag_returns(&table, &known)? {
            return Err(unsupported(QiskitFault::OtherDag));
        }
        Ok(table)
    })
}

/// [`KNOWN`], built by Python.
fn known_circuit(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let circuit = circuit_class(py)?.call1(SIZE)?;
    for instruction in KNOWN {
        match instruction {
            Instruction::Gate(NativeGate::R { qubit, theta, phi }) => {
                circuit.call_method1("r", (theta, phi, qubit))?;
            }
            Instruction::Gate(NativeGate::Rz { qubit, phi }) => {
                circuit.call_method1("rz", (phi, qubit))?;
            }
            Instruction::Gate(NativeGate::Rxx { qubits: [first, second], theta }) => {
                circuit.call_method1("rxx", (theta, first, second))?;
            }
            Instruction::Measure { qubit, clbit } => {
                circuit.call_method1("measure", (qubit, clbit))?;
            }
            _ => {
                circuit.call_method1("barrier", <(u32, u32)>::from(BARRIER))?;
            }
        }
    }
    Ok(circuit)
}

/// Whether a circuit comes back as it was, from Python and to Python.
fn circuit_returns(table: &Table, known: &Bound<'_, PyAny>) -> PyResult<bool> {
    let built = circuit_class(known.py())?.call1(SIZE)?;
    let (Some(source), Some(mut target)) =
        (CircuitRef::new(table, known)?, CircuitRef::new(table, &built)?)
    else {
        return Ok(false);
    };
    let same_size = (source.num_qubits(), source.num_clbits()) == SIZE;
    if !same_size || !source.instructions().eq(KNOWN) {
        return Ok(false);
    }
    let barrier = source.read(3, |parts| parts.qubits == BARRIER && parts.clbits.is_empty());
    for instruction in KNOWN {
        match instruction {
            Instruction::Gate(gate) => target.gate(gate)?,
            Instruction::Measure { qubit, clbit } => target.measure(qubit, clbit)?,
            _ => target.barrier(&BARRIER)?,
        }
    }
    let same = target.instructions().eq(KNOWN) && source.measurements().eq([(2, 1)]);
    drop((source, target));
    Ok(barrier && same && built.eq(known)?)
}

/// Whether a DAG comes back as it was, from Python and to Python.
fn dag_returns(table: &Table, known: &Bound<'_, PyAny>) -> PyResult<bool> {
    let dag = known.py().import("qiskit.converters")?.call_method1("circuit_to_dag", (known,))?;
    let source = DagRef::new(table, &dag)?;
    if (source.num_qubits(), source.num_clbits()) != SIZE || !reads_as_known(&source) {
        return Ok(false);
    }
    let mut target = source.copy_empty_like()?;
    for instruction in KNOWN {
        match instruction {
            Instruction::Gate(gate) => target.gate(gate),
            Instruction::Measure { qubit, clbit } => target.measure(qubit, clbit),
            _ => target.barrier(&BARRIER),
        }
    }
    Ok(reads_as_known(&target) && target.object().eq(&dag)?)
}

fn reads_as_known(dag: &DagRef<'_, '_>) -> bool {
    let instruction = |node| match dag.kind(node) {
        kind::GATE | kind::MEASURE => dag.read(node, Instruction::new),
        kind::BARRIER if dag.qubits(node) == BARRIER => Instruction::Barrier,
        _ => Instruction::Unsupported,
    };
    let nodes = dag.nodes();
    let first_qubits = nodes.first().map(|&node| dag.qubits(node));
    nodes.iter().copied().map(instruction).eq(KNOWN) && first_qubits == Some(&[1])
}
