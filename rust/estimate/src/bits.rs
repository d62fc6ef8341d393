//! Bits in words.

/// Number of bits of a word.
pub const WORD: usize = 64;

/// The bit with this index.
pub const fn bit(words: &[u64], index: usize) -> bool {
    words[index / WORD] >> (index % WORD) & 1 == 1
}

/// Inverts the bit with this index.
pub const fn flip(words: &mut [u64], index: usize) {
    words[index / WORD] ^= 1 << (index % WORD);
}

/// Number of set bits.
pub fn count(words: impl IntoIterator<Item = u64>) -> u32 {
    words.into_iter().map(u64::count_ones).sum()
}

/// Indices of the set bits, ascending.
pub fn ones(words: impl IntoIterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.into_iter().enumerate().flat_map(|(index, mut word)| {
        std::iter::from_fn(move || {
            (word != 0).then(|| {
                let bit = word.trailing_zeros() as usize;
                word &= word - 1;
                index * WORD + bit
            })
        })
    })
}

/// Whether there are more set bits than this.
pub fn more_than(words: &[u64], most: u32) -> bool {
    let mut count = 0;
    words.iter().any(|word| {
        count += word.count_ones();
        count > most
    })
}

/// Transposes 64 × 64 bits: bit `i` of word `j` becomes bit `j` of word `i` (Warren, Hacker's Delight,
/// section 7–3).
pub fn transpose(words: &mut [u64; WORD]) {
    let mut width = WORD / 2;
    let mut mask = u64::MAX >> width;
    while width > 0 {
        let mut low = 0;
        while low < WORD {
            let swap = (words[low] >> width ^ words[low + width]) & mask;
            words[low] ^= swap << width;
            words[low + width] ^= swap;
            // The next index whose bit of this width is 0.
            low = (low + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

/// Adds without carries.
pub fn xor_into(target: &mut [u64], source: &[u64]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target ^= source;
    }
}

/// Independent vectors of bits, each with a bit of its own that reduces the others.
#[derive(Default)]
pub struct Echelon {
    /// A vector, its highest bit, and of which added vectors it is the sum.
    rows: Vec<(Vec<u64>, usize, Vec<u64>)>,
}

impl Echelon {
    /// Number of independent vectors.
    pub const fn rank(&self) -> usize {
        self.rows.len()
    }

    /// Adds a vector if it is independent. Tells the sum of earlier independent vectors that it is:
    /// bit `i` stands for the `i`-th of them; if the vector was added, its own bit only.
    pub fn add(&mut self, mut vector: Vec<u64>) -> (bool, Vec<u64>) {
        let mut sum = vec![0; self.rank() / WORD + 1];
        for (row, highest, parts) in &self.rows {
            if bit(&vector, *highest) {
                xor_into(&mut vector, row);
                xor_into(&mut sum, parts);
            }
        }
        let Some(highest) = ones(vector.iter().copied()).last() else { return (false, sum) };
        let own = self.rank();
        let mut only = vec![0; own / WORD + 1];
        flip(&mut only, own);
        flip(&mut sum, own);
        self.rows.push((vector, highest, sum));
        (true, only)
    }
}
