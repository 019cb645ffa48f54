//! One column of one row group of a Parquet file: its bytes, checked, and its
//! cells as text.
//!
//! Decoded by the types that the bytes have, not by those that a table of polars
//! would take: a time is a whole number of ticks, text is bytes, and a map of
//! texts, which billing files have for tags, is a list of keys and one of values.

use std::fmt::Write as _;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

use jiff::Timestamp;
use polars::prelude::{
    ArrayRef, ArrowDataType, ArrowField, ArrowTimeUnit, BinaryChunked, BooleanChunked,
    ChunkApply as _, DataType, Float64Chunked, Int64Chunked, LargeListArray, NewChunkedArray as _,
    PlSmallStr, PolarsResult, Series, polars_err,
};
use polars_arrow::array::{Array as _, BinaryViewArray, PrimitiveArray};
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, Filter, PageReader, PhysicalType, RowGroupMetadata,
    column_iter_to_arrays,
};

use super::columns::Values;
use super::pages;
use crate::text::excerpt;

/// Most entries of a map for every row, on average: AWS has 50 tags.
const MAX_ENTRIES: usize = 1_000;

/// Most places of a decimal: digits of the integer that it is decoded as.
const MAX_PLACES: usize = 38;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A number.
    Number,
    /// A flag.
    Flag,
    /// Text, or bytes that nothing is said of.
    Bytes,
    /// A moment, in so many ticks a second since 1970.
    Time(i64),
    /// Days since 1970.
    Day,
    /// A decimal of so many places.
    Decimal(usize),
    /// Texts by name.
    Map,
}

/// Bytes of one leaf, to be decoded as often as there are batches.
type Pages = Box<dyn Fn(&ColumnChunkMetadata) -> BasicDecompressor>;

/// A column of a row group: two leaves of a map, one of anything else.
pub(super) struct Leaves {
    kind: Kind,
    name: PlSmallStr,
    parts: Vec<Leaf>,
}

struct Leaf {
    /// What it is decoded as.
    field: ArrowField,
    /// Where it stands in the row group.
    at: usize,
    bytes: Range<u64>,
    /// Most values of a page.
    most: usize,
    pages: Option<Pages>,
}

impl Leaves {
    /// The column of a field.
    ///
    /// # Errors
    /// Says what it has that has no text.
    pub(super) fn of(field: &ArrowField, group: &RowGroupMetadata) -> Result<Self, String> {
        let unfit = || {
            // Polars has no names for types that it is built without.
            let dtype = excerpt(format!("{:?}", field.dtype()).as_bytes(), 60);
            format!("has type {dtype}; write it as a number, a time or text")
        };
        let places = group.columns_idxs_under_root_iter(&field.name).ok_or_else(unfit)?;
        let columns = group.parquet_columns();
        let leaf = |at: &usize, field: ArrowField, most: usize| {
            let bytes = columns.get(*at).ok_or_else(unfit)?.byte_range();
            Ok::<Leaf, String>(Leaf { field, at: *at, bytes, most, pages: None })
        };
        let rows = group.num_rows();
        let typed = |dtype| ArrowField { dtype, ..field.clone() };
        if let [at] = places {
            let of = &columns.get(*at).ok_or_else(unfit)?.descriptor().descriptor;
            let (kind, dtype) = plain(of.primitive_type.physical_type, field.dtype())
                .filter(|_| of.max_rep_level == 0)
                .ok_or_else(unfit)?;
            let parts = vec![leaf(at, typed(dtype), rows)?];
            return Ok(Leaves { kind, name: field.name.clone(), parts });
        }
        let [key, value] = places else { return Err(unfit()) };
        let mut parts = Vec::with_capacity(2);
        for (at, name) in [(key, "key"), (value, "value")] {
            let column = columns.get(*at).ok_or_else(unfit)?;
            let path = &column.descriptor().path_in_schema;
            if path.last().is_none_or(|last| last != name) {
                return Err(unfit());
            }
            let of = &column.descriptor().descriptor;
            // Of the levels that say what is there, one is the map's if it may
            // be null, one says whether it has entries, one is the text's.
            let may_be_null = match of.max_def_level - i16::from(field.is_nullable) {
                1 => false,
                2 => true,
                _ => return Err(unfit()),
            };
            let values = usize::try_from(column.num_values()).unwrap_or(usize::MAX);
            let is_text = of.primitive_type.physical_type == PhysicalType::ByteArray;
            if of.max_rep_level != 1 || !is_text || values > rows.saturating_mul(MAX_ENTRIES) {
                return Err(unfit());
            }
            let text = ArrowField::new("text".into(), ArrowDataType::BinaryView, may_be_null);
            parts.push(leaf(at, typed(ArrowDataType::LargeList(Box::new(text))), values)?);
        }
        Ok(Leaves { kind: Kind::Map, name: field.name.clone(), parts })
    }

