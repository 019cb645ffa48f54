//! Tells whether a CSV file ends within a quoted cell.
//!
//! The csv crate takes an unclosed quote for a cell that reaches to the end of
//! the file, and does not say so. Quotes cannot be counted instead: one within
//! an unquoted cell opens nothing. So the file gets a line more. Behind a whole
//! file that line is a record of its own; behind an open quote it becomes part
//! of the last cell. Rows cost nothing for it.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// The cell of the added line; any byte would do.
const SEAL: u8 = b'.';

/// How far the file has been handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not ended.
    Within,
    /// It has ended, and its last line too.
    LineEnd,
    /// The added line is out, so that no more follows.
    Sealed,
}

/// A reader that hands out a line end and [`SEAL`] after its input.
pub(crate) struct Sealed<R> {
    input: R,
    stage: Rc<Cell<Stage>>,
}

/// Tells records of the file from what was added.
pub(crate) struct Seal(Rc<Cell<Stage>>);

/// What a record is that the csv crate made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// One of the file.
    Record,
    /// The added line: the file has ended.
    Seal,
    /// The file has ended within the last cell.
    Open,
}

impl<R: Read> Sealed<R> {
    pub(crate) fn new(input: R) -> (Self, Seal) {
        let stage = Rc::new(Cell::new(Stage::Within));
        (Sealed { input, stage: Rc::clone(&stage) }, Seal(stage))
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        match self.stage.get() {
            Stage::Within => {}
            // Apart from the line end, so that a record which that completes
            // is out before the seal is in.
            Stage::LineEnd => {
                *first = SEAL;
                self.stage.set(Stage::Sealed);
                return Ok(1);
            }
            Stage::Sealed => return Ok(0),
        }
        let n = self.input.read(buffer)?;
        if n > 0 {
            return Ok(n);
        }
        if let Some(first) = buffer.first_mut() {
            *first = b'\n';
        }
        self.stage.set(Stage::LineEnd);
        Ok(1)
    }
}

impl Seal {
    /// What the record is that was read just now. The reader asks for more
    /// bytes only when it has used up what it has, so that the record which
    /// the seal is in is the last.
    pub(crate) fn last(&self, record: &csv::ByteRecord) -> Last {
        if self.0.get() != Stage::Sealed {
            return Last::Record;
        }
        let alone = record.len() == 1 && record.get(0) == Some(&[SEAL][..]);
        if alone { Last::Seal } else { Last::Open }
    }

    /// What is wrong with a file whose last record is [`Last::Open`], as in
    /// "`t.csv` has …"; `end` is where reading stopped.
    pub(crate) fn unclosed(last: &csv::ByteRecord, end: &csv::Position) -> String {
        let cell = last.iter().next_back().unwrap_or_default();
        let within = cell.split(|c| *c == b'\n').skip(1).count() as u64;
        let line = end.line().saturating_sub(within);
        format!(
            "a quote on line {line} that opens a cell and is never closed; close it, and write a \
             quote that is part of a cell twice"
        )
    }
}
