//! A checked list of operations with its measurement map.

use super::{
    folding::Folding,
    operation::{Gate, Operation},
};
use crate::error::CircuitError;

/// What a resource takes in one API job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Qubits of the resource.
    pub qubits: u32,
    /// Operations a circuit, the final MEASURE included.
    pub operations: usize,
}

impl Default for Limits {
    /// The limits of AQT's cloud interface.
    fn default() -> Self {
        Self { qubits: 31, operations: 2000 }
    }
}

/// For each classical bit the qubit whose outcome it holds in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasurementMap {
    sources: Vec<Option<u32>>,
}

impl MeasurementMap {
    /// No measurement yet, on `num_clbits` classical bits that read 0.
    #[must_use]
    pub fn new(num_clbits: u32) -> Self {
        Self { sources: vec![None; num_clbits as usize] }
    }

    /// Classical bit `i` holds qubit `i`.
    #[must_use]
    pub fn identity(num_qubits: u32) -> Self {
        Self { sources: (0..num_qubits).map(Some).collect() }
    }

    /// A map from qubits that were checked.
    pub(crate) fn from_sources(sources: Vec<Option<u32>>) -> Self {
        Self { sources }
    }

    /// The map of some of the classical bits: bit `i` is `clbits[i]` of this map.
    ///
    /// Returns `None` if there is no such classical bit.
    #[must_use]
    pub fn restricted(&self, clbits: &[u32]) -> Option<Self> {
        let source = |&clbit: &u32| self.sources.get(clbit as usize).copied();
        Some(Self { sources: clbits.iter().map(source).collect::<Option<_>>()? })
    }

    /// Measures `qubit` into `clbit`; what the bit held before is overwritten.
    ///
    /// # Errors
    /// [`CircuitError::ClbitOutOfRange`].
    pub fn measure(&mut self, qubit: u32, clbit: u32) -> Result<(), CircuitError> {
        let num_clbits = self.num_clbits();
        let Some(source) = self.sources.get_mut(clbit as usize) else {
            return Err(CircuitError::ClbitOutOfRange { clbit, num_clbits });
        };
        *source = Some(qubit);
        Ok(())
    }

    /// Number of classical bits, measured or not.
    #[must_use]
    pub fn num_clbits(&self) -> u32 {
        u32::try_from(self.sources.len()).unwrap_or(u32::MAX)
    }

    /// Qubit of each classical bit, in the order of the classical bits.
    #[must_use]
    pub fn sources(&self) -> &[Option<u32>] {
        &self.sources
    }
}

/// How many gates of a circuit take time on a device; RZ takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// Number of R.
    pub r: u32,
    /// Number of RXX.
    pub rxx: u32,
}

/// A circuit that a device accepts: gates within their ranges, then one measurement of all qubits.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    num_qubits: u32,
    operations: Vec<Operation>,
}

impl Circuit {
    /// A circuit from parts that were checked.
    pub(crate) fn from_checked(num_qubits: u32, operations: Vec<Operation>) -> Self {
        debug_assert!(operations.iter().all(|operation| operation.max_qubit() < num_qubits));
        Self { num_qubits, operations }
    }

    /// Number of qubits, 1 or more.
    #[must_use]
    pub fn num_qubits(&self) -> u32 {
        self.num_qubits
    }

    /// The qubits on which gates act, in ascending order; qubit 0 if there are none.
    #[must_use]
    pub fn active_qubits(&self) -> Vec<u32> {
        let mut active = vec![false; self.num_qubits as usize];
        for operation in &self.operations {
            for qubit in operation.qubits() {
                active[qubit as usize] = true;
            }
        }
        let mut qubits: Vec<_> =
            (0..).zip(active).filter_map(|(qubit, active)| active.then_some(qubit)).collect();
        if qubits.is_empty() {
            qubits.push(0);
        }
        qubits
    }

