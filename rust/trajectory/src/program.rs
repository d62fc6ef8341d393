//! A circuit as blocks on two qubits each, which one matrix applies as long as there is no error.

use std::ops::Range;

use aqt_core::{Circuit, Operation, circuit::operation::radians};

use crate::{
    matrix::Matrix,
    mixture::{Mixture, Step},
    noise::{Kind, Noise, Qubits},
    transfer::Transfer,
    waits::Waits,
};

/// A gate and what follows it.
pub(crate) struct Site<'noise> {
    /// The gate on the qubits of its block.
    gate: Matrix<4>,
    /// All gates of the block up to this one, with what follows them if there is no error.
    usual: Matrix<4>,
    /// Place of the gate's first qubit in its block: 0 or 1.
    place: usize,
    /// What follows.
    pub(crate) mixture: Option<&'noise Mixture>,
}

/// Neighbouring gates on the same two qubits.
pub(crate) struct Block {
    /// Two qubits of the state, in ascending order.
    pub(crate) qubits: [usize; 2],
    /// The sites, by their numbers in [`Program::sites`].
    pub(crate) sites: Range<usize>,
    /// All gates without an error.
    pub(crate) matrix: Matrix<4>,
}

/// What a block does in a trajectory.
pub(crate) enum Action {
    /// A matrix on the qubits of the block.
    Apply(Box<Matrix<4>>),
    /// Puts the qubit at this place of the block into state 0.
    Reset(usize),
}

/// An error: the site and the term of its mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) site: u32,
    pub(crate) term: u32,
}

/// A circuit that is ready to be simulated.
pub(crate) struct Program<'noise> {
    /// Number of qubits of the state: 2 or more.
    pub(crate) num_qubits: usize,
    /// The qubits of the circuit on which gates act; the state's first ones are theirs.
    pub(crate) active: Vec<u32>,
    pub(crate) blocks: Vec<Block>,
    /// Block by block.
    pub(crate) sites: Vec<Site<'noise>>,
    /// The block of each site.
    pub(crate) block_of: Vec<u32>,
}

impl<'noise> Program<'noise> {
    /// Arranges the gates of a circuit in blocks.
    pub(crate) fn new(circuit: &Circuit, noise: &'noise Noise, waits: &'noise Waits) -> Self {
        let active = circuit.active_qubits();
        let num_qubits = active.len().max(2);
        let mut drafts = Drafts::new(num_qubits);
        let place = |qubit: u32| active.partition_point(|&other| other < qubit);
        let rotation = noise.rotation();
        for (number, operation) in circuit.operations().iter().enumerate() {
            for (index, qubit) in operation.qubits().into_iter().enumerate() {
                if let Some(mixture) = waits.before(number, index) {
                    drafts.add_one(place(qubit), Matrix::identity(), Some(mixture));
                }
            }
            match *operation {
                Operation::Rz { qubit, phi } => {
                    let mixture = noise.mixture(Kind::Rz, Qubits::One(qubit));
                    drafts.add_one(place(qubit), Matrix::rz(radians(phi)), mixture);
                }
                Operation::R { qubit, phi, theta } => {
                    let mixture = noise.mixture(Kind::R, Qubits::One(qubit));
                    let matrix = Matrix::r(rotation * radians(theta), radians(phi));
                    drafts.add_one(place(qubit), matrix, mixture);
                }
                Operation::Rxx { qubits, theta } => {
                    let mixture = noise.mixture(Kind::Rxx, Qubits::Two(qubits));
                    let matrix = Matrix::rxx(rotation * radians(theta));
                    drafts.add_two(qubits.map(place), &matrix, mixture);
                }
            }
        }
        for (qubit, mixture) in waits.at_the_end() {
            drafts.add_one(place(qubit), Matrix::identity(), Some(mixture));
        }
        let mut program =
            Self { num_qubits, active, blocks: vec![], sites: vec![], block_of: vec![] };
        for draft in drafts.finished() {
            program.add(draft);
        }
        program
    }

    fn add(&mut self, draft: Draft<'noise>) {
        let start = self.sites.len();
        let number = u32::try_from(self.blocks.len()).expect("fewer blocks than operations");
        let matrix = draft.sites.last().map_or_else(Matrix::identity, |site| site.usual);
        self.sites.extend(draft.sites);
        self.block_of.resize(self.sites.len(), number);
        self.blocks.push(Block { qubits: draft.qubits, sites: start..self.sites.len(), matrix });
    }

    /// The expected number of errors in a shot.
    pub(crate) fn errors(&self) -> f64 {
        self.sites.iter().filter_map(|site| site.mixture).map(|mixture| mixture.error).sum()
    }

    /// Whether an error resets a qubit.
    pub(crate) fn is_reset(&self, event: Event) -> bool {
        let mixture = self.sites[event.site as usize].mixture;
        mixture.is_some_and(|mixture| {
            mixture.steps(event.term as usize).iter().any(|step| matches!(step, Step::Reset(_)))
        })
    }

