//! What the payer uses outside the scenario, at the prices of the Region.

use std::sync::Arc;

use jiff::Timestamp;

use super::commitments::Linker;
use super::files::Files;
use super::notes::Notes;
use super::other_file::{FARGATE, OtherFile, unit};
use super::time::Window;
use crate::bill::{Commitment, OtherItem, OtherUsage, Unit};
use crate::catalog::Arch;
use crate::scenario::{self, CommitmentOwner, Scenario, Source, quote};
use crate::units::HOUR_MS;
use crate::world::Horizon;

/// Reads the file of a scenario; `None` without one, or after a reported
/// error.
pub(super) fn read(
    scenario: &Scenario,
    source: &Source,
    window: Window,
    files: &mut Files,
    notes: &mut Notes<'_>,
) -> Option<Arc<OtherFile>> {
    let file = &scenario.other_usage.as_ref()?.file;
    let read = match files.other_usage(&source.locate(&file.value), file.value.as_str()) {
        Ok(read) => read,
        Err(error) => {
            notes.diags.error(file.span, error.to_string());
            return None;
        }
    };
    if let Some((first, last)) = read.hours.span() {
        let start = window.start_unix_ms.div_euclid(HOUR_MS);
        let end = match window.horizon {
            Horizon::At(end) => {
                (window.start_unix_ms.saturating_add(end.ms()) - 1).div_euclid(HOUR_MS)
            }
            // Of an open end only the start can be compared.
            Horizon::UntilIdle => start.max(last),
        };
        if first > start || last < end {
            let message = format!(
                "other usage is stated from {} to {}, and the run has hours outside: there is none \
                 in them",
                hour(first),
                hour(last)
            );
            notes.diags.warning("other-usage-elsewhere", file.span, message).help(
                "state the hours of the run, or a week that repeats in a column `hour_of_week`",
            );
        }
    }
    Some(read)
}

fn hour(hour: i64) -> String {
    Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS))
        .map_or_else(|_| hour.to_string(), |time| time.to_string())
}

impl Linker<'_> {
    /// Gives what a file states its prices; `None` after a reported error.
    pub(super) fn other_usage(
        &self,
        it: &scenario::OtherUsage,
        file: &OtherFile,
        commitments: &[(&scenario::Commitment, Commitment)],
        notes: &mut Notes<'_>,
    ) -> Option<OtherUsage> {
        let owner = it.owner.map_or(CommitmentOwner::Scenario, |owner| owner.value);
        if it.owner.is_none() {
            let note =
                "choice: the scenario's account owns the commitments, so it is covered first";
            notes.default("other-usage.owner", "scenario", note);
        }
        let items: Vec<Option<OtherItem>> = file
            .kinds
            .iter()
            .map(|(kind, line)| self.other_item(it, (kind, *line), commitments, notes))
            .collect();
        Some(OtherUsage {
            owner: owner == CommitmentOwner::Other,
            items: items.into_iter().collect::<Option<_>>()?,
            hours: Arc::clone(&file.hours),
        })
    }

    fn other_item(
        &self,
        it: &scenario::OtherUsage,
        (kind, line): (&str, u64),
        commitments: &[(&scenario::Commitment, Commitment)],
        notes: &mut Notes<'_>,
    ) -> Option<OtherItem> {
        let span = it.file.span;
        let unit = unit(kind);
        let on_demand = if unit == Unit::Hours {
            let Some(found) = self.region.on_demand(kind) else {
                let message = format!(
                    "`{}`: line {line}, column `kind`: {} is no instance type of {} with a price, \
                     fargate-vcpu or fargate-gb",
                    it.file.value.as_str(),
                    quote(kind),
                    self.region.name()
                );
                let fargate = FARGATE.iter().map(|(name, _)| *name);
                let known = self.region.names().chain(fargate);
                notes.diags.error(span, message).suggest(kind, known);
                return None;
            };
            notes.price(span, format!("ec2-on-demand.{kind}"), "instance-hour", found)
        } else {
            let Some(rates) = self.region.fargate(Arch::Amd64) else {
                let message = format!("no price of Fargate is known in {}", self.region.name());
                notes.diags.error(span, message).help("leave its rows out of the file");
                return None;
            };
            if unit == Unit::VcpuHours {
                notes.price(span, "fargate.vcpu", "vCPU-hour", &rates.vcpu_hour)
            } else {
                notes.price(span, "fargate.memory", "GB-hour", &rates.gb_hour)
            }
        }?;
        let covered = commitments
            .iter()
            .map(|(stated, linked)| {
                self.outside(stated, linked, (kind, unit, span), on_demand, notes)
            })
            .collect();
        Some(OtherItem {
            name: kind.to_owned(),
            unit,
            on_demand,
            is_instance: unit == Unit::Hours,
            covered,
        })
    }
}
