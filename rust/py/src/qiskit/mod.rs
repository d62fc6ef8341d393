//! Qiskit's circuits and DAGs, read and built through the function table that Qiskit exports to
//! extension modules (`qiskit.capi`, from version 2.4 on). All unsafe code of the project is in
//! this folder.
//!
//! The table is an array of function pointers in a capsule. Slots and signatures are those of
//! `funcs_py_generated.h` and `types.h` in Qiskit's headers; between 2.4.1 and 2.6.2 no slot
//! moved. A slot is called only if the version says that the table has it, and before the first
//! use a known circuit is read and compared.

mod circuit;
mod compile;
mod dag;

use std::{
    ffi::{CStr, c_char, c_void},
    mem::MaybeUninit,
    slice,
};

use pyo3::{ffi, prelude::*, sync::PyOnceLock};

pub use self::{
    circuit::{measurement_map, read_circuits, read_instructions},
    compile::{Explain, Outcomes, compile_circuits},
    dag::{Lowered, copy_dag, lower_dag},
};
use crate::error;

const CAPSULE: &CStr = c"qiskit._accelerate.capi.QK_FFI_CIRCUIT";

/// Versions as `qk_api_version` writes them: `0xMMmmppLS`.
const OLDEST: u32 = 0x0204_0000;
const WITH_VIEWS: u32 = 0x0206_0000;
const TOO_NEW: u32 = 0x0300_0000;

/// `QkCircuit`, `QkDag` and `QkParam`, which only Qiskit can look into.
#[repr(C)]
struct QkCircuit {
    _private: [u8; 0],
}
#[repr(C)]
struct QkDag {
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
type CircuitCount = unsafe extern "C" fn(*const QkCircuit) -> u32;
type CircuitLength = unsafe extern "C" fn(*const QkCircuit) -> usize;
type CircuitKind = unsafe extern "C" fn(*const QkCircuit, usize) -> u8;
type CircuitGet = unsafe extern "C" fn(*const QkCircuit, usize, *mut OwnedInstruction);
type CircuitView = unsafe extern "C" fn(*const QkCircuit, usize, *mut InstructionView);
type CircuitBorrow = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut QkCircuit;
type CircuitGate = unsafe extern "C" fn(*mut QkCircuit, u8, *const u32, *const f64) -> u32;
type CircuitMeasure = unsafe extern "C" fn(*mut QkCircuit, u32, u32) -> u32;
type CircuitBarrier = unsafe extern "C" fn(*mut QkCircuit, *const u32, u32) -> u32;
type ClearInstruction = unsafe extern "C" fn(*mut OwnedInstruction);
type DagCount = unsafe extern "C" fn(*const QkDag) -> u32;
type DagLength = unsafe extern "C" fn(*const QkDag) -> usize;
type DagKind = unsafe extern "C" fn(*const QkDag, u32) -> u8;
type DagNodeCount = unsafe extern "C" fn(*const QkDag, u32) -> u32;
type DagNodeQubits = unsafe extern "C" fn(*const QkDag, u32) -> *const u32;
type DagGet = unsafe extern "C" fn(*const QkDag, u32, *mut OwnedInstruction);
type DagView = unsafe extern "C" fn(*const QkDag, u32, *mut InstructionView);
type DagNodes = unsafe extern "C" fn(*const QkDag, *mut u32);
type DagApplyGate = unsafe extern "C" fn(*mut QkDag, u8, *const u32, *const f64, bool) -> u32;
type DagApplyMeasure = unsafe extern "C" fn(*mut QkDag, u32, u32, bool) -> u32;
type DagApplyBarrier = unsafe extern "C" fn(*mut QkDag, *const u32, u32, bool) -> u32;
type DagBorrow = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut QkDag;
type ParamAsReal = unsafe extern "C" fn(*const QkParam) -> f64;
type ParamKind = unsafe extern "C" fn(*const QkParam) -> u8;
type ParamStride = unsafe extern "C" fn() -> usize;

/// `QkOperationKind`, as far as it matters here.
mod kind {
    pub const GATE: u8 = 0;
    pub const BARRIER: u8 = 1;
    pub const DELAY: u8 = 2;
    pub const MEASURE: u8 = 3;
    pub const RESET: u8 = 4;
    pub const CONTROL_FLOW: u8 = 7;
}

/// How to read one instruction.
enum Access {
    View { circuit: CircuitView, dag: DagView, params: ParamAccess },
    Copy { circuit: CircuitGet, dag: DagGet, clear: ClearInstruction },
}

/// How to read the parameters of a view.
#[derive(Clone, Copy)]
struct ParamAccess {
    stride: usize,
    kind: ParamKind,
}

/// `QkParamKind_Unknown`: any Python object. Asking for its value ends the process, and so does
/// copying the instruction, which leaves Qiskit below 2.6 without protection against it.
const PARAM_UNKNOWN: u8 = 0;

/// The entries of Qiskit's circuit table that are used here.
struct Table {
    circuit_num_qubits: CircuitCount,
    circuit_num_clbits: CircuitCount,
    circuit_num_instructions: CircuitLength,
    circuit_instruction_kind: CircuitKind,
    circuit_borrow_from_python: CircuitBorrow,
    circuit_gate: CircuitGate,
    circuit_measure: CircuitMeasure,
    circuit_barrier: CircuitBarrier,
    dag_num_qubits: DagCount,
    dag_num_op_nodes: DagLength,
    dag_op_node_kind: DagKind,
    dag_op_node_num_qubits: DagNodeCount,
    dag_op_node_qubits: DagNodeQubits,
    dag_topological_op_nodes: DagNodes,
    dag_apply_gate: DagApplyGate,
    dag_apply_measure: DagApplyMeasure,
    dag_apply_barrier: DagApplyBarrier,
    dag_borrow_from_python: DagBorrow,
    param_as_real: ParamAsReal,
    access: Access,
}

/// What Qiskit tells about a standard instruction.
struct Parts<'a> {
    name: &'a [u8],
    qubits: &'a [u32],
    clbits: &'a [u32],
    num_params: usize,
    /// The parameter with a number below `num_params`; NaN if it has no value.
    param: &'a dyn Fn(usize) -> f64,
}

