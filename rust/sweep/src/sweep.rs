//! A template with many sets of angles, and the circuit of each.

use std::sync::Arc;

use aqt_compile::{Binder, Compiled, Effort, Template, lower::Step};
use aqt_core::{Circuit, CircuitBuilder, CircuitError, Gate, Limits, MeasurementMap};

/// Sets of angles in radians, one row a set.
pub struct Angles {
    num_sets: usize,
    width: usize,
    /// Rows of little-endian 64-bit floats: whoever has them need not copy them.
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
}

impl Angles {
    /// Rows of `width` angles as little-endian 64-bit floats. Returns `None` if `bytes` is no such
    /// number of rows.
    #[must_use]
    pub fn new(
        num_sets: usize,
        width: usize,
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Option<Self> {
        let size = num_sets.checked_mul(width).and_then(|count| count.checked_mul(8));
        (size == Some(bytes.as_ref().len())).then(|| Self {
            num_sets,
            width,
            bytes: Box::new(bytes),
        })
    }

    /// Number of sets.
    #[must_use]
    pub fn num_sets(&self) -> usize {
        self.num_sets
    }

    /// Number of angles in a set.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All rows.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    /// The angles of a set.
    ///
    /// # Panics
    /// If there is no such set.
    pub fn row(&self, set: usize) -> impl Iterator<Item = f64> {
        let (values, _) = self.bytes()[8 * self.width * set..][..8 * self.width].as_chunks();
        values.iter().map(|value| f64::from_le_bytes(*value))
    }
}

/// Why the circuit of a set cannot run.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Index of the set.
    pub set: usize,
    /// What is wrong.
    pub error: CircuitError,
}

/// The circuits of a template: one for each set of angles. Each is what the compiler makes of the
/// program with numbers.
#[derive(Clone)]
pub struct Sweep {
    pub(crate) template: Arc<Template>,
    /// An equivalent template: the shorter circuit is used.
    pub(crate) alternative: Option<Arc<Template>>,
    pub(crate) effort: Effort,
    /// Qubit of the program and classical bit of each measurement, in order.
    pub(crate) measurements: Arc<[(u32, u32)]>,
    pub(crate) num_clbits: u32,
    pub(crate) angles: Arc<Angles>,
}

impl Sweep {
    /// Circuits on the qubits of the template, with these final measurements.
    ///
    /// Returns `None` if a template needs more angles than there are, if a measurement is of a qubit
    /// or classical bit that does not exist, or if the two templates differ in their qubits.
    #[must_use]
    pub fn new(
        template: Arc<Template>,
        alternative: Option<Arc<Template>>,
        effort: Effort,
        measurements: Arc<[(u32, u32)]>,
        num_clbits: u32,
        angles: Arc<Angles>,
    ) -> Option<Self> {
        let num_qubits = template.program().num_qubits;
        let fits = |template: &Arc<Template>| {
            template.num_angles() <= angles.width() && template.program().num_qubits == num_qubits
        };
        let measured =
            measurements.iter().all(|&(qubit, clbit)| qubit < num_qubits && clbit < num_clbits);
        (fits(&template) && alternative.iter().all(fits) && measured).then_some(Self {
            template,
            alternative,
            effort,
            measurements,
            num_clbits,
            angles,
        })
    }