    /// What a block does if these errors happen, which are its own, in order.
    pub(crate) fn actions(&self, block: &Block, events: &[Event]) -> Vec<Action> {
        let mut actions = vec![];
        let mut matrix = Matrix::identity();
        let mut done = block.sites.start;
        for event in events {
            let number = event.site as usize;
            let site = &self.sites[number];
            matrix = site.gate.after(&self.between(block, done..number, &matrix));
            done = number + 1;
            for step in site.mixture.map_or(&[][..], |mixture| mixture.steps(event.term as usize)) {
                if let Step::Reset(place) = step {
                    actions.push(Action::Apply(Box::new(matrix)));
                    actions.push(Action::Reset(place ^ site.place));
                    matrix = Matrix::identity();
                } else {
                    matrix = step.placed(site.place).after(&matrix);
                }
            }
        }
        matrix = self.between(block, done..block.sites.end, &matrix);
        actions.push(Action::Apply(Box::new(matrix)));
        actions
    }

    /// A block as a channel, its errors included.
    pub(crate) fn channel(&self, block: &Block) -> Transfer {
        let mut channel = Transfer::identity();
        let mut matrix = Matrix::identity();
        for site in &self.sites[block.sites.clone()] {
            matrix = site.gate.after(&matrix);
            if let Some(mixture) = site.mixture {
                channel = mixture.channel(site.place).after(&Transfer::of(&matrix).after(&channel));
                matrix = Matrix::identity();
            }
        }
        Transfer::of(&matrix).after(&channel)
    }

    /// A matrix, followed by some of the gates of a block without an error.
    fn between(&self, block: &Block, sites: Range<usize>, first: &Matrix<4>) -> Matrix<4> {
        if sites.is_empty() {
            return *first;
        }
        let until = &self.sites[sites.end - 1].usual;
        if sites.start == block.sites.start {
            return until.after(first);
        }
        until.after(&self.sites[sites.start - 1].usual.adjoint().after(first))
    }
}

/// A block that grows.
struct Draft<'noise> {
    qubits: [usize; 2],
    sites: Vec<Site<'noise>>,
}

/// A gate on one qubit that has no block yet.
type Waiting<'noise> = (Matrix<2>, Option<&'noise Mixture>);

/// Blocks that grow. A gate joins the last block of its qubits: it commutes with what follows that
/// block on other qubits.
struct Drafts<'noise> {
    begun: Vec<Draft<'noise>>,
    /// The last block of each qubit.
    last: Vec<Option<usize>>,
    /// The gates of each qubit before its first block.
    waiting: Vec<Vec<Waiting<'noise>>>,
}

impl<'noise> Drafts<'noise> {
    fn new(num_qubits: usize) -> Self {
        let waiting = (0..num_qubits).map(|_| vec![]).collect();
        Self { begun: vec![], last: vec![None; num_qubits], waiting }
    }

    fn add_one(&mut self, qubit: usize, matrix: Matrix<2>, mixture: Option<&'noise Mixture>) {
        match self.last[qubit] {
            Some(number) => self.begun[number].add_one(qubit, &matrix, mixture),
            None => self.waiting[qubit].push((matrix, mixture)),
        }
    }

    fn add_two(
        &mut self,
        qubits: [usize; 2],
        matrix: &Matrix<4>,
        mixture: Option<&'noise Mixture>,
    ) {
        let number = self.on(qubits);
        let draft = &mut self.begun[number];
        let place = draft.place(qubits[0]);
        let matrix = if place == 0 { *matrix } else { matrix.exchanged() };
        draft.add(matrix, place, mixture);
    }

    /// The block for a gate on two qubits: a new one unless their last block is the same.
    fn on(&mut self, qubits: [usize; 2]) -> usize {
        let [last, other] = qubits.map(|qubit| self.last[qubit]);
        if let Some(number) = last
            && last == other
        {
            return number;
        }
        let mut sorted = qubits;
        sorted.sort_unstable();
        let mut draft = Draft { qubits: sorted, sites: vec![] };
        for qubit in sorted {
            for (matrix, mixture) in self.waiting[qubit].drain(..) {
                draft.add_one(qubit, &matrix, mixture);
            }
            self.last[qubit] = Some(self.begun.len());
        }
        self.begun.push(draft);
        self.begun.len() - 1
    }

    /// All blocks in order, with new ones for the qubits that have none.
    fn finished(mut self) -> Vec<Draft<'noise>> {
        let lone: Vec<_> =
            (0..self.waiting.len()).filter(|&qubit| !self.waiting[qubit].is_empty()).collect();
        for pair in lone.chunks(2) {
            let partner = pair.get(1).copied().unwrap_or(usize::from(pair[0] == 0));
            self.on([pair[0], partner]);
        }
        self.begun
    }
}

impl<'noise> Draft<'noise> {
    fn place(&self, qubit: usize) -> usize {
        usize::from(self.qubits[1] == qubit)
    }

    fn add_one(&mut self, qubit: usize, matrix: &Matrix<2>, mixture: Option<&'noise Mixture>) {
        let place = self.place(qubit);
        self.add(matrix.on(place), place, mixture);
    }

    fn add(&mut self, gate: Matrix<4>, place: usize, mixture: Option<&'noise Mixture>) {
        let before = self.sites.last().map_or_else(Matrix::identity, |site| site.usual);
        let steps = mixture.map_or(&[][..], Mixture::usual);
        let usual = steps
            .iter()
            .fold(gate.after(&before), |before, step| step.placed(place).after(&before));
        self.sites.push(Site { gate, usual, place, mixture });
    }
}
