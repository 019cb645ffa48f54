//! When a run starts and ends.

use jiff::Timestamp;

use super::defaults::{START_UNIX_MS, WARMUP};
use super::notes::Notes;
use crate::scenario::{self, Scenario, Spanned, WorkloadKind};
use crate::units::{DAY_MS, SimDuration, SimTime};
use crate::world::Horizon;

/// The longest run: bills and timelines keep a row for every hour.
pub(super) const LONGEST: SimDuration = SimDuration(3_660 * DAY_MS);

/// The time a run covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// Start, Unix milliseconds.
    pub(super) start_unix_ms: i64,
    /// End.
    pub(super) horizon: Horizon,
    /// What is left out at the start.
    pub(super) warmup: SimTime,
}

/// Links `time`. Even a faulty one has a start, so that traces can be read.
pub(super) fn link(scenario: &Scenario, notes: &mut Notes<'_>) -> Window {
    let time = &scenario.time;
    let start_unix_ms = if let Some(start) = time.start {
        start.value.as_millisecond()
    } else {
        let text = Timestamp::from_millisecond(START_UNIX_MS.value)
            .map_or_else(|_| String::new(), |t| t.to_string());
        notes.default("time.start", text, START_UNIX_MS.note);
        START_UNIX_MS.value
    };
    let horizon = horizon(scenario, time.horizon.as_ref(), notes);
    let warmup = notes.or_default(time.warmup, "time.warmup", WARMUP);
    if let (Some(given), Horizon::At(end)) = (&time.warmup, horizon)
        && warmup.0 >= end.0
    {
        notes
            .diags
            .error(
                given.span,
                format!(
                    "the warm-up of {warmup} leaves nothing of a run of {}",
                    end - SimTime::ZERO
                ),
            )
            .help("shorten `time.warmup`, or lengthen `time.horizon`");
    }
    Window { start_unix_ms, horizon, warmup: SimTime(warmup.0) }
}

fn horizon(
    scenario: &Scenario,
    given: Option<&Spanned<scenario::Horizon>>,
    notes: &mut Notes<'_>,
) -> Horizon {
    let is_batch =
        |kind: &WorkloadKind| matches!(kind, WorkloadKind::Trace(..) | WorkloadKind::Generate(_));
    let batch = scenario.workload.iter().any(|(_, w)| is_batch(&w.kind));
    match given {
        Some(Spanned { value: scenario::Horizon::For(length), span }) => {
            if length.0 > LONGEST {
                notes.diags.error(*span, format!("a run lasts at most {LONGEST}"));
            }
            Horizon::At(SimTime(length.0.0))
        }
        Some(Spanned { value: scenario::Horizon::UntilIdle, span }) => {
            if !batch {
                notes
                    .diags
                    .error(*span, "a run until idle needs work that ends: a trace or a generator")
                    .help("services never finish; state a length such as `horizon: 7d`");
            }
            Horizon::UntilIdle
        }
        None if batch => {
            notes.default("time.horizon", "until-idle", "there is work that ends");
            Horizon::UntilIdle
        }
        None => {
            notes
                .diags
                .error(
                    scenario.name.span,
                    "the scenario needs `time.horizon`: services never finish by themselves",
                )
                .help("state a length such as `time: { horizon: 7d }`");
            Horizon::UntilIdle
        }
    }
}