    /// How many of its gates take time.
    #[must_use]
    pub fn gate_counts(&self) -> GateCounts {
        let mut counts = GateCounts::default();
        for operation in &self.operations {
            match operation {
                Operation::Rz { .. } => {}
                Operation::R { .. } => counts.r += 1,
                Operation::Rxx { .. } => counts.rxx += 1,
            }
        }
        counts
    }

    /// The gates, without the final MEASURE.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// Builds a circuit from its instructions in order and refuses the first that a device refuses.
#[derive(Debug)]
pub struct CircuitBuilder {
    circuit: Circuit,
    num_clbits: u32,
    limits: Limits,
    measured: bool,
    /// From the first gate on whose angles are folded.
    folding: Option<Folding>,
}

impl CircuitBuilder {
    /// An empty circuit on `num_qubits` qubits and `num_clbits` classical bits, with room for
    /// `num_instructions` gates.
    ///
    /// # Errors
    /// [`CircuitError::NoQubits`], [`CircuitError::TooManyQubits`].
    pub fn new(
        num_qubits: u32,
        num_clbits: u32,
        num_instructions: usize,
        limits: Limits,
    ) -> Result<Self, CircuitError> {
        if num_qubits == 0 {
            return Err(CircuitError::NoQubits);
        }
        if num_qubits > limits.qubits {
            return Err(CircuitError::TooManyQubits { found: num_qubits, limit: limits.qubits });
        }
        let operations = Vec::with_capacity(num_instructions.min(limits.operations));
        let circuit = Circuit { num_qubits, operations };
        Ok(Self { circuit, num_clbits, limits, measured: false, folding: None })
    }

    /// Appends a gate.
    ///
    /// # Errors
    /// [`CircuitError::GateAfterMeasurement`], [`CircuitError::QubitOutOfRange`].
    pub fn gate(&mut self, operation: Operation) -> Result<(), CircuitError> {
        if self.measured {
            return Err(CircuitError::GateAfterMeasurement);
        }
        self.check_qubit(operation.max_qubit())?;
        self.circuit.operations.push(operation);
        Ok(())
    }

    /// Appends a gate with any finite angles: folded if they are out of range, or come after others
    /// that were.
    ///
    /// # Errors
    /// Those of [`Gate::checked`] but [`CircuitError::AngleOutOfRange`], and of
    /// [`CircuitBuilder::gate`].
    pub fn fold(&mut self, gate: Gate) -> Result<(), CircuitError> {
        match gate.checked() {
            Ok(operation) if self.folding.is_none() => return self.gate(operation),
            Ok(_) | Err(CircuitError::AngleOutOfRange { .. }) => {}
            Err(error) => return Err(error),
        }
        if self.measured {
            return Err(CircuitError::GateAfterMeasurement);
        }
        self.check_qubit(gate.max_qubit())?;
        let num_qubits = self.circuit.num_qubits;
        let folding = self.folding.get_or_insert_with(|| Folding::new(num_qubits));
        folding.push(gate, &mut self.circuit.operations);
        Ok(())
    }

    /// Measures `qubit` into `clbit`.
    ///
    /// # Errors
    /// [`CircuitError::QubitOutOfRange`], [`CircuitError::ClbitOutOfRange`].
    pub fn measure(&mut self, qubit: u32, clbit: u32) -> Result<(), CircuitError> {
        self.check_qubit(qubit)?;
        if clbit >= self.num_clbits {
            return Err(CircuitError::ClbitOutOfRange { clbit, num_clbits: self.num_clbits });
        }
        self.measured = true;
        Ok(())
    }

    /// The finished circuit.
    ///
    /// # Errors
    /// [`CircuitError::NoMeasurement`], [`CircuitError::TooManyOperations`].
    pub fn finish(mut self) -> Result<Circuit, CircuitError> {
        if !self.measured {
            return Err(CircuitError::NoMeasurement);
        }
        if let Some(folding) = self.folding {
            folding.finish(&mut self.circuit.operations);
        }
        let found = self.circuit.operations.len() + 1;
        if found > self.limits.operations {
            return Err(CircuitError::TooManyOperations { found, limit: self.limits.operations });
        }
        Ok(self.circuit)
    }

