//! A Qiskit circuit of any gates → a program for the compiler, or a template if it has parameters.

use aqt_compile::{FreeGate, Item, Param, Program, gates::Gate};
use aqt_core::{CircuitError, Limits};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList},
};

use super::{
    capi::{Table, kind},
    circuit::CircuitRef,
    culprit::{bits_of, name_of, not_a_circuit, offence, operation},
    gates::{StandardGate, standard_gate},
    self_check::checked_table,
    unknown_operations::{Expansion, Explain, raised_problem, unitary},
};
use crate::error_texts::{self, ApiFault, Offence, Problem};

/// Deepest nesting of definitions. A definition that is deeper contains itself.
const MAX_DEPTH: usize = 200;

/// Names of the parameters of a gate.
const PARAMS: [&str; 4] = ["parameter 0", "parameter 1", "parameter 2", "parameter 3"];

/// A circuit as the compiler takes it, and what is needed to build the compiled one.
#[derive(Default)]
pub struct Reading {
    pub program: Program,
    /// Gates with unbound parameters, by the indices of their items, which stand for them.
    pub free: Vec<(usize, FreeGate)>,
    /// Qubit and classical bit of each measurement.
    pub measurements: Vec<(u32, u32)>,
    /// Whether an operation may have moved each qubit out of |0⟩.
    used: Vec<bool>,
    /// The global phase of the circuit itself, in radians; 0 if it is among the `phases`.
    pub phase: f64,
    /// Global phases that are not finite numbers. No outcome depends on them.
    pub phases: Vec<Py<PyAny>>,
    /// Barriers with a label: number and operation.
    pub labelled: Vec<(usize, Py<PyAny>)>,
    num_barriers: usize,
    /// Whether it has operations that Qiskit has synthesis plugins for.
    pub with_plugins: bool,
    /// An instruction that the compiler cannot compile, by its index, and why.
    pub refused: Option<(usize, String)>,
}

/// Why a circuit cannot run, and the index of the instruction.
pub struct Failure {
    instruction: Option<usize>,
    fault: Fault,
    qubits: Vec<u32>,
}

/// The kind of a failure.
enum Fault {
    /// The object is no circuit.
    NotACircuit,
    Circuit(CircuitError),
    /// A problem that shows on the Python object.
    Seen(Problem),
}

impl Failure {
    /// An instruction that the compiler cannot compile.
    pub fn unknown(instruction: usize, reason: String) -> Self {
        let fault = Fault::Seen(Problem::Unknown { reason });
        Self { instruction: Some(instruction), fault, qubits: Vec::new() }
    }

    /// The offence of the circuit `object`, which has the index `circuit`.
    pub fn describe(self, object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
        let mut offence = match self.fault {
            Fault::NotACircuit => return not_a_circuit(object, circuit),
            Fault::Circuit(error) => offence(object, circuit, self.instruction, error)?,
            Fault::Seen(problem) => {
                let operation = match self.instruction {
                    Some(index) => Some(name_of(object, index)?),
                    None => None,
                };
                Offence { circuit, instruction: self.instruction, operation, problem }
            }
        };
        if !self.qubits.is_empty() {
            let (problem, qubits) = (Box::new(offence.problem), self.qubits);
            offence.problem = Problem::OnQubits { problem, qubits };
        }
        Ok(offence)
    }
}

/// An instruction with the qubits of its own definition.
enum Raw {
    Item(Item),
    Measure {
        qubit: u32,
        clbit: u32,
    },
    Reset {
        qubit: u32,
    },
    /// A gate that is a global phase of no finite number.
    Phase,
    /// A standard gate with unbound parameters, and one of its kind that stands for it.
    Free(FreeGate, Gate),
    /// Python must explain it.
    Unknown,
    Refused(CircuitError),
}

/// The expressions of unbound parameters. Equal ones share an index where Qiskit can tell.
pub struct Expressions<'py> {
    places: Bound<'py, PyDict>,
    all: Bound<'py, PyList>,
}

impl<'py> Expressions<'py> {
    /// No expressions yet.
    pub fn new(py: Python<'py>) -> Self {
        Self { places: PyDict::new(py), all: PyList::empty(py) }
    }

    /// All expressions, by their indices.
    pub fn all(self) -> Bound<'py, PyList> {
        self.all
    }

    /// The index of an expression.
    fn place(&self, expression: &Bound<'py, PyAny>) -> PyResult<u32> {
        let next = u32::try_from(self.all.len())?;
        // Qiskit 2.6 cannot hash an expression such as a − a.
        if let Ok(Some(place)) = self.places.get_item(expression) {
            return place.extract();
        }
        drop(self.places.set_item(expression, next));
        self.all.append(expression)?;
        Ok(next)
    }
}

