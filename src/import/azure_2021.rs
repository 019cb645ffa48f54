//! Invocations of Azure Functions, 2021 (`AzureFunctionsInvocationTrace`):
//! one row an invocation.
//!
//! | column | use |
//! | --- | --- |
//! | `end_timestamp` − `duration` | arrival, seconds since the start of the trace |
//! | `duration` | run time, seconds |
//! | `func` | name: the first twelve characters |
//! | `app` | not used |
//!
//! Every invocation is a pod of its own that ends with it: no instance is
//! kept warm or shared. The trace says nothing of cpu and memory.
//!
//! | | what happens |
//! | --- | --- |
//! | required option | `requests.cpu`, `requests.memory` |
//! | sorted | invocations before an earlier arrival, counted; the trace stands in order of endings |
//! | rejected | nothing |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large |
//! | clipped | `already-running`: began before the trace; what is left of it runs from 0 on |
//! | warned | `zero-run-time` |

use std::io::Read;

use super::swf::ZERO_RUN_TIME;
use crate::error::Result;
use crate::text;
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource};
use crate::workload::table::Table;

const ALREADY_RUNNING: Code = Code {
    name: "already-running",
    text: "invocations that began before the trace; the rest of them runs from its start on",
};

/// Columns that must be present, in the order of their use.
const REQUIRED: [&str; 3] = ["func", "end_timestamp", "duration"];

/// Characters of a function's hash that name its pods.
pub(super) const NAME_CHARACTERS: usize = 12;

/// Reads the list of invocations.
pub struct Azure2021 {
    table: Table,
    at: [usize; REQUIRED.len()],
}

impl Azure2021 {
    /// Reads `input`, which errors call `name`.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn new(input: Box<dyn Read>, name: &str) -> Result<Self> {
        let table = Table::new(input, name)?;
        let at = table.require(REQUIRED, "an invocation list of azure-functions-2021")?;
        Ok(Azure2021 { table, at })
    }

    fn times(&self) -> std::result::Result<(i64, i64), BadRow> {
        let table = &self.table;
        table.check_width()?;
        let seconds = |i: usize| {
            text::seconds_ms(table.cell(self.at[i])).map_err(|c| table.fault(self.at[i], c))
        };
        Ok((seconds(1)?, seconds(2)?))
    }
}

/// What names the pods of a function.
pub(super) fn short_name(hash: &[u8]) -> Option<&str> {
    let hash = std::str::from_utf8(hash.trim_ascii()).ok()?;
    let end = hash.char_indices().nth(NAME_CHARACTERS).map_or(hash.len(), |(at, _)| at);
    hash.get(..end)
}

impl RowSource for Azure2021 {
    fn extended(&self) -> &[String] {
        &[]
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if !self.table.advance()? {
            return Ok(Next::End);
        }
        let (end_ms, whole_ms) = match self.times() {
            Ok(times) => times,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        let Some(name) = short_name(self.table.cell(self.at[0])) else {
            return Ok(Next::Bad(self.table.fault(self.at[0], "is not text")));
        };
        let duration_ms = whole_ms.min(end_ms);
        Ok(Next::Row(RawRow {
            name,
            arrival_ms: end_ms - duration_ms,
            duration_ms,
            count: 1,
            clipped: (whole_ms > end_ms).then_some(ALREADY_RUNNING),
            warnings: [(duration_ms == 0).then_some(ZERO_RUN_TIME), None, None],
            ..RawRow::default()
        }))
    }

    fn position(&self) -> u64 {
        self.table.line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    const TEXT: &str = "app,func,end_timestamp,duration\n\
        a,0123456789abcdef,10.5,9.25\nb,xyz,3,5\nb,xyz,12,0\n";

    fn read(text: &[u8], on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let input = text::unpack(Cursor::new(text.to_vec())).expect("memory");
        let mut source = Azure2021::new(input, "t.csv")?;
        load(&mut source, "t.csv", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    #[test]
    fn invocations_arrive_when_they_began() {
        let loaded = read(TEXT.as_bytes(), OnBadRow::Fail).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [0, 1_250, 12_000]);
        assert_eq!(trace.duration_ms, [3_000, 9_250, 0]);
        assert_eq!((trace.name(0), trace.name(1)), ("xyz", "0123456789ab"));
        assert_eq!(loaded.report.clipped["already-running"].rows, 1);
        assert_eq!(loaded.report.warnings["zero-run-time"].rows, 1);
        assert_eq!(loaded.report.sorted, 1);
    }

    #[test]
    fn bad_rows_and_headers_are_named() {
        let text = "app,func,end_timestamp,duration\na,f,-1,0\na,f,1,x\na,f,1e300,1\na,f\n";
        let error = read(text.as_bytes(), OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "line 2, column `end_timestamp`: `-1` is negative",
            "line 3, column `duration`: `x` is not a number of seconds",
            "line 4, column `end_timestamp`: `1e300` is later or longer than 1,000 years",
            "line 5: has 2 fields where the header has 4",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = read(b"HashOwner,HashApp\n", OnBadRow::Fail).expect_err("2019").to_string();
        assert!(error.contains("is not an invocation list of azure-functions-2021"), "{error}");
    }

    #[test]
    fn the_real_list_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/traces/azure-functions-2021/Azure2021_30.csv");
        let input = text::open(&path).expect("opens");
        let mut source = Azure2021::new(input, "azure").expect("header");
        let loaded = load(&mut source, "azure", &TraceOptions::default()).expect("reads");
        let trace = &loaded.data.trace;
        assert_eq!((loaded.report.rows, loaded.report.accepted), (29, 29));
        assert_eq!((trace.arrival_ms[0], trace.arrival_ms[28]), (1_000, 123_500));
        assert_eq!(trace.duration_ms.iter().sum::<i64>(), 261_000);
        assert_eq!(trace.name(0), "11111f8758c8");
    }

    proptest! {
        #[test]
        fn no_changed_byte_panics(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let mut text = TEXT.as_bytes().to_vec();
            let i = at.index(text.len());
            text[i] = byte;
            let _ = read(&text, OnBadRow::Quarantine);
            let _ = read(&text[..i], OnBadRow::Fail);
        }
    }
}
