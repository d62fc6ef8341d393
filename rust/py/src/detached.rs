//! Work without Python's lock, by threads that outlive the interpreter.
//!
//! Up to Python 3.13 the interpreter ends a daemon thread where it asks for the lock: `pthread_exit`
//! unwinds its stack. With our frames on it, that is a crash. So none asks once Python ends: see
//! <https://docs.python.org/3.13/c-api/init.html#c.PyEval_RestoreThread>.

use pyo3::prelude::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// Whether Python is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Threads that ask for the lock, or are about to.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

/// After a fork the count may include threads that the child does not have.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Does work while other threads may run Python; once Python ends, does it with the lock.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    if ENDING.load(SeqCst) {
        return work();
    }
    let outcome = py.detach(|| {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        RETURNING.fetch_add(1, SeqCst);
        if ENDING.load(SeqCst) {
            RETURNING.fetch_sub(1, SeqCst);
            loop {
                thread::park();
            }
        }
        outcome
    });
    RETURNING.fetch_sub(1, SeqCst);
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Lets no thread return to Python from now on that does not hold its lock. For the end of Python.
#[pyfunction]
pub fn end_detached_calls(py: Python<'_>) {
    ENDING.store(true, SeqCst);
    py.detach(|| {
        let start = Instant::now();
        while RETURNING.load(SeqCst) > 0 && start.elapsed() < LONGEST_WAIT {
            thread::sleep(Duration::from_micros(200));
        }
    });
}
