//! The function table that Qiskit exports to extension modules, in a capsule (`qiskit.capi`).
//!
//! Slots and signatures are those of `funcs_py_generated.h` and `types.h` in Qiskit's headers. From
//! 2.4 to 2.6 no slot moved. [`Table::load`] refuses other versions before it calls any slot.

use std::{
    ffi::{CStr, c_char, c_void},
    mem::{self, MaybeUninit},
    slice,
};

use pyo3::{ffi, prelude::*};

use super::version;
use crate::error_texts::QiskitFault;

const CAPSULE: &CStr = c"qiskit._accelerate.capi.QK_FFI_CIRCUIT";

/// The first version whose table has views of instructions.
const WITH_VIEWS: (u32, u32) = (2, 6);

/// `QkCircuit`, `QkDag` and `QkParam`: opaque to all but Qiskit.
#[repr(C)]
pub struct QkCircuit {
    _private: [u8; 0],
}
#[repr(C)]
pub struct QkDag {
    _private: [u8; 0],
}
#[repr(C)]
pub struct QkParam {
    _private: [u8; 0],
}

/// `QkCircuitInstructionView` (2.6 on): borrowed from the circuit.
#[repr(C)]
pub struct InstructionView {
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
pub struct OwnedInstruction {
    name: *mut c_char,
    qubits: *mut u32,
    clbits: *mut u32,
    params: *mut *mut QkParam,
    num_qubits: u32,
    num_clbits: u32,
    num_params: u32,
}

pub type ApiVersion = unsafe extern "C" fn() -> u32;
pub type CircuitCount = unsafe extern "C" fn(*const QkCircuit) -> u32;
pub type CircuitLength = unsafe extern "C" fn(*const QkCircuit) -> usize;
pub type CircuitKind = unsafe extern "C" fn(*const QkCircuit, usize) -> u8;
pub type CircuitGet = unsafe extern "C" fn(*const QkCircuit, usize, *mut OwnedInstruction);
pub type CircuitView = unsafe extern "C" fn(*const QkCircuit, usize, *mut InstructionView);
pub type CircuitBorrow = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut QkCircuit;
pub type CircuitGate = unsafe extern "C" fn(*mut QkCircuit, u8, *const u32, *const f64) -> u32;
pub type CircuitMeasure = unsafe extern "C" fn(*mut QkCircuit, u32, u32) -> u32;
pub type CircuitBarrier = unsafe extern "C" fn(*mut QkCircuit, *const u32, u32) -> u32;
pub type ClearInstruction = unsafe extern "C" fn(*mut OwnedInstruction);
pub type DagCount = unsafe extern "C" fn(*const QkDag) -> u32;
pub type DagLength = unsafe extern "C" fn(*const QkDag) -> usize;
pub type DagKind = unsafe extern "C" fn(*const QkDag, u32) -> u8;
pub type DagNodeCount = unsafe extern "C" fn(*const QkDag, u32) -> u32;
pub type DagNodeQubits = unsafe extern "C" fn(*const QkDag, u32) -> *const u32;
pub type DagGet = unsafe extern "C" fn(*const QkDag, u32, *mut OwnedInstruction);
pub type DagView = unsafe extern "C" fn(*const QkDag, u32, *mut InstructionView);
pub type DagNodes = unsafe extern "C" fn(*const QkDag, *mut u32);
pub type DagApplyGate = unsafe extern "C" fn(*mut QkDag, u8, *const u32, *const f64, bool) -> u32;
pub type DagApplyMeasure = unsafe extern "C" fn(*mut QkDag, u32, u32, bool) -> u32;
pub type DagApplyBarrier = unsafe extern "C" fn(*mut QkDag, *const u32, u32, bool) -> u32;
pub type DagBorrow = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut QkDag;
pub type ParamAsReal = unsafe extern "C" fn(*const QkParam) -> f64;
pub type ParamKind = unsafe extern "C" fn(*const QkParam) -> u8;
pub type ParamStride = unsafe extern "C" fn() -> usize;

/// The values of `QkOperationKind` that need different treatment.
pub mod kind {
    pub const GATE: u8 = 0;
    pub const BARRIER: u8 = 1;
    pub const DELAY: u8 = 2;
    pub const MEASURE: u8 = 3;
    pub const RESET: u8 = 4;
    pub const CONTROL_FLOW: u8 = 7;
    /// An object of Python that the native data model does not know.
    pub const UNKNOWN: u8 = 8;
}

/// The values of `QkGate` for AQT's gates.
pub mod gate {
    pub const R: u8 = 7;
    pub const RZ: u8 = 10;
    pub const RXX: u8 = 39;
}

/// The slots that read one instruction.
pub enum Access {
    View { circuit: CircuitView, dag: DagView, params: ParamAccess },
    Copy { circuit: CircuitGet, dag: DagGet, clear: ClearInstruction },
}

/// The slots that read the parameters of a view.
#[derive(Clone, Copy)]
pub struct ParamAccess {
    stride: usize,
    kind: ParamKind,
}

/// `QkParamKind_Unknown`: any Python object. Reading its value ends the process. So does copying the
/// instruction, which Qiskit below 2.6 requires: there is no protection there.
const PARAM_UNKNOWN: u8 = 0;

/// The slots of Qiskit's circuit table in use.
pub struct Table {
    pub circuit_num_qubits: CircuitCount,
    pub circuit_num_clbits: CircuitCount,
    pub circuit_num_instructions: CircuitLength,
    pub circuit_instruction_kind: CircuitKind,
    pub circuit_borrow_from_python: CircuitBorrow,
    pub circuit_gate: CircuitGate,
    pub circuit_measure: CircuitMeasure,
    pub circuit_barrier: CircuitBarrier,
    pub dag_num_qubits: DagCount,
    pub dag_num_clbits: DagCount,
    pub dag_num_op_nodes: DagLength,
    pub dag_op_node_kind: DagKind,
    pub dag_op_node_num_qubits: DagNodeCount,
    pub dag_op_node_qubits: DagNodeQubits,
    pub dag_topological_op_nodes: DagNodes,
    pub dag_apply_gate: DagApplyGate,
    pub dag_apply_measure: DagApplyMeasure,
    pub dag_apply_barrier: DagApplyBarrier,
    pub dag_borrow_from_python: DagBorrow,
    pub param_as_real: ParamAsReal,
    pub access: Access,
}

/// A standard instruction, borrowed from Qiskit.
pub struct Parts<'a> {
    pub name: &'a [u8],
    pub qubits: &'a [u32],
    pub clbits: &'a [u32],
    pub num_params: usize,
    /// The value of the parameter with an index below `num_params`; NaN if it has none.
    pub param: &'a dyn Fn(usize) -> f64,
}

