//! Volumes of replicas, shared file systems, images in the registry.

use super::{Around, gib, stated};
use crate::bill::{Amount, AroundCharge, Basis, Charge, Dimension, Price, Pricing, Target, Unit};
use crate::catalog::ChargeItem;
use crate::plan::notes::Notes;
use crate::scenario::{ClaimType, FileSystemKind, Span, Spanned, VolumeClaim};
use crate::workload::WorkloadId;

/// Largest volume of each type, GiB (EBS user guide, "Amazon EBS volume
/// types").
const fn largest(kind: ClaimType) -> i64 {
    match kind {
        ClaimType::Gp3 | ClaimType::Io2 => 65_536,
        ClaimType::Gp2 | ClaimType::Io1 | ClaimType::St1 | ClaimType::Sc1 => 16_384,
    }
}

/// Smallest volume of each type, GiB.
const fn smallest(kind: ClaimType) -> i64 {
    match kind {
        ClaimType::Gp3 | ClaimType::Gp2 => 1,
        ClaimType::Io1 | ClaimType::Io2 => 4,
        ClaimType::St1 | ClaimType::Sc1 => 125,
    }
}

/// IOPS of a gp3 volume that its storage price contains.
const GP3_IOPS: u64 = 3_000;
/// MiB/s of a gp3 volume that its storage price contains.
const GP3_THROUGHPUT: u64 = 125;

/// What every volume of a claim is charged.
struct Volume<'a> {
    workload: WorkloadId,
    basis: Basis,
    /// On the bill.
    name: &'a str,
}

impl Volume<'_> {
    fn charge(&self, what: &str, unit: Unit, amount: i64, price: Price) -> AroundCharge {
        let amount = Amount { basis: self.basis, numerator: amount.into(), denominator: 1 };
        AroundCharge {
            name: format!("{}, {what}", self.name),
            charge: Charge::PodVolume,
            unit,
            quantity: vec![Dimension { name: "", amounts: vec![amount] }],
            pricing: Pricing::Flat(price),
            target: Target::Workload(self.workload),
        }
    }
}

impl Around<'_> {
    /// EBS volumes of the replicas of services.
    pub(super) fn volumes(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for (name, workload) in self.scenario.workload.iter() {
            let Some(id) = self.id(&name.value) else { continue };
            for (claim, it) in workload.volume_claim_templates.iter() {
                let path = format!("workload.{}.volumeClaimTemplates.{}", name.value, claim.value);
                let Some(storage) = it.value.storage else {
                    notes.default(format!("{path}.storage"), "none", "not stated, so not charged");
                    continue;
                };
                let existing = it.value.zone.is_some();
                let basis = if existing { Basis::ExistingVolumes(id) } else { Basis::Volumes(id) };
                let label = format!("EBS {} {}", name.value, claim.value);
                let volume = Volume { workload: id, basis, name: &label };
                charges.extend(self.volume(&volume, &path, &it.value, storage, notes));
            }
        }
        charges
    }

    fn volume(
        &self,
        volume: &Volume<'_>,
        path: &str,
        it: &VolumeClaim,
        storage: Spanned<crate::units::Bytes>,
        notes: &mut Notes<'_>,
    ) -> Vec<AroundCharge> {
        let kind = it.kind.map_or_else(
            || {
                notes.default(
                    format!("{path}.type"),
                    ClaimType::Gp3,
                    "choice: as for root volumes",
                );
                ClaimType::Gp3
            },
            |kind| kind.value,
        );
        let size = gib(storage.value);
        let (least, most) = (smallest(kind), largest(kind));
        if storage.value.0 < least << 30 || size > most {
            let message = format!("a volume of type {kind} has between {least} GiB and {most} GiB");
            notes
                .diags
                .error(storage.span, message)
                .help("state the size with its unit, as in 50Gi");
            return Vec::new();
        }
        let item = match kind {
            ClaimType::Gp3 => ChargeItem::Gp3Storage,
            ClaimType::Gp2 => ChargeItem::Gp2Storage,
            ClaimType::Io1 | ClaimType::Io2 => ChargeItem::IoStorage,
            ClaimType::St1 => ChargeItem::St1Storage,
            ClaimType::Sc1 => ChargeItem::Sc1Storage,
        };
        let mut charges = Vec::new();
        let mut add = |item, span: Span, what: &str, unit, amount: i64| {
            if amount > 0
                && let Some(price) = self.price(item, span, notes)
            {
                charges.push(volume.charge(what, unit, amount, price));
            }
        };
        add(item, storage.span, kind.as_str(), Unit::GbMonths, size);
        if let Some(iops) = it.iops {
            let (item, free) = match kind {
                ClaimType::Gp3 => (ChargeItem::Gp3Iops, GP3_IOPS),
                _ => (ChargeItem::IoIops, 0),
            };
            let more = iops.value.get().saturating_sub(free) as i64;
            add(item, iops.span, "IOPS", Unit::IopsMonths, more);
        }
        if let Some(throughput) = it.throughput {
            let more = throughput.value.get().saturating_sub(GP3_THROUGHPUT) as i64;
            let item = ChargeItem::Gp3Throughput;
            add(item, throughput.span, "throughput", Unit::MibpsMonths, more);
        }
        charges
    }

    /// Shared file systems at their stated prices, for the whole run.
    pub(super) fn file_systems(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for (name, it) in self.scenario.charges.file_systems.iter() {
            let (service, charge) = match it.kind.value {
                FileSystemKind::Efs => ("EFS", Charge::Efs),
                FileSystemKind::Fsx => ("FSx", Charge::Fsx),
            };
            let target = match &it.workload {
                None => Target::Shared,
                Some(workload) => match self.named(workload, notes) {
                    Some(id) => Target::Workload(id),
                    None => continue,
                },
            };
            let amount = Amount {
                basis: Basis::Time,
                numerator: i128::from(it.size.value.0.0),
                denominator: 1 << 30,
            };
            charges.push(AroundCharge {
                name: format!("{service} {}", name.value),
                charge,
                unit: Unit::GbMonths,
                quantity: vec![Dimension { name: "", amounts: vec![amount] }],
                pricing: Pricing::Flat(stated(it.usd_per_gb_month.value)),
                target,
            });
        }
        charges
    }

    /// One image of each workload that states its size, for the whole run.
    pub(super) fn images(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for (name, workload) in self.scenario.workload.iter() {
            let (Some(id), Some(image)) = (self.id(&name.value), workload.image) else { continue };
            let Some(price) = self.price(ChargeItem::EcrStorage, image.span, notes) else {
                continue;
            };
            let amount = Amount {
                basis: Basis::Time,
                numerator: i128::from(image.value.0.0),
                denominator: 1 << 30,
            };
            charges.push(AroundCharge {
                name: format!("ECR image of {}", name.value),
                charge: Charge::ImageStorage,
                unit: Unit::GbMonths,
                quantity: vec![Dimension { name: "", amounts: vec![amount] }],
                pricing: Pricing::Flat(price),
                target: Target::Workload(id),
            });
        }
        charges
    }
}
