//! Checks the page headers of a Parquet file before the decoder trusts them.
//!
//! polars-parquet 0.55.2 sizes buffers by the number of values that a page
//! header claims: one flipped bit there asks for 2⁶¹ bytes, and a failed
//! allocation ends the process where no error can be returned. This walk
//! reads the headers alone (Thrift compact protocol; parquet-format 2.11,
//! `PageHeader`), some tens of nanoseconds each, and refuses what cannot be.
//! Columns are flat here, so no page holds more values than its group rows.

use std::ops::Range;

/// Largest single page once decompressed.
const MAX_PAGE_BYTES: i64 = 1 << 30;
/// Most bytes of all pages together once decompressed.
const MAX_TOTAL_BYTES: i64 = 8 << 30;
/// Deepest nesting that a header may have.
const MAX_DEPTH: u32 = 8;

// Types of the compact protocol that matter here.
const STOP: u8 = 0;
const I32: u8 = 5;
const STRUCT: u8 = 12;

/// One column of one row group: where its pages lie and how many rows the
/// group has.
pub(super) struct Chunk {
    /// Bytes of its pages within the file.
    pub(super) bytes: Range<u64>,
    /// Rows of its group.
    pub(super) rows: usize,
}

/// Walks the pages of every chunk.
///
/// # Errors
/// Says what cannot be.
pub(super) fn check(file: &[u8], chunks: impl Iterator<Item = Chunk>) -> Result<(), &'static str> {
    let mut total = 0i64;
    for chunk in chunks {
        let range =
            usize::try_from(chunk.bytes.start).ok().zip(usize::try_from(chunk.bytes.end).ok());
        let mut rest = range
            .and_then(|(start, end)| file.get(start..end))
            .ok_or("a column lies outside the file")?;
        let rows = i64::try_from(chunk.rows).unwrap_or(i64::MAX);
        let mut seen = 0;
        while seen < rows {
            let header = Header::read(&mut rest).ok_or("a page header is damaged")?;
            let unpacked = header.uncompressed;
            if !(0..=MAX_PAGE_BYTES).contains(&unpacked) {
                return Err("a page claims an impossible size");
            }
            total += unpacked;
            if total > MAX_TOTAL_BYTES {
                return Err("its pages unpack to more than 8 GiB");
            }
            // A dictionary holds at most one value per row.
            if header.counts.iter().any(|n| !(0..=rows).contains(n)) {
                return Err("a page claims more values than there are rows");
            }
            let size = usize::try_from(header.compressed).ok();
            rest = size.and_then(|n| rest.get(n..)).ok_or("a page ends outside its column")?;
            if header.counts.is_empty() {
                return Err("a page holds no values");
            }
            if header.is_data {
                seen += header.counts[0];
            }
        }
    }
    Ok(())
}

/// What a page header claims.
#[derive(Default)]
struct Header {
    uncompressed: i64,
    compressed: i64,
    is_data: bool,
    /// Numbers of values, and in version 2 of nulls and rows.
    counts: Vec<i64>,
}

impl Header {
    fn read(input: &mut &[u8]) -> Option<Self> {
        let mut header = Header::default();
        let mut id = 0;
        loop {
            match field(input, &mut id)? {
                (_, STOP) => return Some(header),
                (2, I32) => header.uncompressed = zigzag(input)?,
                (3, I32) => header.compressed = zigzag(input)?,
                // Data page, dictionary page, data page of version 2.
                (kind @ (5 | 7 | 8), STRUCT) => {
                    header.is_data = kind != 7;
                    // Version 2 states nulls and rows besides values.
                    header.read_counts(input, if kind == 8 { 3 } else { 1 })?;
                }
                (_, kind) => skip(input, kind, 0)?,
            }
        }
    }

    /// The first `most` fields of a page's own header are counts.
    fn read_counts(&mut self, input: &mut &[u8], most: i64) -> Option<()> {
        let mut id = 0;
        loop {
            match field(input, &mut id)? {
                (_, STOP) => return Some(()),
                (at, I32) if (1..=most).contains(&at) => self.counts.push(zigzag(input)?),
                (_, kind) => skip(input, kind, 0)?,
            }
        }
    }
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let b = byte(input)?;
        value |= u64::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(input: &mut &[u8]) -> Option<i64> {
    let n = varint(input)?;
    Some((n >> 1) as i64 ^ -((n & 1) as i64))
}

/// The next field's number and type; type [`STOP`] ends the struct.
fn field(input: &mut &[u8], id: &mut i64) -> Option<(i64, u8)> {
    let b = byte(input)?;
    if b == STOP {
        return Some((0, STOP));
    }
    *id = match b >> 4 {
        0 => zigzag(input)?,
        delta => id.checked_add(i64::from(delta))?,
    };
    Some((*id, b & 0x0f))
}

fn skip(input: &mut &[u8], kind: u8, depth: u32) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    let jump = |input: &mut &[u8], n: u64| {
        *input = input.get(usize::try_from(n).ok()?..)?;
        Some(())
    };
    match kind {
        1 | 2 => Some(()),
        3 => byte(input).map(|_| ()),
        4..=6 => varint(input).map(|_| ()),
        7 => jump(input, 8),
        8 => {
            let n = varint(input)?;
            jump(input, n)
        }
        9 | 10 => {
            let b = byte(input)?;
            let n = if b >> 4 == 15 { varint(input)? } else { u64::from(b >> 4) };
            for _ in 0..n {
                // A list of booleans takes a byte for each.
                if matches!(b & 0x0f, 1 | 2) {
                    byte(input)?;
                } else {
                    skip(input, b & 0x0f, depth + 1)?;
                }
            }
            Some(())
        }
        STRUCT => {
            let mut id = 0;
            loop {
                match field(input, &mut id)? {
                    (_, STOP) => return Some(()),
                    (_, kind) => skip(input, kind, depth + 1)?,
                }
            }
        }
        // No page header has a map.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A data page of `values` values and 3 bytes of content.
    fn page(values: i64) -> Vec<u8> {
        let zz = |n: i64| {
            let mut n = ((n << 1) ^ (n >> 63)) as u64;
            let mut out = Vec::new();
            while n >= 0x80 {
                out.push((n as u8) | 0x80);
                n >>= 7;
            }
            out.push(n as u8);
            out
        };
        let mut bytes = vec![0x15, 0x00, 0x15];
        bytes.extend(zz(3));
        bytes.push(0x15);
        bytes.extend(zz(3));
        bytes.extend([0x2c, 0x15]);
        bytes.extend(zz(values));
        bytes.extend([0, 0, 1, 2, 3]);
        bytes
    }

    fn run(bytes: &[u8], rows: usize) -> Result<(), &'static str> {
        check(bytes, std::iter::once(Chunk { bytes: 0..bytes.len() as u64, rows }))
    }

    #[test]
    fn pages_must_fit_rows_and_column() {
        let two = [page(5), page(5)].concat();
        assert_eq!(run(&two, 10), Ok(()));
        assert_eq!(run(&two, 11), Err("a page header is damaged"));
        assert_eq!(run(&page(-1), 5), Err("a page claims more values than there are rows"));
        assert_eq!(run(&page(6), 5), Err("a page claims more values than there are rows"));
        assert_eq!(run(&two[..two.len() - 1], 10), Err("a page ends outside its column"));
        let outside = Chunk { bytes: 5..u64::MAX, rows: 1 };
        assert_eq!(check(&two, std::iter::once(outside)), Err("a column lies outside the file"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = run(&bytes, 1_000);
        }
    }
}