/// An outcome of reading, or why the circuit cannot run.
pub type Read<T> = PyResult<Result<T, Failure>>;

/// Reads a circuit with at most as many qubits as the `limits`.
///
/// Unbound parameters are refused unless there are `expressions` to note them.
pub fn read_program<'py>(
    object: &Bound<'py, PyAny>,
    explain: &Explain<'_, 'py>,
    limits: Limits,
    expressions: Option<&Expressions<'py>>,
) -> Read<Reading> {
    let table = checked_table(object.py())?;
    let whole = |fault| Failure { instruction: None, fault, qubits: Vec::new() };
    let Some(borrowed) = CircuitRef::new(table, object)? else {
        return Ok(Err(whole(Fault::NotACircuit)));
    };
    let num_qubits = borrowed.num_qubits();
    drop(borrowed);
    if num_qubits > limits.qubits {
        let error = CircuitError::TooManyQubits { found: num_qubits, limit: limits.qubits };
        return Ok(Err(whole(Fault::Circuit(error))));
    }
    let mut reading = Reading { used: vec![false; num_qubits as usize], ..Reading::default() };
    reading.phase = reading.finite_phase(object)?.unwrap_or_default();
    reading.program.num_qubits = num_qubits;
    reading.program.measured = vec![false; num_qubits as usize];
    let scope = Scope { qubits: None, clbits: None, instruction: None, depth: 0, expressions };
    match reading.append(table, object, explain, &scope)? {
        Ok(()) => Ok(Ok(reading)),
        Err(failure) => Ok(Err(failure)),
    }
}

/// The place of a definition in the circuit: no maps for the circuit itself.
struct Scope<'a, 'py> {
    qubits: Option<&'a [u32]>,
    clbits: Option<&'a [u32]>,
    /// The circuit's instruction that the definition belongs to.
    instruction: Option<usize>,
    depth: usize,
    /// Where to note unbound parameters, None to refuse them.
    expressions: Option<&'a Expressions<'py>>,
}

impl Scope<'_, '_> {
    fn qubit(&self, qubit: u32) -> u32 {
        self.qubits.map_or(qubit, |qubits| qubits[qubit as usize])
    }

    fn clbit(&self, clbit: u32) -> u32 {
        self.clbits.map_or(clbit, |clbits| clbits[clbit as usize])
    }
}

