//! `aqt_fast._native`: aqt-core for Python. Thin functions; `wire.py` is the face that users see.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it has extracted")]

mod batch;
mod error;
mod outcomes;
mod qiskit;
mod request;
mod response;

use aqt_core::{Encoder, Limits, compile::Effort, payload::write_circuit};
use pyo3::{exceptions::PyRuntimeWarning, prelude::*, types::PyBytes};

/// Bodies are megabytes: the system's allocator gives them back after each job, and getting the
/// pages again takes longer than writing the text.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The codec of AQT's wire format and the reader of Qiskit's circuits.
///
/// Reading borrows from objects that only Python's lock protects against changes.
#[pymodule(gil_used = true)]
mod _native {
    use super::{
        Bound, Effort, Encoder, Limits, PyAny, PyBytes, PyErr, PyModule, PyResult,
        PyRuntimeWarning, Python, batch, pyfunction, qiskit, write_circuit,
    };

    /// A debug build is slow enough to be taken for a fault.
    #[pymodule_init]
    fn warn_about_debug_build(module: &Bound<'_, PyModule>) -> PyResult<()> {
        if cfg!(debug_assertions) {
            let category = module.py().get_type::<PyRuntimeWarning>();
            PyErr::warn(module.py(), &category, c"aqt-fast is a slow debug build", 1)?;
        }
        Ok(())
    }

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::outcomes::{Samples, experiment_data};
    #[pymodule_export]
    use super::request::{make_samples, read_job};
    #[pymodule_export]
    use super::response::{JobState, decode_direct_response, decode_response};

    /// Reads and checks `circuits`, all of them before an error lists every offender.
    #[pyfunction]
    #[pyo3(signature = (circuits, *, max_qubits, max_operations))]
    fn check_circuits(
        py: Python<'_>,
        circuits: Vec<Bound<'_, PyAny>>,
        max_qubits: u32,
        max_operations: usize,
    ) -> PyResult<()> {
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        qiskit::read_circuits(py, &circuits, limits, |_, _| ())
    }

    /// The request body of one API job.
    #[pyfunction]
    #[pyo3(signature = (circuits, shots, label, *, max_qubits, max_operations))]
    fn encode_job<'py>(
        py: Python<'py>,
        circuits: Vec<Bound<'py, PyAny>>,
        shots: u32,
        label: Option<&str>,
        max_qubits: u32,
        max_operations: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        let mut encoder = Encoder::new(shots);
        qiskit::read_circuits(py, &circuits, limits, |circuit, _| encoder.push(circuit))?;
        let body = py.detach(|| encoder.finish(label));
        batch::to_python(py, &body)
    }

    /// One circuit as direct access takes it.
    #[pyfunction]
    #[pyo3(signature = (circuit, shots, *, max_qubits, max_operations))]
    fn encode_circuit(
        circuit: Bound<'_, PyAny>,
        shots: u32,
        max_qubits: u32,
        max_operations: usize,
    ) -> PyResult<Bound<'_, PyBytes>> {
        let py = circuit.py();
        let limits = Limits { qubits: max_qubits, operations: max_operations };
        let mut text = Vec::new();
        qiskit::read_circuits(py, &[circuit], limits, |circuit, _| {
            write_circuit(&mut text, &circuit, shots);
        })?;
        Ok(PyBytes::new(py, &text))
    }

    /// Compiles circuits of any gates to AQT's operations, and tells why others cannot be compiled.
    #[pyfunction]
    #[pyo3(signature = (circuits, expand, synthesise, *, max_qubits, level))]
    fn compile_circuits<'py>(
        circuits: Vec<Bound<'py, PyAny>>,
        expand: &Bound<'py, PyAny>,
        synthesise: &Bound<'py, PyAny>,
        max_qubits: u32,
        level: u8,
    ) -> PyResult<qiskit::Outcomes<'py>> {
        let limits = Limits { qubits: max_qubits, ..Limits::default() };
        let effort = match level {
            0 => Effort::None,
            1 => Effort::Merge,
            2 => Effort::Resynthesise,
            _ => Effort::Search,
        };
        let explain = qiskit::Explain { expand, synthesise };
        qiskit::compile_circuits(&circuits, &explain, limits, effort)
    }

    /// Lowers a `DAGCircuit`: to a new one, or to the steps and the global phase that make one.
    #[pyfunction]
    fn lower_dag<'py>(
        dag: &Bound<'py, PyAny>,
        merge: bool,
        final_measurements: bool,
    ) -> PyResult<qiskit::Lowered<'py>> {
        qiskit::lower_dag(dag, merge, final_measurements)
    }

    /// Reads a `DAGCircuit` of AQT's operations and builds the same: the floor of [`lower_dag`].
    #[pyfunction]
    fn copy_dag<'py>(dag: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        qiskit::copy_dag(dag)
    }

    /// Reads every instruction of `circuits` and drops it: the floor that benchmarks compare with.
    #[pyfunction]
    fn read_instructions(py: Python<'_>, circuits: Vec<Bound<'_, PyAny>>) -> PyResult<usize> {
        qiskit::read_instructions(py, &circuits)
    }
}
