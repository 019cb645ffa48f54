//! What a Fargate pool is charged for besides its Spot discount: vCPU, memory,
//! the licence of Windows, storage, the shortest time billed.

use super::around;
use super::defaults::{FARGATE_PUBLIC_IPV4, WINDOWS_LICENCE, WINDOWS_MINIMUM};
use super::ecs;
use super::notes::Notes;
use crate::bill::{FargatePrice, Price};
use crate::catalog::{Arch, ChargeItem, FARGATE_FREE_STORAGE_GB, FargateRates, Region};
use crate::scenario::{self, Os, Scenario, Spanned, WindowsLicence};
use crate::units::{Bytes, MINUTE_MS, Rate};

/// Whether a pool runs Windows; `None` after a reported error.
pub(super) fn is_windows(it: &scenario::Fargate, notes: &mut Notes<'_>) -> Option<bool> {
    if it.os.is_some_and(|os| os.value == Os::Windows) {
        let arm = it.arch.filter(|a| a.value == scenario::Arch::Arm64).map(|a| a.span);
        let spot = it.purchase.filter(|p| p.value == scenario::Purchase::Spot).map(|p| p.span);
        let mut fine = true;
        for (span, what) in [(arm, "on arm64"), (spot, "as Spot")] {
            if let Some(span) = span {
                let message = format!("Fargate does not sell Windows {what}");
                notes.diags.error(span, message).help("leave it out, or set `os: linux`");
                fine = false;
            }
        }
        return fine.then_some(true);
    }
    if let Some(licence) = it.windows_licence {
        let message = "`windows-licence` has no effect on a pool of Linux pods";
        notes.diags.error(licence.span, message).help("state `os: windows` as well, or remove it");
        return None;
    }
    Some(false)
}

/// The prices of a pool; `None` after a reported error.
pub(super) fn link(
    name: &Spanned<String>,
    it: &scenario::Fargate,
    scenario: &Scenario,
    region: &Region,
    rates: &FargateRates,
    (arch, windows): (Arch, bool),
    notes: &mut Notes<'_>,
) -> Option<FargatePrice> {
    let spot = it.purchase.is_some_and(|p| p.value == scenario::Purchase::Spot);
    let item = match (windows, spot, arch) {
        (true, _, _) => "fargate-windows",
        (false, false, Arch::Amd64) => "fargate",
        (false, false, Arch::Arm64) => "fargate-arm64",
        (false, true, Arch::Amd64) => "fargate-spot",
        (false, true, Arch::Arm64) => "fargate-spot-arm64",
    };
    let vcpu = notes.price(name.span, format!("{item}.vcpu"), "vCPU-hour", &rates.vcpu_hour);
    let gb = notes.price(name.span, format!("{item}.memory"), "GB-hour", &rates.gb_hour);
    let stored = scenario.workload.iter().any(|(_, w)| extra_kib(w, scenario) > 0);
    let storage_gb_hour = if stored {
        let quote = &rates.ephemeral_gb_hour;
        Some(notes.price(name.span, format!("{item}.storage"), "GB-hour", quote)?)
    } else {
        None
    };
    let path = |key: &str| format!("pools.{}.fargate.{key}", name.value);
    let (mut vcpu_hour, gb_hour) = (vcpu?, gb?);
    let mut os_licence = None;
    let mut minimum_ms = it.minimum_charge.map_or(MINUTE_MS, |m| m.value.ms());
    if windows {
        let minimum = notes.or_default(it.minimum_charge, path("minimum-charge"), WINDOWS_MINIMUM);
        minimum_ms = minimum.ms();
        let reading =
            notes.or_default(it.windows_licence, path("windows-licence"), WINDOWS_LICENCE);
        let item = ChargeItem::FargateWindowsLicence;
        let licence = around::charge(item, name.span, region, notes)?;
        let without = vcpu_hour.rate.pico() - licence.rate.pico();
        match reading {
            WindowsLicence::Added => os_licence = Some(licence),
            // A price below the licence cannot contain it whole.
            WindowsLicence::Included if without >= 0 => {
                vcpu_hour.rate = Rate::from_pico(without);
                os_licence = Some(licence);
            }
            WindowsLicence::Included => {}
        }
    }
    Some(FargatePrice {
        platform: match (windows, arch) {
            (true, _) => "windows/x86_64",
            (false, Arch::Amd64) => "linux/x86_64",
            (false, Arch::Arm64) => "linux/arm64",
        },
        public_ipv4: public_ipv4(it, scenario, region, &path("public-ipv4"), notes),
        os_licence,
        storage_gb_hour,
        minimum_ms,
        ..FargatePrice::new(vcpu_hour, gb_hour)
    })
}

/// What the public address of each task costs; `None` without one, and after a
/// reported error.
fn public_ipv4(
    it: &scenario::Fargate,
    scenario: &Scenario,
    region: &Region,
    path: &str,
    notes: &mut Notes<'_>,
) -> Option<Price> {
    // On EKS there is none to choose.
    if !ecs::is_ecs(scenario) {
        return None;
    }
    let public = notes.or_default(it.public_ipv4, path, FARGATE_PUBLIC_IPV4);
    let span = it.public_ipv4.filter(|_| public)?.span;
    around::charge(ChargeItem::PublicIpv4, span, region, notes)
}

const GIB: i64 = 1 << 30;

/// Most storage that a pod on EKS may ask for, and what Fargate provisions of
/// it in percent, so that what was asked for is free to use (EKS user guide,
/// Fargate storage).
const EKS_MOST: i64 = 175 * GIB;
const EKS_PERCENT: i64 = 115;
/// Bounds of `ephemeralStorage.sizeInGiB` (ECS API reference).
const ECS_BOUNDS: [i64; 2] = [21 * GIB, 200 * GIB];

/// Storage of each pod of a workload beyond what is free, KiB.
fn extra_kib(workload: &scenario::Workload, scenario: &Scenario) -> i64 {
    let Some(Spanned { value: wanted, .. }) = &workload.fargate_storage else { return 0 };
    let kib = wanted.0.kib();
    let provisioned = if ecs::is_ecs(scenario) {
        kib
    } else {
        let percent = i128::from(kib) * i128::from(EKS_PERCENT);
        i64::try_from((percent + 99) / 100).unwrap_or(i64::MAX)
    };
    (provisioned - Bytes(i64::from(FARGATE_FREE_STORAGE_GB) * GIB).kib()).max(0)
}

/// Storage of Fargate pods beyond what is free, KiB, by workload.
pub(super) fn storage(scenario: &Scenario, notes: &mut Notes<'_>) -> Vec<(String, i64)> {
    let on_ecs = ecs::is_ecs(scenario);
    let mut storage = Vec::new();
    for (name, workload) in scenario.workload.iter() {
        let Some(wanted) = &workload.fargate_storage else { continue };
        let bytes = wanted.value.0.0;
        if on_ecs {
            let [least, most] = ECS_BOUNDS;
            if !(least..=most).contains(&bytes) || bytes % GIB != 0 {
                let message = "on ECS a task has 21 to 200 whole GiB of storage";
                notes
                    .diags
                    .error(wanted.span, message)
                    .help("leave the key out for the 20 GiB that every task has free of charge");
            }
        } else if bytes > EKS_MOST {
            let message = "on EKS a Fargate pod may ask for at most 175Gi of storage";
            notes.diags.error(wanted.span, message);
        }
        let kib = extra_kib(workload, scenario);
        if kib > 0 {
            storage.push((name.value.clone(), kib));
        }
    }
    storage
}
