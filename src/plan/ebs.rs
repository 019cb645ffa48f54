//! EBS volumes, of nodes and of pods alike: what is sold, and what it costs.

use super::around;
use super::notes::Notes;
use crate::bill::Price;
use crate::catalog::{ChargeItem, Region};
use crate::scenario::{ClaimType, Span, Spanned, VolumeType};
use crate::units::Bytes;

/// What EBS offers of a volume type.
struct Limits {
    gib: [i64; 2],
    /// Bounds of the IOPS; `None` where they follow from the size.
    iops: Option<[i64; 2]>,
    /// Most IOPS for a GiB.
    iops_per_gib: i64,
}

/// EBS user guide, volume types; EC2 API reference, `ModifyVolume`.
const fn limits(kind: ClaimType) -> Limits {
    match kind {
        ClaimType::Gp3 => {
            Limits { gib: [1, 65_536], iops: Some([3_000, 80_000]), iops_per_gib: 500 }
        }
        ClaimType::Gp2 => Limits { gib: [1, 16_384], iops: None, iops_per_gib: 0 },
        ClaimType::Io1 => Limits { gib: [4, 16_384], iops: Some([100, 64_000]), iops_per_gib: 50 },
        ClaimType::Io2 => {
            Limits { gib: [4, 65_536], iops: Some([100, 256_000]), iops_per_gib: 1_000 }
        }
        ClaimType::St1 | ClaimType::Sc1 => {
            Limits { gib: [125, 16_384], iops: None, iops_per_gib: 0 }
        }
    }
}

/// IOPS and throughput, MiB/s, that a gp3 volume comes with.
const GP3_INCLUDED: [i64; 2] = [3_000, 125];
/// Most throughput of a gp3 volume, MiB/s, and IOPS for each of it.
const GP3_THROUGHPUT: [i64; 2] = [2_000, 4];
/// IOPS of an io1 or io2 volume up to which the price is known.
const IO_PRICED: i64 = 32_000;

/// A volume as the scenario states it.
pub(super) struct Asked {
    pub(super) kind: ClaimType,
    pub(super) size: Spanned<Bytes>,
    pub(super) iops: Option<Spanned<u64>>,
    /// MiB/s.
    pub(super) throughput: Option<Spanned<u64>>,
}

/// What a volume is charged for.
pub(super) struct Volume {
    pub(super) gib: u32,
    pub(super) gb_month: Price,
    /// IOPS beyond those it comes with, and their price.
    pub(super) iops: Option<(u32, Price)>,
    /// The same of MiB/s.
    pub(super) throughput: Option<(u32, Price)>,
}

/// A type that nodes boot from, among all.
pub(super) const fn any(kind: VolumeType) -> ClaimType {
    match kind {
        VolumeType::Gp3 => ClaimType::Gp3,
        VolumeType::Gp2 => ClaimType::Gp2,
        VolumeType::Io1 => ClaimType::Io1,
        VolumeType::Io2 => ClaimType::Io2,
    }
}

impl Asked {
    /// Checks and prices the volume; `None` after a reported error.
    pub(super) fn link(&self, region: &Region, notes: &mut Notes<'_>) -> Option<Volume> {
        let gib = self.gib(notes)?;
        let iops = self.iops(gib, notes)?;
        let throughput = self.throughput(iops, notes)?;
        let size = self.size.span;
        let (item, iops) = match self.kind {
            ClaimType::Gp3 => (ChargeItem::Gp3Storage, iops - GP3_INCLUDED[0]),
            ClaimType::Gp2 => (ChargeItem::Gp2Storage, 0),
            ClaimType::Io1 | ClaimType::Io2 => (ChargeItem::IoStorage, iops),
            ClaimType::St1 => (ChargeItem::St1Storage, 0),
            ClaimType::Sc1 => (ChargeItem::Sc1Storage, 0),
        };
        let gb_month = around::charge(item, size, region, notes)?;
        let mut priced = |beyond: i64, span: Option<Span>, item| {
            if beyond <= 0 {
                return Some(None);
            }
            let price = around::charge(item, span.unwrap_or(size), region, notes)?;
            Some(Some((u32::try_from(beyond).ok()?, price)))
        };
        let item = match self.kind {
            ClaimType::Gp3 => ChargeItem::Gp3Iops,
            _ => ChargeItem::IoIops,
        };
        let iops = priced(iops, self.iops.map(|i| i.span), item)?;
        let (beyond, item) = (throughput - GP3_INCLUDED[1], ChargeItem::Gp3Throughput);
        let throughput = priced(beyond, self.throughput.map(|t| t.span), item)?;
        Some(Volume { gib: u32::try_from(gib).ok()?, gb_month, iops, throughput })
    }