    fn check_qubit(&self, qubit: u32) -> Result<(), CircuitError> {
        let num_qubits = self.circuit.num_qubits;
        if qubit < num_qubits {
            Ok(())
        } else {
            Err(CircuitError::QubitOutOfRange { qubit, num_qubits })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> CircuitBuilder {
        CircuitBuilder::new(2, 2, 4, Limits { qubits: 2, operations: 3 }).unwrap()
    }

    #[test]
    fn a_later_measurement_wins() {
        let mut map = MeasurementMap::new(3);
        map.measure(0, 1).unwrap();
        map.measure(1, 1).unwrap();
        map.measure(0, 2).unwrap();
        assert_eq!(map.sources(), [None, Some(1), Some(0)]);
        assert_eq!(
            map.measure(0, 3),
            Err(CircuitError::ClbitOutOfRange { clbit: 3, num_clbits: 3 })
        );
    }

    #[test]
    fn a_map_of_some_bits_has_their_order() {
        let mut map = MeasurementMap::new(4);
        map.measure(7, 1).unwrap();
        map.measure(2, 3).unwrap();
        let some = map.restricted(&[3, 0, 1, 1]).unwrap();
        assert_eq!(some.sources(), [Some(2), None, Some(7), Some(7)]);
        assert_eq!(map.restricted(&[]), Some(MeasurementMap::new(0)));
        assert_eq!(map.restricted(&[0, 4]), None);
    }

    #[test]
    fn rz_is_not_counted() {
        let operations = vec![
            Operation::Rz { qubit: 0, phi: 0.5 },
            Operation::R { qubit: 1, phi: 0.5, theta: 0.5 },
            Operation::Rxx { qubits: [0, 1], theta: 0.5 },
            Operation::R { qubit: 0, phi: 0.0, theta: 0.0 },
        ];
        let counts = Circuit::from_checked(2, operations).gate_counts();
        assert_eq!(counts, GateCounts { r: 2, rxx: 1 });
    }

    #[test]
    fn gates_come_before_measurements() {
        let mut builder = builder();
        builder.gate(Operation::rz(0, 1.0).unwrap()).unwrap();
        builder.measure(0, 1).unwrap();
        assert_eq!(
            builder.gate(Operation::rz(1, 1.0).unwrap()),
            Err(CircuitError::GateAfterMeasurement)
        );
        builder.measure(1, 1).unwrap();
        assert_eq!(builder.finish().unwrap().operations().len(), 1);
    }

    #[test]
    fn limits_include_the_measurement() {
        let mut builder = builder();
        for _ in 0..3 {
            builder.gate(Operation::rz(0, 1.0).unwrap()).unwrap();
        }
        builder.measure(0, 0).unwrap();
        assert_eq!(builder.finish(), Err(CircuitError::TooManyOperations { found: 4, limit: 3 }));
    }

    #[test]
    fn registers_are_checked() {
        let limits = Limits::default();
        assert_eq!(CircuitBuilder::new(0, 0, 0, limits).unwrap_err(), CircuitError::NoQubits);
        assert_eq!(
            CircuitBuilder::new(32, 0, 0, limits).unwrap_err(),
            CircuitError::TooManyQubits { found: 32, limit: 31 }
        );
        let mut builder = builder();
        assert_eq!(
            builder.gate(Operation::rxx([0, 2], 0.1).unwrap()),
            Err(CircuitError::QubitOutOfRange { qubit: 2, num_qubits: 2 })
        );
        assert_eq!(
            builder.measure(0, 2),
            Err(CircuitError::ClbitOutOfRange { clbit: 2, num_clbits: 2 })
        );
        assert_eq!(builder.finish(), Err(CircuitError::NoMeasurement));
    }
}
