//! A template → the compiled circuit of each set of angles.

use crate::{
    Compiled, Effort, Item, Program, Template,
    compile::{compile, shortened},
    emission::Emission,
};

/// Compiles a template for one set after the other.
#[derive(Debug)]
pub struct Binder<'a> {
    template: &'a Template,
    effort: Effort,
    /// What of the gates does not depend on the angles, if all sets can share it.
    emission: Option<Emission>,
    program: Program,
}

impl<'a> Binder<'a> {
    /// Prepares what all sets share.
    #[must_use]
    pub fn new(template: &'a Template, effort: Effort) -> Self {
        let emission = if effort == Effort::Resynthesise { Emission::new(template) } else { None };
        Self { template, effort, emission, program: template.program().clone() }
    }

    /// Compiles the program with these angles, in radians. It is the compiled circuit of the same
    /// program with numbers, but its phase has no meaning.
    ///
    /// # Panics
    /// If there are fewer than [`Template::num_angles`].
    pub fn compile(&mut self, angles: &[f64]) -> Compiled {
        if let Some(emission) = &self.emission {
            let commuting = emission.gathered(self.template, angles);
            return shortened(commuting, emission.num_barriers(), &self.program);
        }
        for (index, gate) in self.template.free() {
            if let (Some(bound), Item::Gate(item, _)) =
                (gate.bound(angles), &mut self.program.items[*index])
            {
                *item = bound;
            }
        }
        compile(&self.program, self.effort)
    }
}
