//! Qiskit circuit → operations, through the function table that Qiskit exports to extension
//! modules (`qiskit.capi`, from version 2.4 on). All unsafe code of the project is in this file.
//!
//! The table is an array of function pointers in a capsule. Slots and signatures are those of
//! `funcs_py_generated.h` and `types.h` in Qiskit's headers; between 2.4.1 and 2.6.2 no slot
//! moved. A slot is called only if the version says that the table has it, and before the first
//! use a known circuit is read and compared.

use std::{
    ffi::{CStr, c_char, c_void},
    slice,
};

use aqt_core::{Circuit, CircuitBuilder, CircuitError, Limits, MeasurementMap, Operation};
use pyo3::{ffi, intern, prelude::*, sync::PyOnceLock};

use crate::error::{self, Offence, Problem};

const CAPSULE: &CStr = c"qiskit._accelerate.capi.QK_FFI_CIRCUIT";

/// Versions as `qk_api_version` writes them: `0xMMmmppLS`.
const OLDEST: u32 = 0x0204_0000;
const WITH_VIEWS: u32 = 0x0206_0000;
const TOO_NEW: u32 = 0x0300_0000;

/// `QkCircuit` and `QkParam`, which only Qiskit can look into.
#[repr(C)]
struct QkCircuit {
    _private: [u8; 0],
}
#[repr(C)]
struct QkParam {
    _private: [u8; 0],
}

/// `QkCircuitInstructionView` (2.6 on): borrowed from the circuit.
#[repr(C)]
struct InstructionView {
    name: *const c_char,
    qubits: *const u32,
    clbits: *const u32,
    params: *const QkParam,
    name_len: usize,
    num_qubits: u32,
    num_clbits: u32,
    num_params: usize,
}

/// `QkCircuitInstruction` (2.4 on): a copy that must be cleared.
#[repr(C)]
struct OwnedInstruction {
    name: *mut c_char,
    qubits: *mut u32,
    clbits: *mut u32,
    params: *mut *mut QkParam,
    num_qubits: u32,
    num_clbits: u32,
    num_params: u32,
}

type ApiVersion = unsafe extern "C" fn() -> u32;
type Count = unsafe extern "C" fn(*const QkCircuit) -> u32;
type NumInstructions = unsafe extern "C" fn(*const QkCircuit) -> usize;
type InstructionKind = unsafe extern "C" fn(*const QkCircuit, usize) -> u8;
type GetInstruction = unsafe extern "C" fn(*const QkCircuit, usize, *mut OwnedInstruction);
type ClearInstruction = unsafe extern "C" fn(*mut OwnedInstruction);
type ViewInstruction = unsafe extern "C" fn(*const QkCircuit, usize, *mut InstructionView);
type BorrowFromPython = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut QkCircuit;
type ParamAsReal = unsafe extern "C" fn(*const QkParam) -> f64;
type ParamStride = unsafe extern "C" fn() -> usize;

/// `QkOperationKind`, as far as it matters here.
mod kind {
    pub const GATE: u8 = 0;
    pub const BARRIER: u8 = 1;
    pub const MEASURE: u8 = 3;
    pub const CONTROL_FLOW: u8 = 7;
}

/// How to read one instruction.
enum Access {
    View { view: ViewInstruction, param_stride: usize },
    Copy { get: GetInstruction, clear: ClearInstruction },
}

/// The entries of Qiskit's circuit table that are used here.
struct Table {
    num_qubits: Count,
    num_clbits: Count,
    num_instructions: NumInstructions,
    instruction_kind: InstructionKind,
    borrow_from_python: BorrowFromPython,
    param_as_real: ParamAsReal,
    access: Access,
}

/// What one instruction is to an AQT device.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Instruction {
    Rz { qubit: u32, phi: f64 },
    R { qubit: u32, theta: f64, phi: f64 },
    Rxx { qubits: [u32; 2], theta: f64 },
    Measure { qubit: u32, clbit: u32 },
    Barrier,
    ControlFlow,
    Unsupported,
}

