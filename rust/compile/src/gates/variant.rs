//! The choice among decompositions of equal cost.

/// Which of several decompositions of equal cost to use. The best one depends on the neighbouring
/// gates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant(u8);

impl Variant {
    /// Number of variants.
    pub const COUNT: u8 = 32;
    /// Number of variants that differ for circuits without gates of [`super::Gate::has_variants`].
    pub const FEW: u8 = 2;

    /// The variant with a number below [`Self::COUNT`], for circuits whose two-qubit runs are
    /// resynthesised: 0 is best most often, the last one least often. Without resynthesis, the
    /// default is best.
    #[must_use]
    pub fn to_merge(number: u8) -> Self {
        Self(number ^ 16)
    }

    /// Replace RXX(−π/2) by RXX(π/2) in an inverted frame instead of adding half turns.
    pub(super) fn inverts_frame(self) -> bool {
        self.0 & 1 != 0
    }

    /// Exchange the first two controls of gates with several.
    pub(super) fn exchanges_controls(self) -> bool {
        self.0 & 2 != 0
    }

    /// Reverse the order within gates with two controls, exchange the last two of three controls.
    pub(super) fn reverses(self) -> bool {
        self.0 & 4 != 0
    }

    /// Decompose gates with two controls into six CX, some of which merge, instead of five RXX.
    pub(super) fn uses_six_cx(self) -> bool {
        self.0 & 16 != 0
    }

    /// Exchange the targets of controlled SWAP.
    pub(super) fn exchanges_targets(self) -> bool {
        self.0 & 8 != 0
    }
}