impl Table {
    /// The table of the installed Qiskit, tried out once.
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static TABLE: PyOnceLock<Table> = PyOnceLock::new();
        TABLE.get_or_try_init(py, || {
            let version: String = py.import("qiskit")?.getattr("__version__")?.extract()?;
            let unsupported = |reason: &str| error::unsupported_qiskit(py, &version, reason);
            let table = Self::load(py)?.map_err(|reason| unsupported(&reason))?;
            if !circuit::reads_known_circuit(py, &table)? {
                return Err(unsupported("a known circuit reads differently"));
            }
            Ok(table)
        })
    }

    /// The table, or why it cannot be used.
    fn load(py: Python<'_>) -> PyResult<Result<Self, String>> {
        py.import("qiskit._accelerate")?;
        // SAFETY: attached to the interpreter, and the name is a C string.
        let table = unsafe { ffi::PyCapsule_Import(CAPSULE.as_ptr(), 0) }.cast::<*const c_void>();
        if table.is_null() {
            drop(PyErr::take(py));
            return Ok(Err("it does not export its C API to extension modules".to_owned()));
        }
        // SAFETY: slot 0 exists since the table does, and holds `qk_api_version`.
        let api_version = unsafe { std::mem::transmute::<*const c_void, ApiVersion>(*table)() };
        if !(OLDEST..TOO_NEW).contains(&api_version) {
            return Ok(Err(format!("its C API has version {api_version:#010x}")));
        }
        // SAFETY: the slots below are in the table of every supported version with these
        // signatures, 94, 147, 231 and 233 from 2.6 on. Function pointers are never null there.
        unsafe {
            macro_rules! slot {
                ($index:literal as $signature:ty) => {
                    std::mem::transmute::<*const c_void, $signature>(*table.add($index))
                };
            }
            let access = if api_version >= WITH_VIEWS {
                Access::View {
                    circuit: slot!(94 as CircuitView),
                    dag: slot!(147 as DagView),
                    params: ParamAccess {
                        stride: slot!(231 as ParamStride)(),
                        kind: slot!(233 as ParamKind),
                    },
                }
            } else {
                Access::Copy {
                    circuit: slot!(31 as CircuitGet),
                    dag: slot!(133 as DagGet),
                    clear: slot!(32 as ClearInstruction),
                }
            };
            Ok(Ok(Self {
                circuit_num_qubits: slot!(13 as CircuitCount),
                circuit_num_clbits: slot!(14 as CircuitCount),
                circuit_num_instructions: slot!(30 as CircuitLength),
                circuit_instruction_kind: slot!(28 as CircuitKind),
                circuit_borrow_from_python: slot!(41 as CircuitBorrow),
                circuit_gate: slot!(16 as CircuitGate),
                circuit_measure: slot!(19 as CircuitMeasure),
                circuit_barrier: slot!(21 as CircuitBarrier),
                dag_num_qubits: slot!(108 as DagCount),
                dag_num_op_nodes: slot!(110 as DagLength),
                dag_op_node_kind: slot!(129 as DagKind),
                dag_op_node_num_qubits: slot!(117 as DagNodeCount),
                dag_op_node_qubits: slot!(120 as DagNodeQubits),
                dag_topological_op_nodes: slot!(137 as DagNodes),
                dag_apply_gate: slot!(122 as DagApplyGate),
                dag_apply_measure: slot!(123 as DagApplyMeasure),
                dag_apply_barrier: slot!(125 as DagApplyBarrier),
                dag_borrow_from_python: slot!(141 as DagBorrow),
                param_as_real: slot!(230 as ParamAsReal),
                access,
            }))
        }
    }

    /// Reads an instruction that `fill` writes a view of.
    ///
    /// # Safety
    /// `fill` must write the whole struct, with pointers that stay valid while `read` runs.
    unsafe fn read_view<T>(
        &self,
        fill: impl FnOnce(*mut InstructionView),
        params: ParamAccess,
        read: impl FnOnce(&Parts<'_>) -> T,
    ) -> T {
        let mut instruction = MaybeUninit::uninit();
        fill(instruction.as_mut_ptr());
        // SAFETY: the caller vouches for struct and pointers; parameters are `stride` bytes apart,
        // and `param` is called with numbers below `num_params`.
        unsafe {
            let instruction: &InstructionView = instruction.assume_init_ref();
            let param = |number: usize| {
                let param = instruction.params.cast::<u8>().add(number * params.stride).cast();
                if (params.kind)(param) == PARAM_UNKNOWN {
                    return f64::NAN;
                }
                (self.param_as_real)(param)
            };
            read(&Parts {
                name: as_slice(instruction.name.cast(), instruction.name_len),
                qubits: as_slice(instruction.qubits, instruction.num_qubits as usize),
                clbits: as_slice(instruction.clbits, instruction.num_clbits as usize),
                num_params: instruction.num_params,
                param: &param,
            })
        }
    }

    /// Reads an instruction that `fill` writes a copy of.
    ///
    /// # Safety
    /// `fill` must write the whole struct, and `clear` must free what it points to.
    unsafe fn read_copy<T>(
        &self,
        fill: impl FnOnce(*mut OwnedInstruction),
        clear: ClearInstruction,
        read: impl FnOnce(&Parts<'_>) -> T,
    ) -> T {
        let mut instruction = MaybeUninit::uninit();
        fill(instruction.as_mut_ptr());
        // SAFETY: the caller vouches for the struct. It is read only before `clear`, which is
        // called exactly once; `param` is called with numbers below `num_params`.
        unsafe {
            let instruction: &mut OwnedInstruction = instruction.assume_init_mut();
            let param = |number: usize| (self.param_as_real)(*instruction.params.add(number));
            let value = read(&Parts {
                name: CStr::from_ptr(instruction.name).to_bytes(),
                qubits: as_slice(instruction.qubits, instruction.num_qubits as usize),
                clbits: as_slice(instruction.clbits, instruction.num_clbits as usize),
                num_params: instruction.num_params as usize,
                param: &param,
            });
            clear(instruction);
            value
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
