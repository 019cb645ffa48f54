//! Fargate pools: sizes in the order of their cost, selectors, sidecars.

use super::defaults::{FARGATE_LAUNCH, FARGATE_OVERHEAD, FARGATE_START, JOB_RETENTION};
use super::notes::Notes;
use crate::bill::FargatePrice;
use crate::catalog::{Arch, FARGATE_SIZES, FargateRates, Region};
use crate::cluster::{FargateSelector, FargateSize, FargateSpec};
use crate::scenario::{self, Scenario, Spanned, WorkloadKind, quote};
use crate::units::{Bytes, MilliCpu};
use crate::workload::plan::{Content, PlannedWorkload};

/// Links a Fargate pool; `None` after a reported error.
pub(super) fn link(
    name: &Spanned<String>,
    it: &scenario::Fargate,
    scenario: &Scenario,
    region: &Region,
    workloads: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Option<(FargateSpec, FargatePrice)> {
    let path = |key: &str| format!("pools.{}.fargate.{key}", name.value);
    let selectors = selectors(it, scenario, notes);
    // EKS runs Fargate pods on x86 only (EKS user guide, Fargate considerations).
    let Some(rates) = region.fargate(Arch::Amd64) else {
        notes
            .diags
            .error(name.span, format!("no Fargate price is known for {}", region.name()))
            .help("choose another Region, or give a price directory that has it");
        return None;
    };
    let vcpu = notes.price(name.span, "fargate.vcpu", "vCPU-hour", &rates.vcpu_hour);
    let gb = notes.price(name.span, "fargate.memory", "GB-hour", &rates.gb_hour);

    let start_latency = if let Some(given) = &it.start_latency {
        given.value.distribution.clone()
    } else {
        notes.default(path("start-latency"), FARGATE_START.value, FARGATE_START.note);
        FARGATE_START.value.distribution()
    };
    let (launch_burst, launch_per_second) = if let Some(rate) = &it.launch_rate {
        let per_second = rate.per_second.value.0;
        if per_second.fract() != 0.0 || per_second > 1e6 {
            let message = "a launch rate is a whole number of pods per second, up to 1000000";
            notes.diags.error(rate.per_second.span, message);
        }
        (rate.burst.value.get() as u32, per_second as u32)
    } else {
        let (burst, per_second) = FARGATE_LAUNCH.value;
        let value = format!("{{ burst: {burst}, per-second: {per_second} }}");
        notes.default(path("launch-rate"), value, FARGATE_LAUNCH.note);
        (burst, per_second)
    };
    let job_retention = notes.or_default(it.job_retention, path("job-retention"), JOB_RETENTION);
    notes.default(path("overhead"), FARGATE_OVERHEAD.value, FARGATE_OVERHEAD.note);
    if it.job_retention.is_none() {
        warn_of_retention(name, &selectors, workloads, notes);
    }
    let (sidecar_cpu, sidecar_memory) = sidecars(workloads);
    let spec = FargateSpec {
        name: name.value.clone(),
        selectors,
        sizes: sizes(rates),
        overhead_memory: FARGATE_OVERHEAD.value,
        start_latency,
        launch_burst,
        launch_per_second,
        job_retention,
        sidecar_cpu,
        sidecar_memory,
    };
    // Pods on Fargate get private addresses only (EKS user guide, Fargate
    // considerations).
    let price = FargatePrice { vcpu_hour: vcpu?, gb_hour: gb?, public_ipv4: false };
    Some((spec, price))
}

/// All sizes, the cheapest first; among equals the smaller.
fn sizes(rates: &FargateRates) -> Vec<FargateSize> {
    let mut sizes: Vec<FargateSize> =
        FARGATE_SIZES.iter().map(|s| FargateSize { cpu: s.cpu(), memory: s.memory() }).collect();
    // Milli-cpu and MiB: the ratio to hours and GB is the same for all.
    sizes.sort_by_key(|s| {
        let cpu = rates.vcpu_hour.rate.pico() * i128::from(s.cpu.0) * 1_024;
        let memory = rates.gb_hour.rate.pico() * i128::from(s.memory.0 >> 20) * 1_000;
        (cpu + memory, *s)
    });
    sizes
}

fn selectors(
    it: &scenario::Fargate,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> Vec<FargateSelector> {
    let mut selectors = Vec::new();
    for rule in it.rules.iter() {
        if let Some(workload) = &rule.workload {
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
        selectors.push(FargateSelector {
            namespace: rule.namespace.value.clone(),
            workload: rule.workload.as_ref().map(|w| w.value.clone()),
        });
    }
    selectors
}

/// Requests of the DaemonSets that become sidecars.
fn sidecars(workloads: &[PlannedWorkload]) -> (MilliCpu, Bytes) {
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
    selectors: &[FargateSelector],
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
