//! Qiskit's standard gates as the compiler's.

use aqt_compile::gates::Gate;

use super::capi::Parts;

/// What a standard instruction of Qiskit is to the compiler.
pub enum StandardGate {
    /// A gate and its qubits; entries beyond its number of qubits have no meaning.
    Known(Gate, [u32; 4]),
    /// A gate one of whose parameters, by its index, is no finite number.
    NotFinite { param: usize },
    /// A gate that the compiler does not know.
    Unknown,
}

impl StandardGate {
    /// Whether it certainly leaves a qubit in |0⟩ that is in |0⟩.
    pub fn keeps_zero(&self) -> bool {
        matches!(self, Self::Known(gate, _) if gate.keeps_zero())
    }
}

/// The gate of a standard instruction.
pub fn standard_gate(parts: &Parts<'_>) -> StandardGate {
    let (mut params, mut qubits) = ([0.0; 4], [0; 4]);
    let num_qubits = parts.qubits.len();
    let (Some(params), Some(places)) =
        (params.get_mut(..parts.num_params), qubits.get_mut(..num_qubits))
    else {
        return StandardGate::Unknown;
    };
    places.copy_from_slice(parts.qubits);
    for (index, param) in params.iter_mut().enumerate() {
        *param = (parts.param)(index);
        if !param.is_finite() {
            return StandardGate::NotFinite { param: index };
        }
    }
    match Gate::standard(parts.name, num_qubits, params) {
        Some(gate) => StandardGate::Known(gate, qubits),
        None => StandardGate::Unknown,
    }
}
