//! The text of one circuit's shots, `[[0,1,…],…]` → packed rows, one a shot.
//!
//! A row in compact layout is checked and packed eight bytes at a time: XOR with the text of an
//! all-zero row leaves the bits. If anything else is left, the row has another layout. The tolerant
//! parser reads such a row: it knows every valid layout and every error.

use super::json::{Cursor, Result};
use crate::{
    error::{BodyError, BodyErrorKind as Kind},
    outcomes::Samples,
};

/// Four all-zero samples, each with the comma that follows it.
pub(crate) const FOUR_ZEROS: u64 = u64::from_le_bytes(*b"0,0,0,0,");

/// Where the four bits are in that text.
pub(crate) const FOUR_BITS: u64 = 0x0001_0001_0001_0001;

/// A product with this has the four bits side by side at the top: bit 16i moves to 48 + i. The
/// partial products of four words, shifted against each other by four, meet nowhere.
const GATHER: u64 = 1 << 48 | 1 << 33 | 1 << 18 | 1 << 3;

/// Rows up to this width have a fast path; AQT's devices have at most 31 qubits.
const MAX_COMPACT_WIDTH: usize = 32;

/// Takes the array of a circuit's shots. `expected_bytes` is how large the packed rows may get.
pub(crate) fn samples(
    cursor: &mut Cursor<'_>,
    circuit: usize,
    expected_bytes: usize,
) -> Result<Samples> {
    let mut rows = Vec::with_capacity(expected_bytes);
    let (mut num_shots, mut num_qubits) = (0, 0);
    cursor.open(b'[', "an array of shots")?;
    if cursor.peek() != Some(b']') {
        loop {
            let expected = (num_shots > 0).then_some(num_qubits);
            num_qubits = tolerant_row(cursor, circuit, num_shots, expected, &mut rows)?;
            num_shots += 1;
            num_shots += compact_rows(cursor, num_qubits, &mut rows);
            if cursor.peek() != Some(b',') {
                break;
            }
            cursor.position += 1;
        }
    }
    cursor.close(b']', "',' or ']'")?;
    Ok(Samples::from_packed(num_shots, num_qubits, rows))
}

/// Takes one row in any layout and returns its width.
fn tolerant_row(
    cursor: &mut Cursor<'_>,
    circuit: usize,
    shot: usize,
    expected: Option<usize>,
    rows: &mut Vec<u8>,
) -> Result<usize> {
    cursor.peek();
    let offset = cursor.position;
    let (mut width, mut byte) = (0, 0);
    cursor.array("an array of samples", |cursor| {
        let bit = match cursor.peek() {
            Some(b'0') => 0,
            Some(b'1') => 1,
            _ => return Err(cursor.error(Kind::NotABit { circuit, shot, qubit: width })),
        };
        let more = cursor.body().get(cursor.position + 1);
        if let Some(b'0'..=b'9' | b'.' | b'e' | b'E') = more {
            return Err(cursor.error(Kind::NotABit { circuit, shot, qubit: width }));
        }
        cursor.position += 1;
        byte |= bit << (width % 8);
        width += 1;
        if width % 8 == 0 {
            rows.push(byte);
            byte = 0;
        }
        Ok(())
    })?;
    if width % 8 != 0 {
        rows.push(byte);
    }
    match expected {
        Some(expected) if expected != width => Err(BodyError {
            kind: Kind::RaggedShot { circuit, shot, expected, found: width },
            offset,
        }),
        _ => Ok(width),
    }
}

/// Takes the following rows as long as each is `,[b,…,b]` of `width` bits, and returns how many.
fn compact_rows(cursor: &mut Cursor<'_>, width: usize, rows: &mut Vec<u8>) -> usize {
    let scan = match width.div_ceil(4) {
        1 => scan::<1>,
        2 => scan::<2>,
        3 => scan::<3>,
        4 => scan::<4>,
        5 => scan::<5>,
        6 => scan::<6>,
        7 => scan::<7>,
        8 => scan::<8>,
        _ => return 0,
    };
    let taken = scan(&cursor.body()[cursor.position..], width, rows);
    cursor.position += taken * (2 * width + 2);
    taken
}

