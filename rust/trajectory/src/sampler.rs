//! Outcomes of a circuit, shot by shot.

use aqt_core::{Circuit, Samples};

use crate::{
    cost::{Method, cheaper},
    density::Density,
    events::Events,
    matrix::Matrix,
    noise::Noise,
    outcomes::Outcomes,
    program::{Action, Block, Event, Program},
    random::Random,
    rows::Rows,
    state::{LANES, States},
    waits::Waits,
};

/// Samples the outcomes of a circuit. Shots are independent of each other, in any order.
///
/// The method that is expected to take less time is used unless one is given.
///
/// # Panics
/// If the amplitudes do not fit into the memory.
#[must_use]
pub fn sample(
    circuit: &Circuit,
    noise: &Noise,
    shots: u32,
    seed: u64,
    method: Option<Method>,
) -> Samples {
    let waits = Waits::new(circuit, noise.waiting());
    let program = Program::new(circuit, noise, &waits);
    let mut random = Random::new(seed);
    let width = circuit.num_qubits() as usize;
    let mut rows = Rows::new(width, shots as usize);
    match method.unwrap_or_else(|| cheaper(&program, shots)) {
        Method::Density => {
            let mut density = Density::new(program.num_qubits);
            for block in &program.blocks {
                density.apply(block.qubits, &program.channel(block));
            }
            let outcomes = Outcomes::new(density.probabilities());
            for shot in 0..shots as usize {
                rows.set(shot, outcomes.draw(&mut random), &program.active);
            }
        }
        Method::Trajectories => {
            let mut simulation = Simulation::new(&program);
            let most = shots_at_a_time(program.errors());
            let mut first = 0;
            while first < shots {
                let number = most.min(shots - first);
                let outcomes = simulation.outcomes(number, &mut random);
                for (shot, outcome) in (first as usize..).zip(outcomes) {
                    rows.set(shot, outcome, &program.active);
                }
                first += number;
            }
        }
    }
    for qubit in 0..circuit.num_qubits() {
        rows.flip(qubit, noise.readout(qubit), &mut random);
    }
    Samples::new(shots as usize, width, rows.bytes).expect("rows fit")
}

/// Shots whose errors take a few dozen megabytes.
fn shots_at_a_time(errors: f64) -> u32 {
    const MOST_EVENTS: f64 = 4e6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let shots = (MOST_EVENTS / (1.0 + errors)) as u32;
    shots.max(1)
}

/// Shots with the same errors.
struct Group<'a> {
    events: &'a [Event],
    shots: &'a [u32],
}

/// The states that a simulation works on.
struct Simulation<'a> {
    program: &'a Program<'a>,
    without_errors: States,
    states: States,
}

impl<'a> Simulation<'a> {
    fn new(program: &'a Program<'a>) -> Self {
        let states = States::new(program.num_qubits);
        Self { program, without_errors: states.clone(), states }
    }

    /// The outcome of each of so many shots: bit `i` is the `i`th active qubit.
    fn outcomes(&mut self, shots: u32, random: &mut Random) -> Vec<usize> {
        let program = self.program;
        let mut outcomes = vec![0; shots as usize];
        let events = Events::draw(&program.sites, shots, random);
        let order = events.order();
        let groups = self.groups(&events, &order);
        self.without_errors = States::new(program.num_qubits);
        let mut reached = 0;
        for batch in groups.chunks(LANES) {
            let start = program.block_of[batch[0].events[0].site as usize] as usize;
            for block in &program.blocks[reached..start] {
                self.without_errors.apply(block.qubits, &block.matrix);
            }
            reached = start;
            self.states.copy_from(&self.without_errors);
            self.run(batch, start, random);
            for (lane, group) in batch.iter().enumerate() {
                let found = Outcomes::new(self.states.probabilities(lane));
                for &shot in group.shots {
                    outcomes[shot as usize] = found.draw(random);
                }
            }
        }
        let rest = events.without();
        if !rest.is_empty() {
            for block in &program.blocks[reached..] {
                self.without_errors.apply(block.qubits, &block.matrix);
            }
            let found = Outcomes::new(self.without_errors.probabilities(0));
            for shot in rest {
                outcomes[shot as usize] = found.draw(random);
            }
        }
        outcomes
    }

    /// Groups of shots in the order of their errors. Shots with a reset are on their own: what a
    /// reset finds may differ.
    fn groups<'e>(&self, events: &'e Events, order: &'e [u32]) -> Vec<Group<'e>> {
        let alike =
            |a: &u32, b: &u32| events.of(*a) == events.of(*b) && !self.has_reset(events.of(*a));
        order.chunk_by(alike).map(|shots| Group { events: events.of(shots[0]), shots }).collect()
    }

    fn has_reset(&self, events: &[Event]) -> bool {
        events.iter().any(|event| self.program.is_reset(*event))
    }

    /// Applies all blocks from `start` on to the trajectories of some groups.
    fn run(&mut self, batch: &[Group], start: usize, random: &mut Random) {
        let program = self.program;
        let mut pending: Vec<&[Event]> = batch.iter().map(|group| group.events).collect();
        for block in &program.blocks[start..] {
            let mut actions: Vec<Vec<Action>> = vec![];
            for (lane, events) in pending.iter_mut().enumerate() {
                let number =
                    events.iter().take_while(|event| block.sites.contains(&(event.site as usize)));
                let (now, later) = events.split_at(number.count());
                if !now.is_empty() {
                    actions.resize_with(lane, Vec::new);
                    actions.push(program.actions(block, now));
                    *events = later;
                }
            }
            if actions.is_empty() {
                self.states.apply(block.qubits, &block.matrix);
            } else {
                self.act(block, actions, random);
            }
        }
    }

    /// Does to each trajectory what is to be done, and applies the block to those without actions.
    fn act(&mut self, block: &Block, mut actions: Vec<Vec<Action>>, random: &mut Random) {
        actions.resize_with(LANES, Vec::new);
        for own in &mut actions {
            if own.is_empty() {
                own.push(Action::Apply(Box::new(block.matrix)));
            }
        }
        let mut lanes: Vec<_> = actions.into_iter().map(|own| own.into_iter().peekable()).collect();
        while lanes.iter_mut().any(|own| own.peek().is_some()) {
            let mut matrices = [Matrix::identity(); LANES];
            for (matrix, own) in matrices.iter_mut().zip(&mut lanes) {
                if let Some(Action::Apply(found)) =
                    own.next_if(|action| matches!(action, Action::Apply(_)))
                {
                    *matrix = *found;
                }
            }
            self.states.apply_each(block.qubits, &matrices);
            for (lane, own) in lanes.iter_mut().enumerate() {
                while let Some(Action::Reset(place)) =
                    own.next_if(|action| matches!(action, Action::Reset(_)))
                {
                    let qubit = block.qubits[place];
                    let one = self.states.probability_of_one(qubit, lane);
                    let found = random.uniform() < one;
                    self.states.reset(qubit, lane, found, if found { one } else { 1.0 - one });
                }
            }
        }
    }
}