    /// Compressed bytes of the column.
    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(|leaf| leaf.bytes.end.saturating_sub(leaf.bytes.start)).sum()
    }

    /// Reads the bytes, and checks what they claim.
    ///
    /// # Errors
    /// Says how they are damaged.
    pub(super) fn read<R: Read + Seek>(&mut self, file: &mut R) -> Result<(), String> {
        for leaf in &mut self.parts {
            let mut bytes = Vec::new();
            let size = leaf.bytes.end.saturating_sub(leaf.bytes.start);
            file.seek(SeekFrom::Start(leaf.bytes.start))
                .and_then(|_| file.by_ref().take(size).read_to_end(&mut bytes))
                .map_err(|e| e.to_string())?;
            let chunk = pages::Chunk { bytes: 0..size, rows: leaf.most };
            pages::check(&bytes, std::iter::once(chunk))?;
            // A buffer that clones share.
            let shared = Cursor::new(bytes.into());
            leaf.pages = Some(Box::new(move |column| {
                let pages = PageReader::new(shared.clone(), column, Vec::new(), usize::MAX);
                BasicDecompressor::new(pages, Vec::new())
            }));
        }
        Ok(())
    }

    /// Decodes some rows of the group.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub(super) fn decode(
        &self,
        group: &RowGroupMetadata,
        rows: Range<usize>,
    ) -> PolarsResult<Cells> {
        let damaged = || polars_err!(ComputeError: "column `{}` is incomplete", self.name);
        let mut arrays: Vec<Vec<ArrayRef>> = Vec::with_capacity(2);
        for leaf in &self.parts {
            let column = group.parquet_columns().get(leaf.at).ok_or_else(damaged)?;
            let pages = leaf.pages.as_ref().ok_or_else(damaged)?(column);
            let of = &column.descriptor().descriptor.primitive_type;
            let range = Filter::new_ranged(rows.start, rows.end);
            let (decoded, _) =
                column_iter_to_arrays(vec![pages], vec![of], leaf.field.clone(), Some(range))?;
            // A damaged page can leave a column of another length than it claims.
            if decoded.iter().map(|array| array.len()).sum::<usize>() != rows.len() {
                return Err(damaged());
            }
            arrays.push(decoded);
        }
        let first = || arrays.first().ok_or_else(damaged);
        let series = || -> PolarsResult<Series> {
            Ok(Series::try_from((self.name.clone(), first()?.clone()))?.rechunk())
        };
        let whole = |series: &Series| -> PolarsResult<Int64Chunked> {
            Ok(series.strict_cast(&DataType::Int64)?.i64()?.clone())
        };
        let texts = match self.kind {
            Kind::Map => {
                let (Some(keys), Some(values)) = (arrays.first(), arrays.get(1)) else {
                    return Err(damaged());
                };
                Texts::Map(maps(keys, values).ok_or_else(damaged)?)
            }
            Kind::Time(ticks) => {
                let arrays = first()?.iter().map(|array| {
                    let array = array.as_any().downcast_ref::<PrimitiveArray<i64>>()?;
                    Some(array.clone().to(ArrowDataType::Int64))
                });
                let arrays: Vec<_> = arrays.collect::<Option<_>>().ok_or_else(damaged)?;
                Texts::Time(Int64Chunked::from_chunk_iter(self.name.clone(), arrays), ticks)
            }
            Kind::Decimal(places) => {
                let mut values = Vec::with_capacity(rows.len());
                for array in first()? {
                    let array = array.as_any().downcast_ref::<PrimitiveArray<i128>>();
                    values.extend(array.ok_or_else(damaged)?.iter().map(Option::<&i128>::copied));
                }
                Texts::Decimal(values, places)
            }
            Kind::Number => {
                let series = series()?;
                Texts::Number(match series.dtype() {
                    // A single 0.1 is meant as 0.1, not as its neighbour.
                    DataType::Float32 => {
                        let singles = series.f32()?.iter();
                        let meant = singles.map(|v| v.and_then(|v| v.to_string().parse().ok()));
                        Values::Floating(Float64Chunked::from_iter_options(
                            self.name.clone(),
                            meant,
                        ))
                    }
                    DataType::Float64 => Values::Floating(series.f64()?.clone()),
                    _ => Values::Whole(whole(&series)?),
                })
            }
            // Midnight, in seconds.
            Kind::Day => Texts::Time(whole(&series()?)?.apply_values(|day| day * 86_400), 1),
            Kind::Flag => Texts::Flag(series()?.bool()?.clone()),
            Kind::Bytes => Texts::Bytes(series()?.binary()?.clone()),
        };
        Ok(Cells { texts, text: String::new(), moment: None })
    }
}