impl Table {
    /// The table of the installed Qiskit, tried out once.
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static TABLE: PyOnceLock<Table> = PyOnceLock::new();
        TABLE.get_or_try_init(py, || {
            let table = Self::load(py)?;
            table.self_check(py)?;
            Ok(table)
        })
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let version: String = py.import("qiskit")?.getattr("__version__")?.extract()?;
        let unsupported = |reason: &str| error::unsupported_qiskit(py, &version, reason);
        py.import("qiskit._accelerate")?;
        // SAFETY: attached to the interpreter, and the name is a C string.
        let table = unsafe { ffi::PyCapsule_Import(CAPSULE.as_ptr(), 0) }.cast::<*const c_void>();
        if table.is_null() {
            drop(PyErr::take(py));
            return Err(unsupported("it does not export its C API to extension modules"));
        }
        // SAFETY: slot 0 exists since the table does, and holds `qk_api_version`.
        let api_version = unsafe { std::mem::transmute::<*const c_void, ApiVersion>(*table)() };
        if !(OLDEST..TOO_NEW).contains(&api_version) {
            return Err(unsupported(&format!("its C API has version {api_version:#010x}")));
        }
        // SAFETY: the slots below are in the table of every supported version with these
        // signatures, 94 and 231 from 2.6 on. Function pointers are never null there.
        unsafe {
            macro_rules! slot {
                ($index:literal as $signature:ty) => {
                    std::mem::transmute::<*const c_void, $signature>(*table.add($index))
                };
            }
            let access = if api_version >= WITH_VIEWS {
                let param_stride = slot!(231 as ParamStride)();
                Access::View { view: slot!(94 as ViewInstruction), param_stride }
            } else {
                let (get, clear) = (slot!(31 as GetInstruction), slot!(32 as ClearInstruction));
                Access::Copy { get, clear }
            };
            Ok(Self {
                num_qubits: slot!(13 as Count),
                num_clbits: slot!(14 as Count),
                num_instructions: slot!(30 as NumInstructions),
                instruction_kind: slot!(28 as InstructionKind),
                borrow_from_python: slot!(41 as BorrowFromPython),
                param_as_real: slot!(230 as ParamAsReal),
                access,
            })
        }
    }

    /// Reads a known circuit and compares.
    fn self_check(&self, py: Python<'_>) -> PyResult<()> {
        let circuit = py.import("qiskit.circuit")?.getattr("QuantumCircuit")?.call1((3, 2))?;
        circuit.call_method1("r", (0.5, 0.25, 1))?;
        circuit.call_method1("rz", (-1.5, 2))?;
        circuit.call_method1("rxx", (0.75, 2, 0))?;
        circuit.call_method0("barrier")?;
        circuit.call_method1("h", (0,))?;
        circuit.call_method1("measure", (2, 1))?;
        let expected = [
            Instruction::R { qubit: 1, theta: 0.5, phi: 0.25 },
            Instruction::Rz { qubit: 2, phi: -1.5 },
            Instruction::Rxx { qubits: [2, 0], theta: 0.75 },
            Instruction::Barrier,
            Instruction::Unsupported,
            Instruction::Measure { qubit: 2, clbit: 1 },
        ];
        let borrowed = Borrowed::new(self, &circuit)?;
        let found: Vec<_> = borrowed.iter().flat_map(Borrowed::instructions).collect();
        if found == expected {
            return Ok(());
        }
        let version: String = py.import("qiskit")?.getattr("__version__")?.extract()?;
        Err(error::unsupported_qiskit(py, &version, "a known circuit reads differently"))
    }
}

/// A circuit's data, borrowed from its Python object for as long as that is borrowed.
struct Borrowed<'a> {
    table: &'a Table,
    circuit: *const QkCircuit,
    num_instructions: usize,
    /// `QuantumCircuit._data`, which owns what `circuit` points to.
    _data: Bound<'a, PyAny>,
}

impl<'a> Borrowed<'a> {
    /// `None` if `object` is no `QuantumCircuit`.
    fn new(table: &'a Table, object: &Bound<'a, PyAny>) -> PyResult<Option<Self>> {
        let py = object.py();
        if !object.is_instance(circuit_class(py)?)? {
            return Ok(None);
        }
        let data = object.getattr(intern!(py, "_data"))?;
        // SAFETY: attached to the interpreter, and `data` is a live object.
        let circuit = unsafe { (table.borrow_from_python)(data.as_ptr()) };
        if circuit.is_null() {
            return Err(PyErr::take(py).unwrap_or_else(|| error::qiskit_failed("borrow")));
        }
        // SAFETY: `circuit` is valid while `data` is held, which moves into the value.
        let num_instructions = unsafe { (table.num_instructions)(circuit) };
        Ok(Some(Self { table, circuit, num_instructions, _data: data }))
    }

    fn num_qubits(&self) -> u32 {
        // SAFETY: `circuit` is valid while `_data` is held, as in all methods below.
        unsafe { (self.table.num_qubits)(self.circuit) }
    }