    /// `an io2`.
    fn a_kind(&self) -> String {
        let article = if matches!(self.kind, ClaimType::Gp3 | ClaimType::Gp2) { "a" } else { "an" };
        format!("{article} {}", self.kind)
    }

    /// Size in whole GiB; `None` after a reported error.
    fn gib(&self, notes: &mut Notes<'_>) -> Option<i64> {
        let Spanned { value: Bytes(bytes), span } = self.size;
        let gib = self.size.value.gib();
        let [least, most] = limits(self.kind).gib;
        // Less than one is most likely a number whose unit is missing.
        if bytes < least << 30 || gib > most {
            let kind = self.a_kind();
            let message = format!("{kind} volume has between {least} GiB and {most} GiB");
            notes.diags.error(span, message).help(
                "state the size with its unit, as in 50Gi; leave the key out for no charged volume",
            );
            return None;
        }
        Some(gib)
    }

    /// IOPS provisioned; `None` after a reported error.
    fn iops(&self, gib: i64, notes: &mut Notes<'_>) -> Option<i64> {
        let Limits { iops: bounds, iops_per_gib, .. } = limits(self.kind);
        let of_io = matches!(self.kind, ClaimType::Io1 | ClaimType::Io2);
        let Some(given) = &self.iops else {
            if of_io {
                let message = format!("{} volume needs the key `iops`", self.a_kind());
                let error = notes.diags.error(self.size.span, message);
                error.help("state how many it is provisioned for");
                return None;
            }
            return Some(if self.kind == ClaimType::Gp3 { GP3_INCLUDED[0] } else { 0 });
        };
        let kind = self.a_kind();
        let Some([least, most]) = bounds else {
            let message = format!("`iops` has no effect on {kind} volume: its size decides");
            notes.diags.error(given.span, message).help("remove it, or choose another `type`");
            return None;
        };
        let wanted = i64::try_from(given.value).unwrap_or(i64::MAX);
        let most = most.min(least.max(iops_per_gib * gib));
        if !(least..=most).contains(&wanted) {
            let message = format!("{kind} volume of {gib} GiB has between {least} and {most} IOPS");
            notes.diags.error(given.span, message);
            return None;
        }
        if of_io && wanted > IO_PRICED {
            let kind = self.kind;
            let message = format!("no price is known for more than {IO_PRICED} IOPS of {kind}");
            notes.diags.error(given.span, message);
            return None;
        }
        Some(wanted)
    }

    /// Throughput provisioned, MiB/s; `None` after a reported error.
    fn throughput(&self, iops: i64, notes: &mut Notes<'_>) -> Option<i64> {
        let Some(given) = &self.throughput else { return Some(GP3_INCLUDED[1]) };
        if self.kind != ClaimType::Gp3 {
            let message = format!("`throughput` has no effect on a volume of type {}", self.kind);
            notes.diags.error(given.span, message).help("remove it, or choose `type: gp3`");
            return None;
        }
        let wanted = i64::try_from(given.value).unwrap_or(i64::MAX);
        let most = GP3_THROUGHPUT[0].min(iops / GP3_THROUGHPUT[1]);
        if !(GP3_INCLUDED[1]..=most).contains(&wanted) {
            let least = GP3_INCLUDED[1];
            let message =
                format!("a gp3 volume of {iops} IOPS has between {least} and {most} MiB/s");
            notes.diags.error(given.span, message).help("more throughput needs more `iops`");
            return None;
        }
        Some(wanted)
    }
}
