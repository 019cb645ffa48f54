//! `aws ec2 describe-spot-price-history`, however its pages were put together.
//!
//! A month of a Region is a gigabyte of text, so rows go where they belong as
//! they are met and nothing of the document is kept.

use std::fmt;
use std::io::{BufRead, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Row, Rows};
use crate::{Error, Result};

/// Arrays within arrays: files of pages of rows, joined.
const MAX_DEPTH: u32 = 4;

/// Reads one document after another until the end.
pub(super) fn read(input: impl BufRead, shown: &str, rows: &mut Rows) -> Result<()> {
    let mut input = Documents { input, line: 0, column: 0 };
    loop {
        let failed = |e: std::io::Error| Error::input(format!("`{shown}`: {e}"));
        if input.at_end().map_err(failed)? {
            return Ok(());
        }
        let (line, column) = (input.line, input.column);
        let mut json = serde_json::Deserializer::from_reader(&mut input);
        if let Err(e) = (Page { rows: &mut *rows, depth: MAX_DEPTH }).deserialize(&mut json) {
            let (line, column) = match e.line() {
                0 | 1 => (line + 1, column + e.column()),
                n => (line + n, e.column()),
            };
            let text = e.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            let truncated = if e.is_eof() { "; the file looks truncated" } else { "" };
            return Err(Error::input(format!("{shown}:{line}:{column}: {text}{truncated}")));
        }
    }
}

/// Counts lines and columns across documents.
struct Documents<R> {
    input: R,
    line: usize,
    column: usize,
}

impl<R: BufRead> Documents<R> {
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                (self.line, self.column) = (self.line + 1, 0);
            } else {
                self.column += 1;
            }
        }
    }

    /// Skips what stands between documents; whether nothing follows.
    fn at_end(&mut self) -> std::io::Result<bool> {
        loop {
            let Some(first) = self.input.fill_buf()?.first().copied() else { return Ok(true) };
            // Also a byte order mark, and the comma of rows cut from an array.
            if !first.is_ascii_whitespace() && !matches!(first, b',' | 0xef | 0xbb | 0xbf) {
                return Ok(false);
            }
            self.input.consume(1);
            self.count(&[first]);
        }
    }
}

impl<R: BufRead> Read for Documents<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.count(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// A page, a row, or an array of either.
struct Page<'a> {
    rows: &'a mut Rows,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Page<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `SpotPriceHistory`, or its rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(serde::de::Error::custom("arrays within arrays within arrays"));
        };
        while items.next_element_seed(Page { rows: &mut *self.rows, depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<(), A::Error> {
        let mut row = Row::default();
        let mut zone_id = None;
        let (mut is_row, mut is_page) = (false, false);
        while let Some(key) = fields.next_key::<String>()? {
            let slot = match key.as_str() {
                "SpotPriceHistory" => {
                    is_page = true;
                    let depth = self.depth.saturating_sub(1);
                    fields.next_value_seed(Page { rows: &mut *self.rows, depth })?;
                    continue;
                }
                "AvailabilityZone" => &mut row.zone,
                "InstanceType" => &mut row.kind,
                "SpotPrice" => &mut row.price,
                "Timestamp" => &mut row.time,
                "ProductDescription" => row.product.get_or_insert_default(),
                "AvailabilityZoneId" => zone_id.get_or_insert_default(),
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            is_row = true;
            *slot = fields.next_value()?;
        }
        match (is_row, is_page) {
            (true, _) => {
                if row.zone.is_empty() {
                    row.zone = zone_id.unwrap_or_default();
                }
                self.rows.add(&row).map_err(serde::de::Error::custom)
            }
            (false, true) => Ok(()),
            (false, false) => Err(serde::de::Error::custom(
                "this is no answer of `aws ec2 describe-spot-price-history`: it lacks \
                 `SpotPriceHistory`",
            )),
        }
    }
}
