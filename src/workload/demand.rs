//! What services must serve: a curve of requests per second, times the cpu
//! time one request takes.
//!
//! A demand file is CSV with two columns: `time` (or `timestamp`): seconds
//! since the start of the run or a timestamp, ascending; `rps` (or `value`):
//! requests per second as a decimal. Each value holds until the next row, the
//! last one for ever unless the curve has a period. Of the rows before the
//! start the last one counts from the start on. A bad row fails the reading,
//! up to twenty of them at once.

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use super::generate::Fault;
use super::model::Demand;
use super::source::{BadRows, bad_value};
use super::table::Table;
use crate::error::{Error, Result};
use crate::text::{self, excerpt};
use crate::units::{MilliCpu, ParseUnitError, SimDuration, SimTime};

/// Most rows of a demand file.
const MAX_STEPS: usize = 10_000_000;

/// Largest demand in milli-cores: a million cores.
const MAX_MILLI: i128 = 1_000_000_000;

/// Requests per second, in millionths, so that decimals are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RequestRate {
    /// Requests per million seconds.
    pub micro: i64,
}

impl FromStr for RequestRate {
    type Err = ParseUnitError;
    /// A decimal number of requests per second; beyond six decimals rounded
    /// up.
    fn from_str(text: &str) -> std::result::Result<Self, ParseUnitError> {
        let bad = |why: &str| {
            ParseUnitError(format!("{why}; expected requests per second such as 250 or 0.5"))
        };
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return Err(bad("not a plain number"));
        }
        if whole.trim_start_matches('0').len() > 10 {
            return Err(bad("too large"));
        }
        let whole: i64 =
            if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad("too large"))? };
        let kept = &fraction[..fraction.len().min(6)];
        let more = fraction[kept.len()..].bytes().any(|b| b != b'0');
        let part: i64 = format!("{kept:0<6}").parse().map_err(|_| bad("not a plain number"))?;
        Ok(RequestRate { micro: whole * 1_000_000 + part + i64::from(more) })
    }
}

/// A curve of requests and what each costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandSpec {
    /// (from, requests per second), ascending, the first at 0. A constant
    /// demand is one step.
    pub steps: Vec<(SimDuration, RequestRate)>,
    /// Cpu time of one request in microseconds.
    pub cpu_us_per_request: i64,
    /// The curve starts over after this; it is cut off there.
    pub period: Option<SimDuration>,
}

