//! A circuit as blocks on two qubits each, which one matrix applies as long as there is no error.

use aqt_core::{Circuit, Operation, circuit::operation::radians};

use crate::{
    matrix::Matrix,
    noise::{Kind, Mixture, Noise, Qubits, Step},
};

/// A gate and what follows it.
pub(crate) struct Site<'noise> {
    /// The gate on the qubits of its block.
    gate: Matrix<4>,
    /// The gate with what follows it if there is no error.
    usual: Matrix<4>,
    /// Places of the gate's qubits in its block.
    places: [usize; 2],
    /// What follows.
    pub(crate) mixture: Option<&'noise Mixture>,
}

/// Neighbouring gates on the same two qubits.
pub(crate) struct Block {
    /// Two qubits of the state, in ascending order.
    pub(crate) qubits: [usize; 2],
    /// The sites, by their numbers in [`Program::sites`].
    pub(crate) sites: std::ops::Range<usize>,
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
    pub(crate) fn new(circuit: &Circuit, noise: &'noise Noise) -> Self {
        let active = circuit.active_qubits();
        let num_qubits = active.len().max(2);
        let mut drafts = Drafts::new(num_qubits);
        let place = |qubit: u32| active.partition_point(|&other| other < qubit);
        for operation in circuit.operations() {
            match *operation {
                Operation::Rz { qubit, phi } => {
                    let mixture = noise.mixture(Kind::Rz, Qubits::One(qubit));
                    drafts.add_one(place(qubit), Matrix::rz(radians(phi)), mixture);
                }
                Operation::R { qubit, phi, theta } => {
                    let mixture = noise.mixture(Kind::R, Qubits::One(qubit));
                    let matrix = Matrix::r(radians(theta), radians(phi));
                    drafts.add_one(place(qubit), matrix, mixture);
                }
                Operation::Rxx { qubits, theta } => {
                    let mixture = noise.mixture(Kind::Rxx, Qubits::Two(qubits));
                    drafts.add_two(qubits.map(place), &Matrix::rxx(radians(theta)), mixture);
                }
            }
        }
        let mut program =
            Self { num_qubits, active, blocks: vec![], sites: vec![], block_of: vec![] };
        for draft in drafts.finished() {
            program.add(draft);
        }
        program
    }

    fn add(&mut self, draft: Draft<'noise>) {
        let matrix =
            draft.sites.iter().fold(Matrix::identity(), |before, site| site.usual.after(&before));
        let start = self.sites.len();
        let number = u32::try_from(self.blocks.len()).expect("fewer blocks than operations");
        self.sites.extend(draft.sites);
        self.block_of.resize(self.sites.len(), number);
        self.blocks.push(Block { qubits: draft.qubits, sites: start..self.sites.len(), matrix });
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
        let mut events = events.iter().peekable();
        for number in block.sites.clone() {
            let site = &self.sites[number];
            match (events.next_if(|event| event.site as usize == number), site.mixture) {
                (Some(event), Some(mixture)) => {
                    matrix = site.gate.after(&matrix);
                    for step in mixture.steps(event.term as usize) {
                        if let Step::Reset(place) = step {
                            actions.push(Action::Apply(Box::new(matrix)));
                            actions.push(Action::Reset(site.places[*place]));
                            matrix = Matrix::identity();
                        } else {
                            matrix = placed(step, site.places).after(&matrix);
                        }
                    }
                }
                _ => matrix = site.usual.after(&matrix),
            }
        }
        actions.push(Action::Apply(Box::new(matrix)));
        actions
    }
}

/// The matrix of a step on the qubits of a block; that of a reset changes nothing.
fn placed(step: &Step, places: [usize; 2]) -> Matrix<4> {
    match step {
        Step::One(place, matrix) => matrix.on(places[*place]),
        Step::Two(matrix) if places == [0, 1] => **matrix,
        Step::Two(matrix) => matrix.exchanged(),
        Step::Reset(_) => Matrix::identity(),
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
        let places = qubits.map(|qubit| draft.place(qubit));
        let matrix = if places == [0, 1] { *matrix } else { matrix.exchanged() };
        draft.add(matrix, places, mixture);
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
        self.add(matrix.on(place), [place, 1 - place], mixture);
    }

    fn add(&mut self, gate: Matrix<4>, places: [usize; 2], mixture: Option<&'noise Mixture>) {
        let steps = mixture.map_or(&[][..], Mixture::usual);
        let usual = steps.iter().fold(gate, |before, step| placed(step, places).after(&before));
        self.sites.push(Site { gate, usual, places, mixture });
    }
}
