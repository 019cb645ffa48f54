//! Any Parquet table as rows of text, for readers that know CSV: billing files.
//! A cell is the text that a CSV file of the same rows holds, so both are read
//! by the same code.
//!
//! Memory is bounded by what is asked for: the compressed bytes of the chosen
//! columns of one row group, and 16,384 decoded rows of them. Measured: a
//! Cost and Usage Report of a million rows in one row group, 32 MB, is billed in
//! 54 MB; as CSV, 344 MB, in 31 MB.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use polars::prelude::ArrowField;
use polars_parquet::read::{FileMetadata, infer_schema, read_metadata};

use super::columns::{quietly, unreadable};
use super::leaves::{Cells, Leaves};
use crate::error::{Error, Result};
use crate::text;
use crate::workload::table::{Rows, Table};

/// Rows decoded at once.
pub(super) const BATCH: usize = 1 << 14;
/// Most compressed bytes of the chosen columns of a row group.
const MAX_GROUP_BYTES: u64 = 1 << 30;
/// What every Parquet file starts and ends with.
const MAGIC: [u8; 4] = *b"PAR1";

/// Opens a table, whatever its name says: Parquet, or CSV, plain or gzip.
///
/// # Errors
/// When it cannot be read, or its header is none.
pub fn open_table(path: &Path) -> Result<Table> {
    text::check_regular(path)?;
    let failed = |e: &std::io::Error| Error::read(path, e);
    let mut file = File::open(path).map_err(|e| failed(&e))?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start).map_err(|e| failed(&e))?;
    if start != MAGIC {
        return Table::open(path);
    }
    let name = path.display().to_string();
    let rows = ParquetRows::open(file, &name)?;
    let header = rows.fields.iter().map(|field| field.name.to_string()).collect();
    Ok(Table::of_rows(&name, header, Box::new(rows)))
}

/// An open Parquet file.
struct ParquetRows {
    name: String,
    file: File,
    metadata: FileMetadata,
    /// The columns of the file.
    fields: Vec<ArrowField>,
    /// Those that are read, in the order of the file.
    chosen: Vec<usize>,
    /// The next row group, and the bytes of the chosen columns of the last.
    group: usize,
    leaves: Vec<Leaves>,
    /// Rows of the last group, and how many of them are decoded.
    group_rows: usize,
    decoded: usize,
    /// The decoded rows, by column of the file; how many, and the last one.
    cells: Vec<Option<Cells>>,
    rows: usize,
    at: usize,
    /// Rows read in all.
    number: u64,
}

impl ParquetRows {
    fn open(mut file: File, name: &str) -> Result<Self> {
        let mut end = [0; 4];
        let is_whole = file.seek(SeekFrom::End(-4)).and_then(|_| file.read_exact(&mut end)).is_ok();
        if !is_whole || end != MAGIC {
            return Err(unreadable(name, "its end is missing; was it cut off?"));
        }
        let (metadata, fields) = sound(name, || {
            let metadata = read_metadata(&mut file)?;
            let fields: Vec<ArrowField> = infer_schema(&metadata)?.iter_values().cloned().collect();
            Ok((metadata, fields))
        })?;
        Ok(ParquetRows {
            name: name.to_owned(),
            file,
            metadata,
            cells: fields.iter().map(|_| None).collect(),
            fields,
            chosen: Vec::new(),
            group: 0,
            leaves: Vec::new(),
            group_rows: 0,
            decoded: 0,
            rows: 0,
            at: 0,
            number: 0,
        })
    }

    /// Reads the bytes of the next row group; false at the end.
    fn next_group(&mut self) -> Result<bool> {
        let Some(group) = self.metadata.row_groups.get(self.group) else { return Ok(false) };
        self.group += 1;
        (self.group_rows, self.decoded) = (group.num_rows(), 0);
        self.leaves.clear();
        let mut size = 0u64;
        for column in &self.chosen {
            let Some(field) = self.fields.get(*column) else { continue };
            let mut leaves = Leaves::of(field, group).map_err(|cause| self.unfit(field, &cause))?;
            size = leaves.bytes().saturating_add(size);
            if size > MAX_GROUP_BYTES {
                return Err(Error::input(format!(
                    "`{}`: row group {} has more than 1 GiB in the columns that are read; write \
                     smaller row groups",
                    self.name, self.group
                )));
            }
            leaves.read(&mut self.file).map_err(|cause| unreadable(&self.name, &cause))?;
            self.leaves.push(leaves);
        }
        Ok(true)
    }

    /// Decodes rows until there are some; false at the end.
    fn next_batch(&mut self) -> Result<bool> {
        while self.decoded == self.group_rows {
            if !self.next_group()? {
                return Ok(false);
            }
        }
        let end = self.group_rows.min(self.decoded + BATCH);
        let group = self.group.checked_sub(1).and_then(|at| self.metadata.row_groups.get(at));
        let Some(group) = group else { return Ok(false) };
        for (column, leaves) in self.chosen.iter().zip(&self.leaves) {
            let cells = sound(&self.name, || leaves.decode(group, self.decoded..end))?;
            if let Some(slot) = self.cells.get_mut(*column) {
                *slot = Some(cells);
            }
        }
        self.rows = end - self.decoded;
        (self.decoded, self.at) = (end, 0);
        Ok(true)
    }

    fn unfit(&self, field: &ArrowField, cause: &str) -> Error {
        Error::input(format!("`{}`: column `{}` {cause}", self.name, field.name))
    }
}

impl Rows for ParquetRows {
    fn choose(&mut self, columns: &[usize]) -> Result<()> {
        self.chosen = columns.to_vec();
        self.chosen.sort_unstable();
        self.chosen.dedup();
        if let Some(group) = self.metadata.row_groups.first() {
            for field in self.chosen.iter().filter_map(|column| self.fields.get(*column)) {
                Leaves::of(field, group).map_err(|cause| self.unfit(field, &cause))?;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<bool> {
        self.at += 1;
        if self.at >= self.rows && !self.next_batch()? {
            return Ok(false);
        }
        self.number += 1;
        let at = self.at;
        for cells in self.cells.iter_mut().flatten() {
            cells.write(at);
        }
        Ok(true)
    }

    fn cell(&self, column: usize) -> &[u8] {
        self.cells.get(column).and_then(Option::as_ref).map_or(b"", |cells| cells.get(self.at))
    }

    fn number(&self) -> u64 {
        self.number
    }
}

/// Runs the decoder, whose panics are a damaged file's too.
fn sound<T>(name: &str, decode: impl FnOnce() -> polars::prelude::PolarsResult<T>) -> Result<T> {
    match quietly(decode) {
        Some(result) => result.map_err(|e| unreadable(name, &e.to_string())),
        None => Err(unreadable(name, "its contents are damaged")),
    }
}
