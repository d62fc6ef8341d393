//! The constants of the format.

/// What an archive starts with.
pub const MAGIC: [u8; 4] = *b"AQTB";

/// The version of the format that [`write`] writes, and the only one so far.
pub const VERSION: u8 = 1;

pub(super) const RZ: u8 = 0;
pub(super) const R: u8 = 1;
pub(super) const RXX: u8 = 2;

/// Stands for the qubit of a classical bit that nothing was measured into. No qubit has this index:
/// it is the highest number of qubits.
pub(super) const UNMEASURED: u32 = u32::MAX;

/// Bytes of the shortest operation.
pub(super) const MIN_OPERATION: usize = 13;

/// Bytes of the shortest circuit: no operations, one classical bit.
pub(super) const MIN_CIRCUIT: usize = 16;
