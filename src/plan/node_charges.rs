//! What nodes are charged besides their instances and what manages them: root
//! volume, surplus cpu credits.

use super::around::charge;
use super::ebs;
use super::nodes::{NodePools, ShapeOrigin};
use super::notes::Notes;
use crate::bill::{Burst, RootVolume};
use crate::catalog::{Arch, ChargeItem, Region};
use crate::scenario::{self, Charges, Scenario, Spanned, VolumeType, quote};
use crate::workload::plan::{Content, PlannedWorkload};

/// The root volume of every node; `None` without one or after a reported
/// error.
pub(super) fn root_volume(
    charges: &Charges,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<RootVolume> {
    let Some(given) = &charges.root_volume else {
        notes.default("charges.root-volume", "none", "not stated, so not charged");
        return None;
    };
    let (kind, asked) = match &given.value {
        scenario::RootVolume::Size(size) => {
            let (kind, size) = (VolumeType::Gp3, Spanned { value: *size, span: given.span });
            (kind, ebs::Asked { kind: ebs::any(kind), size, iops: None, throughput: None })
        }
        scenario::RootVolume::Volume(spec) => {
            let kind = spec.kind.map_or_else(
                || {
                    notes.default("charges.root-volume.type", VolumeType::Gp3, "choice");
                    VolumeType::Gp3
                },
                |kind| kind.value,
            );
            let asked = ebs::Asked {
                kind: ebs::any(kind),
                size: spec.size,
                iops: spec.iops.map(|n| Spanned { value: n.value.get(), span: n.span }),
                throughput: spec.throughput.map(|n| Spanned { value: n.value.get(), span: n.span }),
            };
            (kind, asked)
        }
    };
    let ebs::Volume { gib, gb_month, iops, throughput } = asked.link(region, notes)?;
    Some(RootVolume { kind: kind.as_str(), iops, throughput, ..RootVolume::new(gib, gb_month) })
}

/// Which shapes pay for surplus credits, by `ShapeId`.
pub(super) fn bursts(
    scenario: &Scenario,
    region: &Region,
    nodes: &NodePools,
    workloads: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Vec<Option<Burst>> {
    let kind = |origin: &ShapeOrigin| region.instance_type(origin.instance_type()?);
    let bursts =
        |origin: &ShapeOrigin| kind(origin).and_then(|k| Some((k.arch, k.credit_baseline()?)));
    if !nodes.origins.iter().any(|origin| bursts(origin).is_some()) {
        return Vec::new();
    }
    let span = match scenario.charges.surplus_credits {
        Some(Spanned { value: true, span }) => span,
        Some(_) => return Vec::new(),
        None => {
            let note =
                "choice: the price is unverified; stated, it is charged where usage is known";
            notes.default("charges.surplus-credits", false, note);
            return Vec::new();
        }
    };
    let unknown: Vec<String> = workloads
        .iter()
        .filter(|w| match &w.content {
            Content::Service(s) => s.demand.is_none() && s.usage.cpu.is_none(),
            Content::Daemon(d) => d.usage.cpu.is_none(),
            Content::Generator(g) => g.usage.cpu.is_none(),
            // Each row of a trace may or may not state it.
            Content::Trace(_) => false,
        })
        .map(|w| quote(&w.name))
        .collect();
    if !unknown.is_empty() {
        let message = format!(
            "the cpu usage of {} is not known: a node pays no surplus credits for days on which it \
             runs such pods",
            unknown.join(", ")
        );
        notes.diags.warning("surplus-unknown", span, message).help("state their `usage`");
    }
    let mut price = |arch: Arch| {
        let item = match arch {
            Arch::Amd64 => ChargeItem::SurplusCredits,
            Arch::Arm64 => ChargeItem::SurplusCreditsArm,
        };
        charge(item, span, region, notes)
    };
    let burst = |origin| {
        let (arch, baseline) = bursts(origin)?;
        Some(Burst { baseline, vcpu_hour: price(arch)? })
    };
    nodes.origins.iter().map(burst).collect()
}