    fn num_clbits(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (self.table.num_clbits)(self.circuit) }
    }

    /// All instructions, in order. Nothing may change the circuit before the iterator is dropped.
    fn instructions(&self) -> impl Iterator<Item = Instruction> {
        (0..self.num_instructions).map(|index| self.instruction(index))
    }

    /// All final measurements: qubit and classical bit.
    fn measurements(&self) -> impl Iterator<Item = (u32, u32)> {
        // SAFETY: `circuit` is valid and the index in range.
        let kind = |index: &usize| unsafe { (self.table.instruction_kind)(self.circuit, *index) };
        let measurements =
            (0..self.num_instructions).filter(move |index| kind(index) == kind::MEASURE);
        measurements.filter_map(|index| match self.instruction(index) {
            Instruction::Measure { qubit, clbit } => Some((qubit, clbit)),
            _ => None,
        })
    }

    /// The instruction at `index`, which must be below `num_instructions`.
    fn instruction(&self, index: usize) -> Instruction {
        debug_assert!(index < self.num_instructions);
        // SAFETY: `circuit` is valid and `index` in range.
        match unsafe { (self.table.instruction_kind)(self.circuit, index) } {
            kind::GATE | kind::MEASURE => {}
            kind::BARRIER => return Instruction::Barrier,
            kind::CONTROL_FLOW => return Instruction::ControlFlow,
            // Reading these could need Python or fail; what they are does not matter.
            _ => return Instruction::Unsupported,
        }
        match self.table.access {
            Access::View { view, param_stride } => self.view(index, view, param_stride),
            Access::Copy { get, clear } => self.copy(index, get, clear),
        }
    }

    fn view(&self, index: usize, view: ViewInstruction, param_stride: usize) -> Instruction {
        let mut instruction = std::mem::MaybeUninit::<InstructionView>::uninit();
        // SAFETY: `circuit` is valid, `index` in range, and `view` writes the whole struct. Its
        // pointers stay valid as long as nobody changes the circuit: no Python code runs before
        // they are dropped. Parameters are `param_stride` bytes apart.
        unsafe {
            view(self.circuit, index, instruction.as_mut_ptr());
            let instruction = instruction.assume_init_ref();
            let param = |number: usize| {
                let param = instruction.params.cast::<u8>().add(number * param_stride);
                (self.table.param_as_real)(param.cast())
            };
            classify(
                as_slice(instruction.name.cast(), instruction.name_len),
                as_slice(instruction.qubits, instruction.num_qubits as usize),
                as_slice(instruction.clbits, instruction.num_clbits as usize),
                instruction.num_params,
                param,
            )
        }
    }

    fn copy(&self, index: usize, get: GetInstruction, clear: ClearInstruction) -> Instruction {
        let mut instruction = std::mem::MaybeUninit::<OwnedInstruction>::uninit();
        // SAFETY: `circuit` is valid, `index` in range, and `get` writes the whole struct. It is
        // read only before `clear` frees what it points to, and `clear` is called exactly once.
        unsafe {
            get(self.circuit, index, instruction.as_mut_ptr());
            let instruction = instruction.assume_init_mut();
            let param = |number: usize| (self.table.param_as_real)(*instruction.params.add(number));
            let found = classify(
                CStr::from_ptr(instruction.name).to_bytes(),
                as_slice(instruction.qubits, instruction.num_qubits as usize),
                as_slice(instruction.clbits, instruction.num_clbits as usize),
                instruction.num_params as usize,
                param,
            );
            clear(instruction);
            found
        }
    }
}

/// A slice that may be empty with any pointer.
///
/// # Safety
/// If `len` is not 0, `data` must point to `len` valid elements that outlive `'a`.
unsafe fn as_slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { slice::from_raw_parts(data, len) }
}

/// A standard gate or measurement as an instruction. `param` must be valid below `num_params`.
fn classify(
    name: &[u8],
    qubits: &[u32],
    clbits: &[u32],
    num_params: usize,
    param: impl Fn(usize) -> f64,
) -> Instruction {
    match (name, qubits, clbits, num_params) {
        (b"rz", &[qubit], [], 1) => Instruction::Rz { qubit, phi: param(0) },
        (b"r", &[qubit], [], 2) => Instruction::R { qubit, theta: param(0), phi: param(1) },
        (b"rxx", &[a, b], [], 1) => Instruction::Rxx { qubits: [a, b], theta: param(0) },
        (b"measure", &[qubit], &[clbit], 0) => Instruction::Measure { qubit, clbit },
        _ => Instruction::Unsupported,
    }
}

