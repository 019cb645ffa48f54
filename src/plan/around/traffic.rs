//! What workloads send and receive, as their `traffic` states it.

use super::Around;
use crate::bill::{Amount, Basis};
use crate::plan::notes::Notes;
use crate::scenario::{Service, Share, Span, Spanned, Traffic, TrafficVolume, WorkloadKind};
use crate::units::HOUR_MS;
use crate::workload::WorkloadId;

/// Most bytes that can be stated: 2 PiB.
const MAX_BYTES: i64 = 1 << 51;
/// The whole, in the parts in which shares are counted.
pub(super) const WHOLE_PPM: i128 = 1_000_000;

/// How much passes: bytes a request, an hour, or a pod's hour.
#[derive(Debug, Clone, Copy)]
enum Volume {
    Requests { bytes: i64, micros: i64 },
    Time(i64),
    Pods(i64),
}

/// The traffic of a workload.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) workload: WorkloadId,
    volume: Volume,
    /// Shares of all of it, in millionths.
    pub(super) cross_ppm: i128,
    pub(super) internet_ppm: i128,
    pub(super) nat_ppm: i128,
}

impl Volume {
    /// Bytes of a workload, as a fraction of what passes.
    fn amount(self, workload: WorkloadId, ppm: i128) -> Amount {
        let hour = i128::from(HOUR_MS);
        let (basis, bytes, per) = match self {
            Volume::Requests { bytes, micros } => {
                (Basis::Demand(workload), bytes, i128::from(micros))
            }
            Volume::Time(bytes) => (Basis::Time, bytes, hour),
            Volume::Pods(bytes) => (Basis::Pods(workload), bytes, hour),
        };
        let (numerator, denominator) = (i128::from(bytes) * ppm, per * WHOLE_PPM);
        Amount { basis, numerator, denominator }.reduced()
    }
}

impl Flow {
    /// This share of it in bytes.
    pub(super) fn bytes(&self, ppm: i128) -> Amount {
        self.volume.amount(self.workload, ppm)
    }
}

impl Around<'_> {
    /// The traffic of every workload that states it.
    pub(super) fn flows(&self, notes: &mut Notes<'_>) -> Vec<Flow> {
        let mut flows = Vec::new();
        if self.scenario.workload.iter().all(|(_, w)| w.traffic.is_none()) {
            return flows;
        }
        let zones = self.zones(notes);
        for (name, workload) in self.scenario.workload.iter() {
            let (Some(id), Some(it)) = (self.id(&name.value), &workload.traffic) else { continue };
            flows.extend(self.flow(name, id, it, zones, notes));
        }
        flows
    }

    fn flow(
        &self,
        name: &Spanned<String>,
        workload: WorkloadId,
        it: &Traffic,
        zones: i64,
        notes: &mut Notes<'_>,
    ) -> Option<Flow> {
        let (TrafficVolume::PerRequest(bytes)
        | TrafficVolume::PerHour(bytes)
        | TrafficVolume::PerPodHour(bytes)) = &it.volume;
        if !(0..=MAX_BYTES).contains(&bytes.value.0) {
            notes.diags.error(bytes.span, "between 0 and 2Pi can be stated");
            return None;
        }
        let volume = match &it.volume {
            TrafficVolume::PerRequest(bytes) => {
                let Some(micros) = self.cpu_us_per_request(workload) else {
                    notes
                        .diags
                        .error(bytes.span, "traffic per request needs a service with `demand`")
                        .help("state it as `per-hour` or `per-pod-hour`");
                    return None;
                };
                Volume::Requests { bytes: bytes.value.0, micros }
            }
            TrafficVolume::PerHour(bytes) => Volume::Time(bytes.value.0),
            TrafficVolume::PerPodHour(bytes) => Volume::Pods(bytes.value.0),
        };
        let share =
            |given: Option<Spanned<Share>>| given.map_or(0, |share| i128::from(share.value.0.ppm));
        let internet_ppm = share(it.internet);
        let cross = if it.cross_zone.is_some() {
            share(it.cross_zone)
        } else {
            let spread = WHOLE_PPM - WHOLE_PPM / i128::from(zones.max(1));
            let path = format!("workload.{}.traffic.cross-zone", name.value);
            let value = format!("{}%", spread as f64 / 1e4);
            notes.default(path, value, "choice: 1 - 1/zones, peers spread evenly over the zones");
            spread
        };
        Some(Flow {
            name: name.value.clone(),
            span: bytes.span,
            workload,
            volume,
            cross_ppm: (WHOLE_PPM - internet_ppm) * cross / WHOLE_PPM,
            internet_ppm,
            nat_ppm: share(it.nat),
        })
    }

    /// Cpu time of one request of a service that has a demand, microseconds.
    pub(super) fn cpu_us_per_request(&self, workload: WorkloadId) -> Option<i64> {
        let name = &self.planned.get(workload.index())?.name;
        let (_, found) = self.scenario.workload.iter().find(|(n, _)| n.value == *name)?;
        let WorkloadKind::Service(service) = &found.kind else { return None };
        let Service { demand: Some(_), cpu_time_per_request: Some(time), .. } = service.as_ref()
        else {
            return None;
        };
        Some(time.micros)
    }
}
