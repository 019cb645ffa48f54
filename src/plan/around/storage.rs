//! Volumes of replicas, shared file systems, images in the registry.

use super::{Around, stated};
use crate::bill::{Amount, AroundCharge, Basis, Charge, Price, Pricing, Target, Unit};
use crate::catalog::ChargeItem;
use crate::plan::ebs;
use crate::plan::notes::Notes;
use crate::scenario::{ClaimType, FileSystemKind, Spanned, VolumeClaim};
use crate::units::Bytes;
use crate::workload::WorkloadId;

impl Around<'_> {
    /// EBS volumes of the replicas of services.
    pub(super) fn volumes(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for (name, workload) in self.scenario.workload.iter() {
            let Some(id) = self.id(&name.value) else { continue };
            for (claim, it) in workload.volume_claim_templates.iter() {
                let path = format!("workload.{}.volumeClaimTemplates.{}", name.value, claim.value);
                let resource = format!("{}/{}", name.value, claim.value);
                let volume = self.volume(id, &path, &it.value, notes).into_iter();
                charges.extend(volume.map(|(what, charge)| AroundCharge {
                    name: format!("EBS {} {}, {what}", name.value, claim.value),
                    resource: resource.clone(),
                    ..charge
                }));
            }
        }
        charges
    }

    /// What each volume of a claim is charged, and what for.
    fn volume(
        &self,
        workload: WorkloadId,
        path: &str,
        it: &VolumeClaim,
        notes: &mut Notes<'_>,
    ) -> Vec<(&'static str, AroundCharge)> {
        let Some(size) = it.storage else {
            notes.default(format!("{path}.storage"), "none", "not stated, so not charged");
            return Vec::new();
        };
        let kind = it.kind.map_or_else(
            || {
                let note = "choice: as for root volumes";
                notes.default(format!("{path}.type"), ClaimType::Gp3, note);
                ClaimType::Gp3
            },
            |kind| kind.value,
        );
        let asked = ebs::Asked {
            kind,
            size,
            iops: it.iops.map(|n| Spanned { value: n.value.get(), span: n.span }),
            throughput: it.throughput.map(|n| Spanned { value: n.value.get(), span: n.span }),
        };
        let Some(volume) = asked.link(self.region, notes) else { return Vec::new() };
        let existing = it.zone.is_some();
        let basis =
            if existing { Basis::ExistingVolumes(workload) } else { Basis::Volumes(workload) };
        let storage = Some((volume.gib, volume.gb_month));
        [
            (kind.as_str(), Unit::GbMonths, storage),
            ("IOPS", Unit::IopsMonths, volume.iops),
            ("throughput", Unit::MibpsMonths, volume.throughput),
        ]
        .into_iter()
        .filter_map(|(what, unit, priced)| {
            let (amount, price) = priced?;
            let amount = Amount { basis, numerator: amount.into(), denominator: 1 };
            let (of, pricing) = ((Charge::PodVolume, unit), Pricing::Flat(price));
            let charge = AroundCharge::new(what, of, amount, pricing, Target::Workload(workload));
            Some((what, AroundCharge { sort: kind.as_str().to_owned(), ..charge }))
        })
        .collect()
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
            let price = stated(it.usd_per_gb_month.value);
            let kept = kept((service, name), charge, it.size.value.0, price, target);
            // Each has a price of its own.
            charges.push(AroundCharge { sort: name.value.clone(), ..kept });
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
            let (charge, target) = (Charge::ImageStorage, Target::Workload(id));
            charges.push(kept(("ECR image of", name), charge, image.value.0, price, target));
        }
        charges
    }
}

/// So many bytes kept for the whole run.
fn kept(
    (what, name): (&str, &str),
    charge: Charge,
    size: Bytes,
    price: Price,
    target: Target,
) -> AroundCharge {
    let amount = Amount { basis: Basis::Time, numerator: size.0.into(), denominator: 1 << 30 };
    let (of, pricing) = ((charge, Unit::GbMonths), Pricing::Flat(price));
    let charge = AroundCharge::new(format!("{what} {name}"), of, amount, pricing, target);
    AroundCharge { resource: name.to_owned(), ..charge }
}
