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

/// Whether Python is about to end: from now on, calls keep the lock.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Whether it ends now: who does not have the lock must not ask for it any more.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Threads that work without the lock, or return from it.
static DETACHED: AtomicUsize = AtomicUsize::new(0);

/// Those of them that ask for the lock, or are about to.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

/// How long the end waits for calls. What other modules do at the end may wait for their threads, so
/// short calls return to Python.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Does work while other threads may run Python; once Python ends, does it with the lock.
///
/// A thread whose work takes longer than the end waits never returns.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    if ENDING.load(SeqCst) {
        return work();
    }
    DETACHED.fetch_add(1, SeqCst);
    let outcome = py.detach(|| {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        RETURNING.fetch_add(1, SeqCst);
        if ENDED.load(SeqCst) {
            RETURNING.fetch_sub(1, SeqCst);
            loop {
                thread::park();
            }
        }
        outcome
    });
    RETURNING.fetch_sub(1, SeqCst);
    DETACHED.fetch_sub(1, SeqCst);
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Waits for the calls under way; after that, lets no thread return to Python without its lock.
#[pyfunction]
pub fn end_detached_calls(py: Python<'_>) {
    ENDING.store(true, SeqCst);
    py.detach(|| {
        await_none(&DETACHED);
        ENDED.store(true, SeqCst);
        await_none(&RETURNING);
    });
}

/// Counts no thread: a forked child has none of its parent's but the one that has forked.
#[pyfunction]
pub fn forget_detached_calls() {
    DETACHED.store(0, SeqCst);
    RETURNING.store(0, SeqCst);
}

fn await_none(number: &AtomicUsize) {
    let start = Instant::now();
    while number.load(SeqCst) > 0 && start.elapsed() < LONGEST_WAIT {
        thread::sleep(Duration::from_micros(200));
    }
}
