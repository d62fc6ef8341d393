//! `aqt_fast._native`: the codec, the compiler and the planner for Python.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it has extracted")]

mod compile;
mod detached;
mod error_texts;
mod estimate;
mod lower;
mod qiskit;
mod repetitions;
mod request;
mod response;
mod samples;
mod snapshot;
mod template;
mod trajectory;

use pyo3::{exceptions::PyRuntimeWarning, prelude::*};

/// Bodies are megabytes. The system's allocator returns such memory after each job; getting it back
/// takes longer than writing the text.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The codec of AQT's wire format and the reader of Qiskit's circuits.
///
/// Reading borrows from objects that only Python's lock protects against changes.
#[pymodule(gil_used = true)]
mod _native {
    use super::{Bound, PyErr, PyModule, PyResult, PyRuntimeWarning, detached};
    use pyo3::{
        types::{IntoPyDict, PyAnyMethods},
        wrap_pyfunction,
    };

    /// Prepares for the end of Python. A debug build is slow enough to look like a fault.
    ///
    /// What the package registers with `atexit` comes after this, and so runs before it.
    #[pymodule_init]
    fn begin(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let end = wrap_pyfunction!(detached::end_detached_calls, module)?;
        module.py().import("atexit")?.call_method1("register", (end,))?;
        let os = module.py().import("os")?;
        if let Ok(register) = os.getattr("register_at_fork") {
            let forget = wrap_pyfunction!(detached::forget_detached_calls, module)?;
            let options = [("after_in_child", forget)].into_py_dict(module.py())?;
            register.call((), Some(&options))?;
        }
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
    use super::compile::compile_circuits;
    #[pymodule_export]
    use super::estimate::{allocate_shots, diagonalise, expectations, group_terms, half_spreads};
    #[pymodule_export]
    use super::lower::{lower_dag, other_nodes};
    #[pymodule_export]
    use super::request::{check_circuits, count_gates, encode_job, make_samples, read_job};
    #[pymodule_export]
    use super::response::{JobState, decode_direct_response, decode_response};
    #[pymodule_export]
    use super::samples::{Samples, experiment_data};
    #[pymodule_export]
    use super::snapshot::Snapshot;
    #[pymodule_export]
    use super::template::{Template, read_template};
    #[pymodule_export]
    use super::trajectory::{Noise, sample_trajectories};
}
