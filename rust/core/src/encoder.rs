//! Many circuits → the request body of one API job, on all cores while circuits still come.
//!
//! Reading Qiskit's circuits needs Python's lock and takes about as long as writing their text.
//! The reader pushes one circuit after the other; other threads write them meanwhile, a batch of
//! neighbouring circuits at a time, and the reader helps when it is done. A job smaller than a
//! batch starts no thread.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use crate::{
    circuit::Circuit,
    payload::{FOOT, capacity, head, write_circuits},
};

/// Gates in a batch: about 0.2 ms of work, several times what starting a thread costs.
const GATES_PER_BATCH: usize = 4_000;

/// Writes the request body of one API job.
#[derive(Debug)]
pub struct Encoder {
    shots: u32,
    batch: Vec<Circuit>,
    gates: usize,
    num_batches: usize,
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
    max_workers: usize,
}

/// A request body in pieces.
#[derive(Debug)]
pub struct Body {
    pieces: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    /// The text of each batch, by its index.
    written: Vec<Vec<u8>>,
    closed: bool,
}

#[derive(Debug)]
struct Batch {
    index: usize,
    circuits: Vec<Circuit>,
    /// Where the text goes. Reserved by the thread that frees it: memory that a worker reserved
    /// would go back to the system with the worker.
    text: Vec<u8>,
}

impl Encoder {
    /// A job that repeats each circuit `shots` times.
    #[must_use]
    pub fn new(shots: u32) -> Self {
        Self {
            shots,
            batch: Vec::new(),
            gates: 0,
            num_batches: 0,
            queue: Arc::default(),
            workers: Vec::new(),
            max_workers: thread::available_parallelism().map_or(1, usize::from) - 1,
        }
    }

    /// Appends a circuit.
    pub fn push(&mut self, circuit: Circuit) {
        self.gates += circuit.operations().len();
        self.batch.push(circuit);
        if self.gates >= GATES_PER_BATCH {
            self.hand_over();
            if self.workers.len() < self.max_workers.min(self.num_batches) {
                let (queue, shots) = (Arc::clone(&self.queue), self.shots);
                self.workers.push(thread::spawn(move || queue.work(shots)));
            }
        }
    }

    /// Writes what is left and puts the body together.
    #[must_use]
    pub fn finish(mut self, label: Option<&str>) -> Body {
        self.hand_over();
        self.queue.close();
        self.queue.work(self.shots);
        for worker in mem::take(&mut self.workers) {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        let written = mem::take(&mut self.queue.lock().written);
        let mut pieces = Vec::with_capacity(2 * written.len() + 1);
        pieces.push(head(label));
        for text in written.into_iter().filter(|text| !text.is_empty()) {
            if pieces.len() > 1 {
                pieces.push(vec![b',']);
            }
            pieces.push(text);
        }
        pieces.push(FOOT.to_vec());
        Body { pieces }
    }

    fn hand_over(&mut self) {
        let circuits = mem::take(&mut self.batch);
        let text = Vec::with_capacity(capacity(circuits.len(), mem::take(&mut self.gates)));
        self.queue.lock().waiting.push_back(Batch { index: self.num_batches, circuits, text });
        self.queue.changed.notify_one();
        self.num_batches += 1;
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // Workers of a job that was given up have nothing left to do.
        self.queue.lock().waiting.clear();
        self.queue.close();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Writes batches until the queue is closed and empty.
    fn work(&self, shots: u32) {
        let mut state = self.lock();
        loop {
            let Some(Batch { index, circuits, mut text }) = state.waiting.pop_front() else {
                if state.closed {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            write_circuits(&mut text, &circuits, shots);
            drop(circuits);
            state = self.lock();
            if state.written.len() <= index {
                state.written.resize_with(index + 1, Vec::new);
            }
            state.written[index] = text;
        }
    }
}

impl Body {
    /// Length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a body is never empty")]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Copies the body.
    ///
    /// # Panics
    /// If `target` has another length.
    pub fn copy_to(&self, target: &mut [u8]) {
        let mut rest = target;
        for piece in &self.pieces {
            let (place, after) = rest.split_at_mut(piece.len());
            place.copy_from_slice(piece);
            rest = after;
        }
        assert!(rest.is_empty(), "the target is longer than the body");
    }

    /// The whole body in one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        circuit::{CircuitBuilder, Limits},
        operation::Operation,
    };

    fn circuit(gates: usize) -> Circuit {
        let mut builder = CircuitBuilder::new(3, 1, gates, Limits::default()).unwrap();
        for gate in 0..gates {
            let operation = match gate % 3 {
                0 => Operation::r(0, 0.25, 1.5),
                1 => Operation::rxx([2, 1], 0.5),
                _ => Operation::rz(2, -1e-7),
            };
            builder.gate(operation.unwrap()).unwrap();
        }
        builder.measure(0, 0).unwrap();
        builder.finish().unwrap()
    }

    #[test]
    fn batches_do_not_change_the_text() {
        let sizes =
            [vec![1], vec![1999; 50], vec![0, 0, 1999, 1999, 1999, 1999, 5, 1999, 0], vec![]];
        for sizes in sizes {
            let circuits: Vec<_> = sizes.into_iter().map(circuit).collect();
            let mut expected = head(Some("x"));
            write_circuits(&mut expected, &circuits, 7);
            expected.extend_from_slice(FOOT);
            for max_workers in [0, 1, 3] {
                let mut encoder = Encoder::new(7);
                encoder.max_workers = max_workers;
                circuits.iter().cloned().for_each(|circuit| encoder.push(circuit));
                let body = encoder.finish(Some("x"));
                assert_eq!(body.to_vec(), expected);
                let mut copy = vec![0; body.len()];
                body.copy_to(&mut copy);
                assert_eq!(copy, expected);
            }
        }
    }

    #[test]
    fn a_job_that_is_given_up_leaves_no_thread_behind() {
        let mut encoder = Encoder::new(1);
        for _ in 0..20 {
            encoder.push(circuit(1999));
        }
        let workers = mem::take(&mut encoder.workers);
        drop(encoder);
        for worker in workers {
            worker.join().unwrap();
        }
    }
}
