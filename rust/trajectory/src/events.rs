//! Errors of all shots, drawn before anything is simulated.

use crate::{
    program::{Event, Site},
    random::Random,
};

/// The errors of shots.
pub(crate) struct Events {
    /// Where the events of each shot start, and the number of all.
    starts: Vec<usize>,
    events: Vec<Event>,
}

impl Events {
    /// Draws the errors of so many shots.
    pub(crate) fn draw(sites: &[Site], shots: u32, random: &mut Random) -> Self {
        let mut drawn = vec![];
        for (site, mixture) in (0..).zip(sites.iter().map(|site| site.mixture)) {
            let Some(mixture) = mixture else { continue };
            random.choose(mixture.error, shots, |random, shot| {
                let term = mixture.term(random.uniform());
                drawn.push((shot, Event { site, term: u32::try_from(term).unwrap_or(u32::MAX) }));
            });
        }
        // Counting sort, which leaves the events of a shot in the order of the sites.
        let mut starts = vec![0; shots as usize + 1];
        for (shot, _) in &drawn {
            starts[*shot as usize + 1] += 1;
        }
        for shot in 0..shots as usize {
            starts[shot + 1] += starts[shot];
        }
        let mut places = starts.clone();
        let mut events = vec![Event { site: 0, term: 0 }; drawn.len()];
        for (shot, event) in drawn {
            let place = &mut places[shot as usize];
            events[*place] = event;
            *place += 1;
        }
        Self { starts, events }
    }

    /// The events of a shot, in order.
    pub(crate) fn of(&self, shot: u32) -> &[Event] {
        let shot = shot as usize;
        &self.events[self.starts[shot]..self.starts[shot + 1]]
    }

    /// The shots without events, in order.
    pub(crate) fn without(&self) -> Vec<u32> {
        self.shots().filter(|&shot| self.of(shot).is_empty()).collect()
    }

    /// The shots with events, in the order of these.
    pub(crate) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = self.shots().filter(|&shot| !self.of(shot).is_empty()).collect();
        order.sort_unstable_by(|&a, &b| self.of(a).cmp(self.of(b)).then(a.cmp(&b)));
        order
    }

    fn shots(&self) -> impl Iterator<Item = u32> {
        (0..).take(self.starts.len() - 1)
    }
}