impl Reading {
    /// Appends the instructions of `object`, a `QuantumCircuit`.
    fn append<'py>(
        &mut self,
        table: &Table,
        object: &Bound<'py, PyAny>,
        explain: &Explain<'_, 'py>,
        scope: &Scope<'_, 'py>,
    ) -> Read<()> {
        let py = object.py();
        let raw: Vec<_> = {
            let Some(borrowed) = CircuitRef::new(table, object)? else {
                return Err(error_texts::api_failed(ApiFault::NotACircuit));
            };
            (0..borrowed.num_instructions()).map(|index| read_raw(&borrowed, index)).collect()
        };
        self.program.items.reserve(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let failed = |error, qubits| {
                let instruction = Some(scope.instruction.unwrap_or(index));
                Ok(Err(Failure { instruction, fault: Fault::Circuit(error), qubits }))
            };
            let raw = match raw {
                Ok(raw) => raw,
                Err(gate) => gate.resolved(object, index, scope.expressions)?,
            };
            match raw {
                Raw::Item(mut item) => {
                    let (qubits, is_barrier, keeps_zero) = match &mut item {
                        Item::Gate(gate, qubits) => {
                            (&mut qubits[..gate.num_qubits()], false, gate.keeps_zero())
                        }
                        Item::Unitary(_, qubits) => (&mut qubits[..], false, false),
                        Item::Barrier(qubits) => (&mut qubits[..], true, true),
                    };
                    for qubit in qubits.iter_mut() {
                        *qubit = scope.qubit(*qubit);
                    }
                    if is_barrier {
                        let operation = operation(object, index)?;
                        if !operation.getattr(intern!(py, "label"))?.is_none() {
                            self.labelled.push((self.num_barriers, operation.unbind()));
                        }
                        self.num_barriers += 1;
                    } else {
                        let late = if keeps_zero { self.late(qubits) } else { self.act(qubits) };
                        if let Some(qubit) = late {
                            return failed(CircuitError::GateAfterMeasurement, vec![qubit]);
                        }
                    }
                    self.program.items.push(item);
                }
                Raw::Measure { qubit, clbit } => {
                    let qubit = scope.qubit(qubit);
                    self.program.measured[qubit as usize] = true;
                    self.measurements.push((qubit, scope.clbit(clbit)));
                }
                Raw::Reset { qubit } => {
                    let qubit = scope.qubit(qubit);
                    // A device prepares all qubits in |0⟩.
                    if self.used[qubit as usize] || self.program.measured[qubit as usize] {
                        return failed(CircuitError::Reset, vec![qubit]);
                    }
                }
                Raw::Phase => {
                    let params = operation(object, index)?.getattr(intern!(py, "params"))?;
                    self.phases.push(params.get_item(0)?.unbind());
                }
                Raw::Free(mut gate, kind) => {
                    let mut qubits = [0; 4];
                    for (place, qubit) in qubits.iter_mut().zip(&mut gate.qubits) {
                        *qubit = scope.qubit(*qubit);
                        *place = *qubit;
                    }
                    let keeps_zero = kind.keeps_zero();
                    let late =
                        if keeps_zero { self.late(&gate.qubits) } else { self.act(&gate.qubits) };
                    if let Some(qubit) = late {
                        return failed(CircuitError::GateAfterMeasurement, vec![qubit]);
                    }
                    self.free.push((self.program.items.len(), gate));
                    self.program.items.push(Item::Gate(kind, qubits));
                }
                Raw::Refused(error) => {
                    let (qubits, _) = bits_of(object, index)?;
                    return failed(error, qubits.into_iter().map(|it| scope.qubit(it)).collect());
                }
                Raw::Unknown => {
                    let (qubits, clbits) = bits_of(object, index)?;
                    let qubits: Vec<_> = qubits.into_iter().map(|it| scope.qubit(it)).collect();
                    let clbits: Vec<_> = clbits.into_iter().map(|it| scope.clbit(it)).collect();
                    let inner = Scope {
                        qubits: Some(&qubits),
                        clbits: Some(&clbits),
                        instruction: Some(scope.instruction.unwrap_or(index)),
                        depth: scope.depth + 1,
                        expressions: scope.expressions,
                    };
                    let operation = operation(object, index)?;
                    let done = self.append_unknown(table, &operation, explain, &inner)?;
                    if done.is_err() {
                        return Ok(done);
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Appends an operation that Python must explain.
    fn append_unknown<'py>(
        &mut self,
        table: &Table,
        operation: &Bound<'py, PyAny>,
        explain: &Explain<'_, 'py>,
        scope: &Scope<'_, 'py>,
    ) -> Read<()> {
        let failed =
            |fault, qubits| Ok(Err(Failure { instruction: scope.instruction, fault, qubits }));
        let qubits = scope.qubits.unwrap_or_default();
        let expansion = if scope.depth > MAX_DEPTH {
            let name: String = operation.getattr("name")?.extract()?;
            Ok(Expansion::Reason(error_texts::endless_definition(&name)))
        } else {
            Expansion::of(operation, explain)
        };
        let expansion = match expansion {
            Ok(expansion) => expansion,
            Err(raised) => {
                let problem = raised_problem(operation.py(), raised)?;
                return failed(Fault::Seen(problem), vec![]);
            }
        };
        match expansion {
            Expansion::Reason(reason) => {
                if self.refused.is_none() {
                    let index = scope.instruction.unwrap_or_default();
                    self.refused = Some((index, reason));
                }
                self.act(qubits);
            }
            Expansion::Matrix(rows) => {
                if let Some(qubit) = self.act(qubits) {
                    return failed(Fault::Circuit(CircuitError::GateAfterMeasurement), vec![qubit]);
                }
                match unitary(&rows, qubits) {
                    Ok(item) => self.program.items.push(item),
                    Err(problem) => return failed(Fault::Seen(problem), vec![]),
                }
            }
            Expansion::Circuit(circuit, with_plugins) => {
                self.with_plugins |= with_plugins;
                let found: usize = circuit.getattr("num_qubits")?.extract()?;
                let num_clbits: usize = circuit.getattr("num_clbits")?.extract()?;
                let fits =
                    found == qubits.len() && num_clbits <= scope.clbits.unwrap_or_default().len();
                if !fits {
                    return failed(Fault::Seen(Problem::DefinitionDoesNotFit), vec![]);
                }
                if let Some(phase) = self.finite_phase(&circuit)? {
                    self.program.items.push(Item::Gate(Gate::Phase(phase), [0; 4]));
                }
                return self.append(table, &circuit, explain, scope);
            }
        }
        Ok(Ok(()))
    }

    /// The global phase of a circuit in radians. One that is no finite number is put aside.
    fn finite_phase(&mut self, circuit: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
        let phase = circuit.getattr(intern!(circuit.py(), "global_phase"))?;
        let value = phase.extract::<f64>().ok().filter(|value| value.is_finite());
        if value.is_none() {
            self.phases.push(phase.unbind());
        }
        Ok(value)
    }

    /// Marks these qubits as used; returns one that was measured before.
    fn act(&mut self, qubits: &[u32]) -> Option<u32> {
        for &qubit in qubits {
            self.used[qubit as usize] = true;
        }
        self.late(qubits)
    }

    /// Returns a qubit that was measured before.
    fn late(&self, qubits: &[u32]) -> Option<u32> {
        qubits.iter().copied().find(|&qubit| self.program.measured[qubit as usize])
    }
}

/// Reads an instruction, or a gate of which Python must tell the parameters.
fn read_raw(borrowed: &CircuitRef<'_>, index: usize) -> Result<Raw, NotFinite> {
    Ok(match borrowed.kind(index) {
        kind::GATE => match borrowed.read(index, standard_gate) {
            StandardGate::Known(gate, qubits) => Raw::Item(Item::Gate(gate, qubits)),
            StandardGate::NotFinite { .. } if borrowed.read(index, |it| it.qubits.is_empty()) => {
                Raw::Phase
            }
            StandardGate::NotFinite { param } => {
                return Err(borrowed.read(index, |parts| NotFinite {
                    name: parts.name.to_vec(),
                    qubits: parts.qubits.to_vec(),
                    values: (0..parts.num_params).map(parts.param).collect(),
                    param,
                }));
            }
            StandardGate::Unknown => Raw::Unknown,
        },
        kind::BARRIER => {
            borrowed.read(index, |parts| Raw::Item(Item::Barrier(parts.qubits.to_vec())))
        }
        kind::MEASURE => borrowed
            .read(index, |parts| Raw::Measure { qubit: parts.qubits[0], clbit: parts.clbits[0] }),
        kind::RESET => borrowed.read(index, |parts| Raw::Reset { qubit: parts.qubits[0] }),
        kind::DELAY => Raw::Refused(CircuitError::Delay),
        kind::CONTROL_FLOW => Raw::Refused(CircuitError::ControlFlow),
        _ => Raw::Unknown,
    })
}

/// A standard gate with a parameter that is no finite number: unbound, or wrong.
struct NotFinite {
    name: Vec<u8>,
    qubits: Vec<u32>,
    values: Vec<f64>,
    /// Index of the first such parameter.
    param: usize,
}

impl NotFinite {
    /// The instruction with this index: with unbound parameters if there are `expressions` to note
    /// them, refused if there are none or if a parameter is wrong.
    fn resolved(
        self,
        object: &Bound<'_, PyAny>,
        index: usize,
        expressions: Option<&Expressions<'_>>,
    ) -> PyResult<Raw> {
        let params = match expressions {
            Some(expressions) => self.params(&operation(object, index)?, expressions)?,
            None => None,
        };
        let Some(params) = params else {
            let (angle, value) = (PARAMS[self.param], self.values[self.param]);
            return Ok(Raw::Refused(CircuitError::AngleNotFinite { angle, value }));
        };
        let Self { name, qubits, .. } = self;
        let kind = generic(&name, qubits.len(), &params);
        let gate = FreeGate { name, qubits, params };
        Ok(kind.map_or(Raw::Unknown, |kind| Raw::Free(gate, kind)))
    }

    /// The parameters; `None` if one of them is neither a number nor unbound.
    fn params<'py>(
        &self,
        operation: &Bound<'py, PyAny>,
        expressions: &Expressions<'py>,
    ) -> PyResult<Option<Vec<Param>>> {
        let py = operation.py();
        let found = operation.getattr(intern!(py, "params"))?;
        let mut params = Vec::with_capacity(self.values.len());
        for (place, &value) in self.values.iter().enumerate() {
            if value.is_finite() {
                params.push(Param::Value(value));
                continue;
            }
            let expression = found.get_item(place)?;
            let names = intern!(py, "parameters");
            if !(expression.hasattr(names)? && expression.getattr(names)?.is_truthy()?) {
                return Ok(None);
            }
            params.push(Param::Angle(expressions.place(&expression)?));
        }
        Ok(Some(params))
    }
}

/// A gate of this kind, with angles that nothing is special about.
fn generic(name: &[u8], num_qubits: usize, params: &[Param]) -> Option<Gate> {
    let angle = |(param, other): (&Param, f64)| match *param {
        Param::Value(value) => value,
        Param::Angle(_) => other,
    };
    let angles: Vec<_> = params.iter().zip([0.7, 1.1, 1.3, 1.7]).map(angle).collect();
    Gate::standard(name, num_qubits, &angles)
}