fn circuit_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        py.import("qiskit.circuit")?.getattr("QuantumCircuit").map(Bound::unbind)
    })?;
    Ok(class.bind(py))
}

/// Reads and checks circuits, and hands over those that can run.
///
/// # Errors
/// `InvalidCircuitError` that lists every circuit which cannot run, each with its first problem.
pub fn read_circuits(
    py: Python<'_>,
    circuits: &[Bound<'_, PyAny>],
    limits: Limits,
    mut take: impl FnMut(Circuit),
) -> PyResult<()> {
    let table = Table::get(py)?;
    let mut offences = Vec::new();
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = Borrowed::new(table, object)? else {
            offences.push(not_a_circuit(object, index)?);
            continue;
        };
        match read_circuit(&borrowed, limits) {
            Ok(circuit) => take(circuit),
            Err((instruction, error)) => {
                drop(borrowed);
                offences.push(offence(object, index, instruction, error)?);
            }
        }
    }
    if offences.is_empty() { Ok(()) } else { Err(error::invalid_circuits(py, offences)) }
}

fn read_circuit(
    borrowed: &Borrowed<'_>,
    limits: Limits,
) -> Result<Circuit, (Option<usize>, CircuitError)> {
    let whole = |error| (None, error);
    let (num_qubits, num_clbits) = (borrowed.num_qubits(), borrowed.num_clbits());
    let mut builder =
        CircuitBuilder::new(num_qubits, num_clbits, borrowed.num_instructions, limits)
            .map_err(whole)?;
    for (index, instruction) in borrowed.instructions().enumerate() {
        let taken = match instruction {
            Instruction::Rz { qubit, phi } => {
                Operation::rz(qubit, phi).and_then(|operation| builder.gate(operation))
            }
            Instruction::R { qubit, theta, phi } => {
                Operation::r(qubit, theta, phi).and_then(|operation| builder.gate(operation))
            }
            Instruction::Rxx { qubits, theta } => {
                Operation::rxx(qubits, theta).and_then(|operation| builder.gate(operation))
            }
            Instruction::Measure { qubit, clbit } => builder.measure(qubit, clbit),
            Instruction::Barrier => Ok(()),
            Instruction::ControlFlow => Err(CircuitError::ControlFlow),
            Instruction::Unsupported => Err(CircuitError::UnsupportedOperation),
        };
        taken.map_err(|error| (Some(index), error))?;
    }
    builder.finish().map_err(whole)
}

/// Adds what only Python knows: the operation's name, and whether a NaN is an unbound parameter.
fn offence(
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
                let param = param?;
                if param.hasattr("parameters")? && param.getattr("parameters")?.is_truthy()? {
                    let expression = param.str()?.extract()?;
                    problem = Problem::UnboundParameter { expression };
                    break;
                }
            }
        }
    }
    Ok(Offence { circuit, instruction, operation, problem })
}

/// The number of qubits of a circuit and its measurement map.
///
/// # Errors
/// `InvalidCircuitError` if `object` is no `QuantumCircuit`.
pub fn measurement_map(object: &Bound<'_, PyAny>) -> PyResult<(u32, MeasurementMap)> {
    let Some(borrowed) = Borrowed::new(Table::get(object.py())?, object)? else {
        return Err(error::invalid_circuits(object.py(), vec![not_a_circuit(object, 0)?]));
    };
    let mut map = MeasurementMap::new(borrowed.num_clbits());
    for (qubit, clbit) in borrowed.measurements() {
        map.measure(qubit, clbit).map_err(|_| error::qiskit_failed("measure"))?;
    }
    Ok((borrowed.num_qubits(), map))
}

/// Reads all instructions, keeps none and returns their number.
///
/// # Errors
/// `InvalidCircuitError` if an object is no `QuantumCircuit`.
pub fn read_instructions(py: Python<'_>, circuits: &[Bound<'_, PyAny>]) -> PyResult<usize> {
    let table = Table::get(py)?;
    let mut count = 0;
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = Borrowed::new(table, object)? else {
            return Err(error::invalid_circuits(py, vec![not_a_circuit(object, index)?]));
        };
        count += borrowed.instructions().map(std::hint::black_box).count();
    }
    Ok(count)
}

fn not_a_circuit(object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
    let type_name = object.get_type().name()?.to_string();
    let problem = Problem::NotACircuit { type_name };
    Ok(Offence { circuit, instruction: None, operation: None, problem })
}