/// [`compact_rows`] for rows of `WORDS` words of four samples, the last one perhaps with fewer.
fn scan<const WORDS: usize>(text: &[u8], width: usize, rows: &mut Vec<u8>) -> usize {
    debug_assert!(width.div_ceil(4) == WORDS && width <= MAX_COMPACT_WIDTH);
    let row_bytes = 2 * width + 2;
    let mut expected = [FOUR_ZEROS; WORDS];
    let mut relevant = [u64::MAX; WORDS];
    let in_last = width - 4 * (WORDS - 1);
    relevant[WORDS - 1] >>= 64 - 16 * in_last;
    // The row's last sample is followed by a bracket where the others have a comma.
    expected[WORDS - 1] ^= u64::from(b',' ^ b']') << (16 * in_last - 8);

    let mut taken = 0;
    let mut rest = text;
    // A window of whole words may reach beyond the row; those bytes are not relevant.
    while let Some((window, _)) = rest.split_at_checked(2 + 8 * WORDS) {
        let (head, body) = window.split_at(2);
        let (words, _) = body.as_chunks::<8>();
        let mut differs = u64::from(head != b",[");
        let mut bits = 0;
        let mut spread = 0;
        for index in 0..WORDS {
            let word = (u64::from_le_bytes(words[index]) ^ expected[index]) & relevant[index];
            differs |= word & !FOUR_BITS;
            spread |= (word & FOUR_BITS) << (4 * (index % 4));
            if index % 4 == 3 || index == WORDS - 1 {
                bits |= (spread.wrapping_mul(GATHER) >> 48) << (16 * (index / 4));
                spread = 0;
            }
        }
        if differs != 0 {
            break;
        }
        rows.extend_from_slice(&bits.to_le_bytes()[..const { WORDS.div_ceil(2) }]);
        taken += 1;
        rest = &rest[row_bytes..];
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Samples> {
        samples(&mut Cursor::new(text.as_bytes()), 0, 0)
    }

    fn text(width: usize, shots: usize, separator: &str) -> (String, Vec<Vec<bool>>) {
        let mut state = width as u64 * 77 + 1;
        let mut rows = Vec::new();
        for _ in 0..shots {
            let mut row = Vec::new();
            for _ in 0..width {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                row.push(state >> 40 & 1 == 1);
            }
            rows.push(row);
        }
        let rows_text: Vec<_> = rows
            .iter()
            .map(|row| {
                let bits: Vec<_> = row.iter().map(|&bit| if bit { "1" } else { "0" }).collect();
                format!("[{}]", bits.join(separator))
            })
            .collect();
        (format!("[{}]", rows_text.join(separator)), rows)
    }

    #[test]
    fn every_width_in_both_layouts() {
        for width in 0..=70 {
            for separator in [",", ", ", ",\n    "] {
                let (text, rows) = text(width, 9, separator);
                let samples = parse(&text).unwrap();
                assert_eq!((samples.num_shots(), samples.num_qubits()), (9, width));
                for (shot, row) in rows.iter().enumerate() {
                    for (qubit, &bit) in row.iter().enumerate() {
                        assert_eq!(samples.get(shot, qubit), bit, "{width} {shot} {qubit}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_wrong_byte_shows() {
        for width in [1, 3, 4, 5, 8, 10, 20, 31, 32, 33] {
            let (text, _) = text(width, 4, ",");
            let good = parse(&text).unwrap();
            for position in 0..text.len() {
                for byte in [b'0', b'1', b'2', b',', b'[', b']', b' ', b'.', b'-', 0, 0xff, b'q'] {
                    let mut body = text.clone().into_bytes();
                    if body[position] == byte {
                        continue;
                    }
                    body[position] = byte;
                    let flipped =
                        matches!(byte, b'0' | b'1') && text.as_bytes()[position] & !1 == b'0';
                    let mut cursor = Cursor::new(&body);
                    let parsed =
                        samples(&mut cursor, 0, 0).and_then(|it| cursor.end().map(|()| it));
                    let place = format!("{width} {position} {byte}");
                    match parsed {
                        Ok(samples) => assert!(flipped && samples != good, "{place}"),
                        Err(_) => assert!(!flipped, "{place}"),
                    }
                }
            }
        }
    }

    #[test]
    fn errors_name_shot_and_qubit() {
        assert_eq!(
            parse("[[0,1],[0,2]]").unwrap_err(),
            BodyError { kind: Kind::NotABit { circuit: 0, shot: 1, qubit: 1 }, offset: 10 }
        );
        assert_eq!(
            parse("[[0,1],[0,1],[0]]").unwrap_err(),
            BodyError {
                kind: Kind::RaggedShot { circuit: 0, shot: 2, expected: 2, found: 1 },
                offset: 13
            }
        );
        for wrong in ["[[01]]", "[[1.0]]", "[[1e0]]", "[[true]]", "[[-0]]", "[[\"1\"]]", "[[null]]"]
        {
            assert!(
                matches!(parse(wrong).unwrap_err().kind, Kind::NotABit { qubit: 0, .. }),
                "{wrong}"
            );
        }
        assert_eq!(parse("[[0,1").unwrap_err().kind, Kind::UnexpectedEnd);
    }
}