impl Table {
    /// The table of the Qiskit that has this version, or why it cannot be used.
    pub fn load(py: Python<'_>, version: &str) -> PyResult<Result<Self, QiskitFault>> {
        let Some(version) = version::tested(version) else {
            return Ok(Err(QiskitFault::Untested));
        };
        py.import("qiskit._accelerate")?;
        // SAFETY: attached to the interpreter, and the name is a C string.
        let table = unsafe { ffi::PyCapsule_Import(CAPSULE.as_ptr(), 0) }.cast::<*const c_void>();
        if table.is_null() {
            drop(PyErr::take(py));
            return Ok(Err(QiskitFault::NoTable));
        }
        // SAFETY: slot 0 of the table of all tested versions holds `qk_api_version`.
        let api_version = unsafe { mem::transmute::<*const c_void, ApiVersion>(*table)() };
        if version::of_api(api_version) != version {
            return Ok(Err(QiskitFault::OtherTable { api_version }));
        }
        // SAFETY: the table of every tested version has these slots with these signatures, and 94,
        // 147, 231 and 233 from 2.6 on. None of them is null.
        unsafe {
            macro_rules! slot {
                ($index:literal as $signature:ty) => {
                    mem::transmute::<*const c_void, $signature>(*table.add($index))
                };
            }
            let access = if version >= WITH_VIEWS {
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
                dag_num_clbits: slot!(109 as DagCount),
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
    pub unsafe fn read_view<T>(
        &self,
        fill: impl FnOnce(*mut InstructionView),
        params: ParamAccess,
        read: impl FnOnce(&Parts<'_>) -> T,
    ) -> T {
        let mut instruction = MaybeUninit::uninit();
        fill(instruction.as_mut_ptr());
        // SAFETY: the caller guarantees a whole struct with valid pointers. Parameters are `stride`
        // bytes apart, and callers of `param` stay below `num_params`.
        unsafe {
            let instruction: &InstructionView = instruction.assume_init_ref();
            let param = |index: usize| {
                let param = instruction.params.cast::<u8>().add(index * params.stride).cast();
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
    pub unsafe fn read_copy<T>(
        &self,
        fill: impl FnOnce(*mut OwnedInstruction),
        clear: ClearInstruction,
        read: impl FnOnce(&Parts<'_>) -> T,
    ) -> T {
        let mut instruction = MaybeUninit::uninit();
        fill(instruction.as_mut_ptr());
        // SAFETY: the caller guarantees a whole struct. `clear` runs once, after the last read.
        // Callers of `param` stay below `num_params`.
        unsafe {
            let instruction: &mut OwnedInstruction = instruction.assume_init_mut();
            let param = |index: usize| (self.param_as_real)(*instruction.params.add(index));
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

/// A slice; if it is empty, of any pointer.
///
/// # Safety
/// If `len` is not 0, `data` must point to `len` valid elements that outlive `'a`.
pub unsafe fn as_slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller guarantees `len` valid elements.
    unsafe { slice::from_raw_parts(data, len) }
}
