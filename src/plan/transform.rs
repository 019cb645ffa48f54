//! Growth, thinning and resampled days: which of them each workload gets.

use super::notes::Notes;
use super::time::Window;
use crate::scenario::{self, KeepDay, Scenario, Span, Spanned, quote};
use crate::units::DAY_MS;
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::transform::{Factor, Resample, Transform, demand_days, whole_days};
use crate::world::Horizon;

/// Largest demand that growth may lead to, milli-cores, and most replicas.
const MAX_MILLI: i64 = 1_000_000_000;
const MAX_REPLICAS: u32 = 1_000_000;

/// Gives every workload what the scenario and it itself say.
pub(super) fn link(
    scenario: &Scenario,
    window: Window,
    planned: &mut [PlannedWorkload],
    notes: &mut Notes<'_>,
) {
    for workload in planned {
        let stated = scenario.workload.iter().find(|(name, _)| name.value == workload.name);
        let Some((name, stated)) = stated else { continue };
        let mut factor = Factor::ONE;
        let growth = [scenario.growth, stated.growth];
        let thin = [scenario.thin, stated.thin];
        match workload.content {
            Content::Daemon(_) => continue,
            Content::Service(_) => {}
            Content::Trace(_) | Content::Generator(_) => {
                factor = thin.iter().flatten().fold(factor, |f, t| f.times(t.value.0.0));
            }
        }
        factor = growth.iter().flatten().fold(factor, |f, g| f.times(g.value.0));
        let path = format!("workload.{}.resample", name.value);
        let own = stated.resample.as_ref().map(|r| (r, path.as_str(), true));
        let given = own.or(scenario.resample.as_ref().map(|r| (r, "resample", false)));
        let resample =
            given.and_then(|given| resample(&workload.content, name, given, window, notes));
        workload.transform = Transform { factor, resample };
        if let Some(span) = stated.growth.or(scenario.growth).map(|g| g.span) {
            check_size(workload, name, span, notes);
        }
    }
}

/// Refuses a service that grows beyond what may be simulated.
fn check_size(
    workload: &PlannedWorkload,
    name: &Spanned<String>,
    span: Span,
    notes: &mut Notes<'_>,
) {
    let Content::Service(service) = &workload.content else { return };
    let too_large = match &service.demand {
        Some(demand) => {
            let grown = Transform { resample: None, ..workload.transform }.demand(demand, 0);
            grown.steps.iter().any(|(_, milli)| milli.0 > MAX_MILLI)
        }
        None => workload.transform.replicas(service.max) > MAX_REPLICAS,
    };
    if too_large {
        let message = format!("{} grows beyond a million cores or replicas", quote(&name.value));
        notes.diags.error(span, message);
    }
}

fn resample(
    content: &Content,
    name: &Spanned<String>,
    (given, path, own): (&Spanned<scenario::Resample>, &str, bool),
    window: Window,
    notes: &mut Notes<'_>,
) -> Option<Resample> {
    let (what, source) = match content {
        Content::Trace(data) => {
            ("trace", whole_days(data.trace.arrival_ms.last().copied().unwrap_or(0)))
        }
        Content::Service(service) => match &service.demand {
            Some(demand) if demand.steps.len() > 1 => ("demand", demand_days(demand)),
            _ if own => {
                let message = "`resample` has no effect on a service whose demand never changes";
                notes.diags.error(given.span, message);
                return None;
            }
            _ => return None,
        },
        Content::Generator(_) | Content::Daemon(_) => return None,
    };
    let days = if let Some(days) = given.value.days {
        days.value.get() as u32
    } else {
        let (days, note) = match window.horizon {
            Horizon::At(end) => ((end.0 + DAY_MS - 1) / DAY_MS, "the days of the run"),
            Horizon::UntilIdle => (source as i64, "as many as there are to draw from"),
        };
        notes.default(format!("{path}.days"), days, note);
        u32::try_from(days).unwrap_or(u32::MAX)
    };
    let keep_weekday = given.value.keep.is_some_and(|k| k.value == KeepDay::Weekday);
    let resample = Resample { days, keep_weekday };
    if let Some(fault) = resample.fault(source) {
        let message = format!("the {what} of workload {} {fault}", quote(&name.value));
        notes.diags.error(given.span, message).help(
            "a day counts as whole if it is reached into its last hour, counted from `time.start`; \
             a demand that repeats must do so after whole days",
        );
        return None;
    }
    Some(resample)
}
