//! Rows for `prices show`: one instance type a row, with its pedigree.

use serde::Serialize;

use super::instance::Arch;
use super::quote::{PriceStatus, Text};
use super::region::Region;
use crate::names::wildcard;
use crate::units::{Bytes, Rate};

/// Which types to list; the default lists all.
#[derive(Debug, Clone, Default)]
pub struct PriceFilter {
    /// Types (`m5.large`), families (`m5`) or patterns in which `*`
    /// stands for any run of characters (`m*g.large`). Empty: all.
    pub patterns: Vec<String>,
    /// Only this architecture.
    pub arch: Option<Arch>,
}

/// One instance type and what it costs in a Region.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriceRow {
    /// As in `m5.large`.
    pub instance_type: Text,
    /// Logical CPUs.
    pub vcpu: u32,
    /// Advertised memory.
    pub memory: Bytes,
    /// Memory that Linux reports.
    pub os_memory: Bytes,
    /// Whether that was `measured` (with its date) or follows the usual `ratio`.
    pub os_memory_origin: String,
    /// Architecture.
    pub arch: Arch,
    /// GPUs.
    pub gpu_count: u32,
    /// As in `t4`.
    pub gpu_name: Option<Text>,
    /// Pods the VPC CNI has addresses for.
    pub max_pods: u32,
    /// USD per hour On-Demand.
    pub on_demand: Rate,
    /// USD per hour on Spot.
    pub spot: Option<Rate>,
    /// Percent below On-Demand.
    pub spot_saving_pct: Option<i32>,
    /// Interruption band, 0 to 4.
    pub spot_band: Option<u8>,
    /// Status of the On-Demand price.
    pub status: PriceStatus,
    /// Date of the On-Demand price.
    pub as_of: Text,
    /// Source of the On-Demand price.
    pub source: Text,
}

impl Region {
    /// The types that pass the filter and have an On-Demand price here, by
    /// name.
    #[must_use]
    pub fn table(&self, filter: &PriceFilter) -> Vec<PriceRow> {
        self.instance_types()
            .filter(|kind| filter.arch.is_none_or(|arch| arch == kind.arch))
            .filter(|kind| {
                filter.patterns.is_empty()
                    || filter
                        .patterns
                        .iter()
                        .any(|p| *p == kind.family() || wildcard(p, &kind.name))
            })
            .filter_map(|kind| {
                let price = self.on_demand(&kind.name)?;
                let spot = self.spot(&kind.name);
                Some(PriceRow {
                    instance_type: kind.name.clone(),
                    vcpu: kind.vcpu,
                    memory: kind.memory,
                    os_memory: kind.os_memory,
                    os_memory_origin: kind.os_memory_origin.to_string(),
                    arch: kind.arch,
                    gpu_count: kind.gpu_count,
                    gpu_name: kind.gpu_name.clone(),
                    max_pods: kind.max_pods_eni,
                    on_demand: price.rate,
                    spot: spot.as_ref().map(|s| s.quote.rate),
                    spot_saving_pct: spot.as_ref().map(|s| s.saving_pct),
                    spot_band: spot.as_ref().map(|s| s.band),
                    status: price.status,
                    as_of: price.as_of.clone(),
                    source: price.source.clone(),
                })
            })
            .collect()
    }
}