    /// Number of circuits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.angles.num_sets()
    }

    /// Whether there are no circuits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of qubits of each circuit.
    #[must_use]
    pub fn num_qubits(&self) -> u32 {
        self.template.program().num_qubits
    }

    /// Number of classical bits of each circuit.
    #[must_use]
    pub fn num_clbits(&self) -> u32 {
        self.num_clbits
    }

    /// Whether anything is measured.
    #[must_use]
    pub fn has_measurements(&self) -> bool {
        !self.measurements.is_empty()
    }

    /// Compiles the circuits of sets in turn.
    #[must_use]
    pub fn compiler(&self) -> SweepCompiler<'_> {
        SweepCompiler {
            sweep: self,
            binder: Binder::new(&self.template, self.effort),
            angles: Vec::with_capacity(self.angles.width()),
            alternative: self
                .alternative
                .as_deref()
                .map(|template| Binder::new(template, self.effort)),
        }
    }

    /// Every circuit that cannot run, with its first problem: no qubits, or more than the limit; no
    /// measurement; an angle that is not finite; too many operations.
    #[must_use]
    pub fn problems(&self, limits: Limits) -> Vec<Problem> {
        let each = |error: CircuitError| {
            (0..self.len()).map(move |set| Problem { set, error: error.clone() }).collect()
        };
        let num_qubits = self.num_qubits();
        if num_qubits > limits.qubits {
            return each(CircuitError::TooManyQubits { found: num_qubits, limit: limits.qubits });
        }
        if num_qubits == 0 {
            return each(CircuitError::NoQubits);
        }
        if !self.has_measurements() {
            return each(CircuitError::NoMeasurement);
        }
        let not_finite = |set| {
            let value = self.angles.row(set).find(|angle| !angle.is_finite())?;
            Some(Problem { set, error: CircuitError::AngleNotFinite { angle: "angle", value } })
        };
        let problems: Vec<_> = (0..self.len()).filter_map(not_finite).collect();
        if !problems.is_empty() || self.is_empty() {
            return problems;
        }
        let mut compiler = self.compiler();
        // Angles at which nothing merges that does not merge at all angles. Others make circuits
        // shorter, hardly ever longer.
        let generic: Vec<_> =
            (1..).take(self.angles.width()).map(|k: u32| f64::from(k).sqrt()).collect();
        if compiler.compiled(&generic).steps.len() < limits.operations / 2 {
            return problems;
        }
        let too_long = |set| match compiler.circuit(set, limits) {
            Ok(_) => None,
            Err(error) => Some(Problem { set, error }),
        };
        (0..self.len()).filter_map(too_long).collect()
    }
}

/// Compiles the circuits of a sweep.
pub struct SweepCompiler<'a> {
    sweep: &'a Sweep,
    binder: Binder<'a>,
    alternative: Option<Binder<'a>>,
    /// Room for the angles of a set.
    angles: Vec<f64>,
}

impl SweepCompiler<'_> {
    /// The circuit of a set, with its measurement map.
    ///
    /// # Errors
    /// [`CircuitError`], as [`CircuitBuilder`] finds it.
    ///
    /// # Panics
    /// If there is no such set.
    pub fn circuit(
        &mut self,
        set: usize,
        limits: Limits,
    ) -> Result<(Circuit, MeasurementMap), CircuitError> {
        let mut angles = std::mem::take(&mut self.angles);
        angles.clear();
        angles.extend(self.sweep.angles.row(set));
        let compiled = self.compiled(&angles);
        self.angles = angles;
        let Sweep { num_clbits, .. } = *self.sweep;
        let mut builder =
            CircuitBuilder::new(self.sweep.num_qubits(), num_clbits, compiled.steps.len(), limits)?;
        for &step in &compiled.steps {
            builder.fold(match step {
                Step::R { qubit, theta, phi } => Gate::R { qubit, theta, phi },
                Step::Rz { qubit, phi } => Gate::Rz { qubit, phi },
                Step::Rxx { qubits, theta } => Gate::Rxx { qubits, theta },
                Step::Barrier(_) | Step::Opaque(_) => continue,
            })?;
        }
        let mut map = MeasurementMap::new(num_clbits);
        for &(qubit, clbit) in &*self.sweep.measurements {
            let wire = compiled.wires[qubit as usize];
            builder.measure(wire, clbit)?;
            map.measure(wire, clbit)?;
        }
        Ok((builder.finish()?, map))
    }

    fn compiled(&mut self, angles: &[f64]) -> Compiled {
        let first = self.binder.compile(angles);
        if let Some(alternative) = &mut self.alternative {
            let second = alternative.compile(angles);
            if second.cost() < first.cost() {
                return second;
            }
        }
        first
    }
}
