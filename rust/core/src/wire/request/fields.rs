//! Fields of the request body: places, ranges and missing keys.

use crate::{
    error::{BodyError, BodyErrorKind as Kind},
    wire::json::{Cursor, Result},
};

/// A value and the byte where it starts.
#[derive(Clone, Copy)]
pub(super) struct At<T> {
    pub value: T,
    pub offset: usize,
}

pub(super) fn at<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<At<T>> {
    let offset = cursor.here();
    Ok(At { value: read(cursor)?, offset })
}

/// Takes a whole number from 1 to `most`.
pub(super) fn count(cursor: &mut Cursor<'_>, what: &'static str, most: u32) -> Result<u32> {
    let At { value, offset } = at(cursor, Cursor::unsigned)?;
    match u32::try_from(value) {
        Ok(value) if (1..=most).contains(&value) => Ok(value),
        _ => Err(BodyError {
            kind: Kind::NotWithin { what, lower: 1.0, upper: f64::from(most) },
            offset,
        }),
    }
}

/// Checks that an array has 1 to `most` items.
pub(super) fn number_within(
    found: usize,
    what: &'static str,
    most: usize,
    offset: usize,
) -> Result<()> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    let upper = u32::try_from(most).map_or(f64::INFINITY, f64::from);
    Err(BodyError { kind: Kind::NotWithin { what, lower: 1.0, upper }, offset })
}

pub(super) fn required<T>(value: Option<T>, key: &'static str, offset: usize) -> Result<T> {
    value.ok_or(BodyError { kind: Kind::MissingKey(key), offset })
}
