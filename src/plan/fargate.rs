//! Fargate pools: sizes in the order of their cost, selectors, sidecars.

use super::defaults::{
    FARGATE_INTERRUPTIONS, FARGATE_LAUNCH, FARGATE_LAUNCH_ECS, FARGATE_OVERHEAD, FARGATE_START,
    FARGATE_START_ECS, JOB_RETENTION,
};
use super::notes::Notes;
use super::{control, ecs, fargate_price};
use crate::bill::FargatePrice;
use crate::catalog::{self, Arch, FargateOs, FargateRates, Region, fargate_sizes};
use crate::cluster::{FargateSize, FargateSpec};
use crate::scenario::{self, Scenario, Spanned, WorkloadKind, quote};
use crate::units::{Bytes, MilliCpu};
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::pod_match::{PodMatch, labels_match};

/// What a Fargate pool costs, and for which architecture.
pub(super) type ArchPrice = (FargatePrice, Arch);

/// Links a Fargate pool; `None` after a reported error.
pub(super) fn link(
    name: &Spanned<String>,
    it: &scenario::Fargate,
    scenario: &Scenario,
    region: &Region,
    workloads: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Option<(FargateSpec, ArchPrice)> {
    let path = |key: &str| format!("pools.{}.fargate.{key}", name.value);
    let on_ecs = ecs::is_ecs(scenario);
    // On ECS capacity provider strategies say whose tasks come here.
    let selectors = if on_ecs { Vec::new() } else { selectors(name, it, scenario, notes) };
    if !on_ecs {
        ecs::refuse_on_eks(name, it, notes);
    }
    let arch = match it.arch.map(|a| a.value) {
        Some(scenario::Arch::Arm64) => Arch::Arm64,
        Some(scenario::Arch::Amd64) => Arch::Amd64,
        None => {
            if on_ecs {
                notes.default(path("arch"), Arch::Amd64, "default of a task definition");
            }
            Arch::Amd64
        }
    };
    let spot = it.purchase.filter(|p| p.value == scenario::Purchase::Spot);
    let windows = fargate_price::is_windows(it, notes)?;
    let on_demand = if windows { region.fargate_windows() } else { region.fargate(arch) };
    let rates = if spot.is_some() { region.fargate_spot(arch) } else { on_demand };
    let Some(rates) = rates else {
        let what = match (windows, spot.is_some()) {
            (true, _) => "Windows Fargate",
            (false, true) => "Fargate Spot",
            (false, false) => "Fargate",
        };
        let message = format!("no {what} price of {arch} is known for {}", region.name());
        notes
            .diags
            .error(spot.map_or(name.span, |s| s.span), message)
            .help("choose another Region, or give a price directory that has it");
        return None;
    };
    let spot_of = spot.and(on_demand).map(|rates| {
        (super::notes::bill_price(&rates.vcpu_hour), super::notes::bill_price(&rates.gb_hour))
    });
    let price = fargate_price::link(name, it, scenario, region, rates, (arch, windows), notes);
    let os = if windows { FargateOs::Windows } else { FargateOs::Linux };
    let start_latency = if let Some(given) = &it.start_latency {
        given.value.distribution.clone()
    } else {
        let known = if on_ecs { FARGATE_START_ECS } else { FARGATE_START };
        notes.default(path("start-latency"), known.value, known.note);
        known.value.distribution()
    };
    let (launch_burst, launch_per_second) = if let Some(rate) = &it.launch_rate {
        let per_second = rate.per_second.value.0;
        if per_second.fract() != 0.0 || per_second > 1e6 {
            let message = "a launch rate is a whole number of pods per second, up to 1000000";
            notes.diags.error(rate.per_second.span, message);
        }
        (rate.burst.value.get() as u32, per_second as u32)
    } else {
        let known = if on_ecs { FARGATE_LAUNCH_ECS } else { FARGATE_LAUNCH };
        let (burst, per_second) = known.value;
        let value = format!("{{ burst: {burst}, per-second: {per_second} }}");
        notes.default(path("launch-rate"), value, known.note);
        (burst, per_second)
    };
    // A stopped task of ECS is not billed, and has no Kubernetes components.
    let (mut job_retention, mut overhead) = (JOB_RETENTION.value, crate::units::Bytes(0));
    if !on_ecs {
        job_retention = notes.or_default(it.job_retention, path("job-retention"), JOB_RETENTION);
        overhead = FARGATE_OVERHEAD.value;
        notes.default(path("overhead"), overhead, FARGATE_OVERHEAD.note);
        if it.job_retention.is_none() {
            warn_of_retention(name, &selectors, workloads, notes);
        }
    }
    let hazard_per_hour = hazard(it, spot.is_some(), &path("interruptions"), notes);
    let (sidecar_cpu, sidecar_memory) = sidecars(workloads);
    let spec = FargateSpec {
        name: name.value.clone(),
        selectors,
        sizes: sizes(os, rates),
        overhead_memory: overhead,
        start_latency,
        launch_burst,
        launch_per_second,
        job_retention,
        sidecar_cpu,
        sidecar_memory,
        hazard_per_hour,
    };
    Some((spec, (FargatePrice { spot_of, ..price? }, arch)))
}

/// Interruptions per running hour.
fn hazard(it: &scenario::Fargate, spot: bool, path: &str, notes: &mut Notes<'_>) -> f64 {
    let per_month = match &it.interruptions {
        Some(given) if !spot => {
            notes
                .diags
                .error(given.span, "only Fargate Spot is interrupted")
                .help("state `purchase: spot` as well, or remove it");
            return 0.0;
        }
        Some(Spanned { value: scenario::FargateInterruptions::Rate(rate), .. }) => {
            if rate.per_month.value.ppm >= 1_000_000 {
                let span = rate.per_month.span;
                notes.diags.error(span, "a share of tasks per month below 100%");
            }
            rate.per_month.value
        }
        None if spot => {
            let known = FARGATE_INTERRUPTIONS;
            let value = format!("{{ per-month: {} }}", known.value);
            notes.default(path, value, known.note);
            known.value
        }
        Some(Spanned { value: scenario::FargateInterruptions::None, .. }) | None => return 0.0,
    };
    control::hazard_of(per_month)
}

/// A size of the catalog as it is billed.
pub(crate) const fn fargate_size(size: catalog::FargateSize) -> FargateSize {
    FargateSize { cpu: size.cpu(), memory: size.memory() }
}

/// All sizes, the cheapest first; among equals the smaller. A licence beside
/// the rates would make larger sizes dearer still.
fn sizes(os: FargateOs, rates: &FargateRates) -> Vec<FargateSize> {
    let mut sizes: Vec<FargateSize> = fargate_sizes(os).map(fargate_size).collect();
    // Milli-cpu and MiB: the ratio to hours and GB is the same for all.
    sizes.sort_by_key(|s| {
        let cpu = rates.vcpu_hour.rate.pico() * i128::from(s.cpu.0) * 1_024;
        let memory = rates.gb_hour.rate.pico() * i128::from(s.memory.0 >> 20) * 1_000;
        (cpu + memory, *s)
    });
    sizes
}

/// The label by which a pod names the profile that it wants.
const PROFILE_LABEL: &str = "eks.amazonaws.com/fargate-profile";

/// The selectors of a pool, with the workloads that they mean.
///
/// A pod that names a profile goes to none but that, and only if it matches
/// (EKS user guide, Fargate profiles).
fn selectors(
    pool: &Spanned<String>,
    it: &scenario::Fargate,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> Vec<PodMatch> {
    let mut selectors = Vec::new();
    for rule in it.rules.iter().flat_map(|rules| rules.iter()) {
        if let Some(workload) = &rule.workload {
            check_workload(workload, scenario, notes);
        }
        let named = |name: &str| rule.workload.as_ref().is_none_or(|w| w.value == name);
        selectors.push(PodMatch {
            namespace: rule.namespace.value.clone(),
            labels: Vec::new(),
            workloads: meant(scenario, |name, it| named(name) && wants(it, &pool.value)),
        });
    }
    for selector in it.selectors.iter().flat_map(|s| s.value.iter()) {
        let labels: Vec<(String, String)> = selector
            .labels
            .iter()
            .map(|(key, value)| (key.value.clone(), value.value.0.clone()))
            .collect();
        let workloads = meant(scenario, |_, it| {
            labels_match(&labels, &labels_of(it)) && wants(it, &pool.value)
        });
        if let (Some([]), Some((key, _))) = (workloads.as_deref(), selector.labels.iter().next()) {
            let message = format!("no workload has the labels of this selector of {}", quote(pool));
            let keys = scenario.workload.iter().flat_map(|(_, w)| w.labels.iter());
            notes
                .diags
                .warning("selects-nothing", key.span, message)
                .suggest(&key.value, keys.map(|(key, _)| key.value.as_str()));
        }
        selectors.push(PodMatch { namespace: selector.namespace.value.clone(), labels, workloads });
    }
    selectors
}

/// Labels of the pods of a workload.
pub(super) fn labels_of(it: &scenario::Workload) -> Vec<(&str, &str)> {
    it.labels.iter().map(|(key, value)| (key.value.as_str(), value.value.0.as_str())).collect()
}

/// Whether pods of the workload may go to this profile.
fn wants(it: &scenario::Workload, profile: &str) -> bool {
    labels_of(it).iter().all(|(key, value)| *key != PROFILE_LABEL || *value == profile)
}

/// The workloads that are meant; `None` where all are.
pub(super) fn meant(
    scenario: &Scenario,
    means: impl Fn(&str, &scenario::Workload) -> bool,
) -> Option<Vec<String>> {
    let all = scenario.workload.iter().filter(|(_, it)| !is_daemon(it));
    let (meant, others): (Vec<_>, Vec<_>) = all.partition(|(name, it)| means(&name.value, it));
    (!others.is_empty()).then(|| meant.into_iter().map(|(name, _)| name.value.clone()).collect())
}

fn is_daemon(it: &scenario::Workload) -> bool {
    matches!(it.kind, WorkloadKind::DaemonSet(_))
}

/// A workload that a rule names must be there and run on Fargate.
fn check_workload(workload: &Spanned<String>, scenario: &Scenario, notes: &mut Notes<'_>) {
    match scenario.workload.get(&workload.value).map(|w| &w.kind) {
        None => {
            notes
                .diags
                .error(workload.span, format!("there is no workload {}", quote(workload)))
                .suggest(workload, scenario.workload.names());
        }
        Some(WorkloadKind::DaemonSet(_)) => {
            notes
                .diags
                .error(
                    workload.span,
                    format!("{} is a DaemonSet, which Fargate does not run", quote(workload)),
                )
                .help("it becomes a sidecar of every Fargate pod, or is left out: `on-fargate`");
        }
        Some(_) => {}
    }
}

/// Warns of pods that name a profile there is none of, where there are any.
pub(super) fn warn_of_profiles(scenario: &Scenario, notes: &mut Notes<'_>) {
    let pools: Vec<&str> = scenario
        .pools
        .iter()
        .filter(|(_, pool)| matches!(pool.kind, scenario::PoolKind::Fargate(_)))
        .map(|(name, _)| name.value.as_str())
        .collect();
    for (name, workload) in scenario.workload.iter() {
        for (key, value) in workload.labels.iter() {
            let profile = value.value.0.as_str();
            if key.value != PROFILE_LABEL || pools.is_empty() || pools.contains(&profile) {
                continue;
            }
            let message = format!(
                "{} names the Fargate profile {}, which is not there: its pods go to nodes",
                quote(name),
                quote(profile)
            );
            notes
                .diags
                .warning("no-such-profile", value.span, message)
                .suggest(profile, pools.iter().copied());
        }
    }
}

/// Requests of the DaemonSets that become sidecars.
pub(crate) fn sidecars(workloads: &[PlannedWorkload]) -> (MilliCpu, Bytes) {
    let mut sum = (MilliCpu(0), Bytes(0));
    for workload in workloads {
        if let Content::Daemon(daemon) = &workload.content
            && daemon.sidecar_on_fargate
        {
            sum.0.0 += daemon.pod.cpu.unwrap_or_default().0;
            sum.1.0 += daemon.pod.memory.unwrap_or_default().0;
        }
    }
    sum
}

/// A completed Job pod on Fargate bills until somebody deletes it.
fn warn_of_retention(
    pool: &Spanned<String>,
    selectors: &[PodMatch],
    workloads: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) {
    for workload in workloads {
        let namespaces: Vec<&str> = match &workload.content {
            Content::Trace(data) => data.shapes.iter().map(|s| s.namespace.as_str()).collect(),
            Content::Generator(spec) => vec![&spec.namespace],
            Content::Service(_) | Content::Daemon(_) => continue,
        };
        let goes = namespaces
            .iter()
            .any(|namespace| selectors.iter().any(|s| s.matches(&workload.name, namespace)));
        if goes {
            notes
                .diags
                .warning(
                    "fargate-job-retention",
                    pool.span,
                    format!(
                        "pods of {} are taken to be removed from Fargate as they complete; \
                         until then they are billed",
                        quote(&workload.name)
                    ),
                )
                .help("state `job-retention`, such as the ttlSecondsAfterFinished of the Jobs");
        }
    }
}