/// What a column of one leaf is, and what it is decoded as; `None` where it has
/// no text.
fn plain(physical: PhysicalType, dtype: &ArrowDataType) -> Option<(Kind, ArrowDataType)> {
    use ArrowDataType as D;
    use PhysicalType as P;
    Some(match (physical, dtype) {
        (_, D::Decimal(_, places) | D::Decimal32(_, places) | D::Decimal64(_, places)) => {
            // Of bytes of any length a file may claim any number.
            if *places > MAX_PLACES {
                return None;
            }
            (Kind::Decimal(*places), dtype.clone())
        }
        (P::ByteArray, _) => (Kind::Bytes, D::BinaryView),
        (P::Int64, D::Timestamp(unit, _)) => (Kind::Time(ticks(*unit)), D::Int64),
        (P::Int96, _) => {
            let unit = ArrowTimeUnit::Microsecond;
            (Kind::Time(ticks(unit)), D::Timestamp(unit, None))
        }
        (P::Int32, D::Date32) => (Kind::Day, D::Int32),
        (P::Boolean, D::Boolean) => (Kind::Flag, D::Boolean),
        (P::Int32, D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32)
        | (P::Int64, D::Int64 | D::UInt64 | D::UInt32)
        | (P::Float, D::Float32)
        | (P::Double, D::Float64) => (Kind::Number, dtype.clone()),
        _ => return None,
    })
}

/// Ticks of a second.
const fn ticks(unit: ArrowTimeUnit) -> i64 {
    match unit {
        ArrowTimeUnit::Second => 1,
        ArrowTimeUnit::Millisecond => 1_000,
        ArrowTimeUnit::Microsecond => 1_000_000,
        ArrowTimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The JSON of every map, as a CSV file has it; `None` for null.
fn maps(keys: &[ArrayRef], values: &[ArrayRef]) -> Option<Vec<Option<String>>> {
    let mut all = Vec::new();
    for (keys, values) in keys.iter().zip(values) {
        let keys = keys.as_any().downcast_ref::<LargeListArray>()?;
        let values = values.as_any().downcast_ref::<LargeListArray>()?;
        if keys.offsets() != values.offsets() {
            return None;
        }
        let text = |list: &LargeListArray, at: usize| {
            let array = list.values().as_any().downcast_ref::<BinaryViewArray>()?;
            let bytes = (at < array.len()).then(|| array.get(at))?;
            Some(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        };
        for row in 0..keys.len() {
            if keys.is_null(row) {
                all.push(None);
                continue;
            }
            let (start, end) = keys.offsets().start_end(row);
            let mut map = serde_json::Map::new();
            for at in start..end {
                let value = text(values, at)?.map_or(serde_json::Value::Null, Into::into);
                map.insert(text(keys, at)?.unwrap_or_default(), value);
            }
            all.push(Some(serde_json::Value::Object(map).to_string()));
        }
    }
    Some(all)
}

/// Decoded values of a column.
enum Texts {
    Number(Values),
    Flag(BooleanChunked),
    Bytes(BinaryChunked),
    Time(Int64Chunked, i64),
    Decimal(Vec<Option<i128>>, usize),
    Map(Vec<Option<String>>),
}

/// Decoded cells of a column, one of them as text.
pub(super) struct Cells {
    texts: Texts,
    text: String,
    /// The moment that stands in `text`: the next one is often the same.
    moment: Option<i64>,
}

impl Cells {
    /// Makes the text of a row, where it is none by itself.
    pub(super) fn write(&mut self, row: usize) {
        let text = &mut self.text;
        // Writing to a string cannot fail.
        let _ = match &self.texts {
            Texts::Bytes(_) | Texts::Map(_) => Ok(()),
            Texts::Number(values) => {
                values.write(row, text);
                Ok(())
            }
            Texts::Flag(flags) => {
                text.clear();
                flags.get(row).map_or(Ok(()), |flag| write!(text, "{flag}"))
            }
            Texts::Time(times, second) => {
                let value = times.get(row);
                if value.is_some() && value == self.moment {
                    return;
                }
                self.moment = value;
                text.clear();
                value.map_or(Ok(()), |value| match moment(value, *second) {
                    Some(time) => write!(text, "{time}"),
                    None => write!(text, "{value}"),
                })
            }
            Texts::Decimal(values, places) => {
                text.clear();
                values.get(row).copied().flatten().map_or(Ok(()), |value| {
                    let sign = if value < 0 { "-" } else { "" };
                    let digits = format!("{:0>1$}", value.unsigned_abs(), places + 1);
                    let (whole, part) = digits.split_at(digits.len() - places);
                    let point = if part.is_empty() { "" } else { "." };
                    write!(text, "{sign}{whole}{point}{part}")
                })
            }
        };
    }

    /// The text of the row that was written last, which is `row`.
    pub(super) fn get(&self, row: usize) -> &[u8] {
        match &self.texts {
            Texts::Bytes(values) => values.get(row).unwrap_or_default(),
            Texts::Map(maps) => {
                maps.get(row).and_then(Option::as_deref).unwrap_or_default().as_bytes()
            }
            _ => self.text.as_bytes(),
        }
    }
}

/// A moment of so many ticks since 1970.
fn moment(value: i64, second: i64) -> Option<Timestamp> {
    let nanoseconds = value.rem_euclid(second) * (1_000_000_000 / second);
    Timestamp::new(value.div_euclid(second), i32::try_from(nanoseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_places_that_can_be_written() {
        let of = |places| plain(PhysicalType::ByteArray, &ArrowDataType::Decimal(places, places));
        assert!(matches!(of(38), Some((Kind::Decimal(38), _))));
        assert!(of(39).is_none() && of(100_000).is_none());
    }
}