impl DemandSpec {
    /// The demand in milli-cores, each step rounded up, equal neighbours
    /// merged.
    ///
    /// # Errors
    /// Everything about it that cannot work.
    pub fn demand(&self) -> std::result::Result<Demand, Vec<Fault>> {
        let mut faults = Vec::new();
        if self.cpu_us_per_request <= 0 {
            faults.push(Fault::new("cpu-time-per-request", "must be positive"));
        }
        match self.steps.first() {
            None => faults.push(Fault::new("demand", "needs at least one step")),
            Some((from, _)) if from.0 != 0 => {
                faults.push(Fault::new(
                    "demand",
                    "must say what holds at the start: its first step is not at 0",
                ));
            }
            Some(_) => {}
        }
        if let Some(w) = self.steps.windows(2).find(|w| w[0].0 >= w[1].0) {
            let cause = format!("must ascend in time: {} follows {}", w[1].0, w[0].0);
            faults.push(Fault::new("demand", cause));
        }
        if self.period.is_some_and(|p| p.0 <= 0) {
            faults.push(Fault::new("period", "must be positive"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut steps: Vec<(SimTime, MilliCpu)> = Vec::new();
        let mut stated_to = SimTime::ZERO;
        for (from, rate) in &self.steps {
            if self.period.is_some_and(|p| *from >= p) {
                break;
            }
            stated_to = SimTime(from.0);
            // Millionths of a request per second × microseconds: 10⁻¹² cores.
            let product = i128::from(rate.micro) * i128::from(self.cpu_us_per_request);
            let milli = (product + 999_999_999) / 1_000_000_000;
            if milli > MAX_MILLI {
                let cause = format!("needs more than a million cores from {from} on");
                return Err(vec![Fault::new("demand", cause)]);
            }
            let milli = MilliCpu(milli as i64);
            if steps.last().is_none_or(|(_, last)| *last != milli) {
                steps.push((SimTime(from.0), milli));
            }
        }
        Ok(Demand { steps, period: self.period, stated_to })
    }
}

/// Reads the steps of a demand file.
///
/// # Errors
/// When it cannot be read, has other columns or bad rows, or does not say
/// what holds at the start.
pub fn read_demand(
    path: &Path,
    shown: &str,
    start_unix_ms: Option<i64>,
) -> Result<Vec<(SimDuration, RequestRate)>> {
    parse_demand(text::open(path)?, shown, start_unix_ms)
}

/// As [`read_demand`] for bytes from elsewhere.
///
/// # Errors
/// As [`read_demand`].
pub fn parse_demand(
    input: Box<dyn Read>,
    name: &str,
    start_unix_ms: Option<i64>,
) -> Result<Vec<(SimDuration, RequestRate)>> {
    let mut table = Table::new(input, name)?;
    let (time_column, rate_column) = columns(&table)?;
    let mut steps: Vec<(SimDuration, RequestRate)> = Vec::new();
    let mut before_start = None;
    let mut last = None;
    let mut bad = BadRows::new(name, table.unit(), "correct them");
    while table.advance()? {
        let row = table.check_width().and_then(|()| {
            let fault = |column: &str, value: &[u8], cause: &str| {
                let mut bad = bad_value(column, value, cause, b"");
                bad.text = table.row_text();
                bad
            };
            let (time, rate) = (table.cell(time_column), table.cell(rate_column));
            let at = signed_time_ms(time, start_unix_ms).map_err(|c| fault("time", time, c))?;
            if last.is_some_and(|last| last >= at) {
                return Err(fault("time", time, "is not after the row before it"));
            }
            let rate = std::str::from_utf8(rate)
                .map_err(|_| fault("rps", rate, "is not text"))?
                .parse::<RequestRate>()
                .map_err(|e| fault("rps", rate, &format!("is {e}")))?;
            Ok((at, rate))
        });
        match row {
            Err(fault) => bad.add(table.line(), fault)?,
            Ok((at, rate)) => {
                last = Some(at);
                if at < 0 {
                    before_start = Some(rate);
                } else if steps.len() >= MAX_STEPS {
                    return Err(Error::input(format!("`{name}`: more than {MAX_STEPS} rows")));
                } else {
                    steps.push((SimDuration(at), rate));
                }
            }
        }
    }
    bad.finish()?;
    match (steps.first().map(|(at, _)| at.0), before_start) {
        (Some(0), _) => {}
        (_, Some(rate)) => steps.insert(0, (SimDuration::ZERO, rate)),
        (None, None) => {
            return Err(Error::input(format!("`{name}` has no rows; a demand needs at least one")));
        }
        (Some(at), None) => {
            return Err(Error::input(format!(
                "`{name}` starts {} after the start of the run and does not say what holds until \
                 then; add a row for the start, or set `time.start` to the first row",
                SimDuration(at)
            )));
        }
    }
    Ok(steps)
}

/// As [`text::time_ms`], but a timestamp may lie before the start.
fn signed_time_ms(
    value: &[u8],
    start_unix_ms: Option<i64>,
) -> std::result::Result<i64, &'static str> {
    match start_unix_ms {
        Some(start) if text::is_timestamp(value) => {
            let at = text::timestamp_ms(value)?.saturating_sub(start);
            if at > text::MAX_MS { Err("is more than 1,000 years after the start") } else { Ok(at) }
        }
        _ => text::time_ms(value, start_unix_ms),
    }
}

fn columns(table: &Table) -> Result<(usize, usize)> {
    let header: Vec<String> = table
        .header()
        .iter()
        .map(|h| h.trim_start_matches('\u{feff}').trim().to_ascii_lowercase())
        .collect();
    let find = |names: [&str; 2]| header.iter().position(|h| names.contains(&h.as_str()));
    match (find(["time", "timestamp"]), find(["rps", "value"])) {
        (Some(time), Some(rate)) if header.len() == 2 => Ok((time, rate)),
        _ => Err(Error::input(format!(
            "`{}`: a demand file has the two columns `time` and `rps`, not `{}`",
            table.name(),
            excerpt(table.header().join(",").as_bytes(), 80)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn rate(text: &str) -> RequestRate {
        text.parse().expect("rate")
    }

    fn parse(text: &str, start: Option<i64>) -> Result<Vec<(SimDuration, RequestRate)>> {
        parse_demand(Box::new(Cursor::new(text.to_owned().into_bytes())), "d.csv", start)
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(rate("250").micro, 250_000_000);
        assert_eq!(rate(".5").micro, 500_000);
        assert_eq!(rate("0.0000001").micro, 1);
        for bad in ["", ".", "-1", "NaN", "inf", "1e3", "99999999999", "1.2.3", "5/s"] {
            assert!(bad.parse::<RequestRate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn demand_rounds_up_and_merges() {
        let spec = DemandSpec {
            steps: vec![
                (SimDuration(0), rate("100")),
                (SimDuration(10), rate("100.0001")),
                (SimDuration(20), rate("100.00011")),
                (SimDuration(30), rate("0")),
            ],
            cpu_us_per_request: 8_000,
            period: Some(SimDuration(30)),
        };
        // 100 requests of 8 ms a second keep 0.8 cores busy.
        let steps = [(SimTime(0), MilliCpu(800)), (SimTime(10), MilliCpu(801))];
        let demand = spec.demand().expect("valid");
        assert_eq!((demand.steps.as_slice(), demand.period), (&steps[..], spec.period));
        assert_eq!(demand.stated_to, SimTime(20));
        let whole = DemandSpec { period: None, ..spec };
        let demand = whole.demand().expect("valid");
        assert_eq!((demand.steps.len(), demand.stated_to), (3, SimTime(30)));
    }

    #[test]
    fn every_fault_of_a_curve_is_named() {
        let spec = DemandSpec {
            steps: vec![(SimDuration(5), rate("1")), (SimDuration(5), rate("1"))],
            cpu_us_per_request: 0,
            period: Some(SimDuration::ZERO),
        };
        let fields: Vec<_> = spec.demand().expect_err("bad").iter().map(|f| f.field).collect();
        assert_eq!(fields, ["cpu-time-per-request", "demand", "demand", "period"]);
        let huge = DemandSpec {
            steps: vec![(SimDuration::ZERO, rate("9999999999"))],
            cpu_us_per_request: i64::MAX,
            period: None,
        };
        assert!(huge.demand().expect_err("bad")[0].cause.contains("a million cores"));
    }

    #[test]
    fn files_count_from_the_start() {
        let steps = parse("time,rps\n0,5\n1.5,7.25\n", None).expect("fine");
        assert_eq!(steps, [(SimDuration(0), rate("5")), (SimDuration(1_500), rate("7.25"))]);
        let start = Some(1_767_571_200_000);
        let text = "timestamp,value\n2026-01-04 23:50:00,1\n2026-01-04 23:55:00,2\n2026-01-05 00:05:00,3\n";
        let steps = parse(text, start).expect("fine");
        assert_eq!(steps, [(SimDuration(0), rate("2")), (SimDuration(300_000), rate("3"))]);
        let late = parse("time,rps\n60,5\n", None).expect_err("late").to_string();
        assert!(late.contains("starts 1m after the start"), "{late}");
    }

    #[test]
    fn bad_files_are_refused_with_their_lines() {
        let error = parse("time,rps\n0,x\n5,1\n5,1\n6\n", None).expect_err("bad").to_string();
        for part in [
            "`d.csv`: 3 bad rows",
            "line 2, column `rps`: `x` is not a plain number",
            "line 4, column `time`: `5` is not after the row before it",
            "line 5: has 1 fields",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(parse("time,rps\n", None).is_err());
        let error = parse("when,what\n0,1\n", None).expect_err("columns").to_string();
        assert!(error.contains("`time` and `rps`, not `when,what`"), "{error}");
    }

    #[test]
    fn a_recorded_curve_is_read() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/usage/cloudwatch-csv/elb_request_count_8c0756.csv.gz");
        let start = text::timestamp_ms(b"2014-04-10T00:04:00Z").expect("timestamp");
        let steps = read_demand(&path, "elb.csv.gz", Some(start)).expect("reads");
        assert_eq!(steps.len(), 4_032);
        let mean = steps.iter().map(|(_, r)| r.micro).sum::<i64>() / 4_032;
        assert_eq!((mean + 50_000) / 100_000, 618);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_curve_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut text = b"time,rps\n".to_vec();
            text.extend(bytes);
            let _ = parse_demand(Box::new(Cursor::new(text)), "d.csv", Some(0));
        }

        #[test]
        fn any_numbers_are_a_demand_or_faults(
            steps in proptest::collection::vec((any::<i64>(), 0..i64::MAX), 0..5),
            us in any::<i64>(), period in proptest::option::of(any::<i64>()),
        ) {
            let steps = steps.into_iter().map(|(at, micro)| (SimDuration(at), RequestRate { micro })).collect();
            let _ = DemandSpec { steps, cpu_us_per_request: us, period: period.map(SimDuration) }.demand();
        }
    }
}
