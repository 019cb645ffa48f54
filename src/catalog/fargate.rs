//! Fargate: the sizes a task or pod may have, and what they cost.
//!
//! Sizes are those of the ECS developer guide's task-size table: Linux has
//! them all, on ARM64 as on x86-64; Windows has those of 1, 2 and 4 vCPU.

use serde::Serialize;

use super::quote::Quote;
use super::words::words;
use crate::units::{Bytes, MilliCpu};

/// Storage every task has free of charge, in GB.
pub const FARGATE_FREE_STORAGE_GB: u32 = 20;

/// Operating systems of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FargateOs {
    /// Linux, on x86-64 and ARM64.
    Linux,
    /// Windows Server, on x86-64.
    Windows,
}

words!(FargateOs { Linux = "linux", Windows = "windows" });

/// A size that can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FargateSize {
    /// CPU units, 1,024 to a vCPU.
    pub cpu_units: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

impl FargateSize {
    /// The vCPU as milli-cpu.
    #[must_use]
    pub const fn cpu(self) -> MilliCpu {
        MilliCpu(self.cpu_units as i64 * 1_000 / 1_024)
    }

    /// The memory in bytes.
    #[must_use]
    pub const fn memory(self) -> Bytes {
        Bytes((self.memory_mib as i64) << 20)
    }

    /// Whether this size holds the request.
    #[must_use]
    pub const fn holds(self, cpu: MilliCpu, memory: Bytes) -> bool {
        self.cpu().0 >= cpu.0 && self.memory().0 >= memory.0
    }
}

/// One row of the table: CPU units, then first, last and step of memory in MiB.
const ROWS: [(u32, u32, u32, u32); 6] = [
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

/// All 74 Linux sizes, by vCPU, then memory.
pub const FARGATE_SIZES: [FargateSize; 74] = {
    let mut sizes = [FargateSize { cpu_units: 256, memory_mib: 512 }; 74];
    sizes[1].memory_mib = 1_024;
    sizes[2].memory_mib = 2_048;
    let (mut next, mut row) = (3, 0);
    while row < ROWS.len() {
        let (cpu_units, first, last, step) = ROWS[row];
        let mut memory_mib = first;
        while memory_mib <= last {
            sizes[next] = FargateSize { cpu_units, memory_mib };
            memory_mib += step;
            next += 1;
        }
        row += 1;
    }
    assert!(next == 74);
    sizes
};

/// The sizes of a task of this operating system, by vCPU, then memory: 74 of
/// Linux, 43 of Windows (ECS developer guide, task size).
pub fn fargate_sizes(os: FargateOs) -> impl Iterator<Item = FargateSize> {
    FARGATE_SIZES.into_iter().filter(move |size| match os {
        FargateOs::Linux => true,
        FargateOs::Windows => (1_024..=4_096).contains(&size.cpu_units),
    })
}

/// What Fargate costs in a Region for one operating system, architecture and
/// purchase option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FargateRates {
    /// USD per vCPU-hour.
    pub vcpu_hour: Quote,
    /// USD per GB-hour of memory.
    pub gb_hour: Quote,
    /// USD per GB-hour of storage above [`FARGATE_FREE_STORAGE_GB`].
    pub ephemeral_gb_hour: Quote,
}

impl FargateRates {
    /// USD per hour of a size, in pico-USD × 1,024: exact, for comparing.
    fn weight(&self, size: FargateSize) -> i128 {
        self.vcpu_hour.rate.pico() * i128::from(size.cpu_units)
            + self.gb_hour.rate.pico() * i128::from(size.memory_mib)
    }
}

/// The cheapest of the 74 sizes that holds the request, or `None` if none
/// does. Ties go to the smaller vCPU, then the smaller memory.
///
/// AWS documents rounding up by vCPU first; with every known rate table the
/// cheapest size is the same one.
#[must_use]
pub fn smallest_fargate(cpu: MilliCpu, memory: Bytes, rates: &FargateRates) -> Option<FargateSize> {
    FARGATE_SIZES
        .into_iter()
        .filter(|size| size.holds(cpu, memory))
        .min_by_key(|size| (rates.weight(*size), *size))
}

#[cfg(test)]
mod tests {
    use super::super::quote::{PriceStatus, Text};
    use super::*;

    fn rates(vcpu: &str, gb: &str) -> FargateRates {
        let quote = |rate: &str| Quote {
            rate: rate.parse().expect("rate"),
            status: PriceStatus::Real,
            as_of: Text::from(""),
            source: Text::from(""),
        };
        FargateRates {
            vcpu_hour: quote(vcpu),
            gb_hour: quote(gb),
            ephemeral_gb_hour: quote("0.000111"),
        }
    }

    #[test]
    fn the_table_has_its_74_sizes() {
        let per_cpu = |units: u32| {
            let memory: Vec<u32> = FARGATE_SIZES
                .iter()
                .filter(|s| s.cpu_units == units)
                .map(|s| s.memory_mib)
                .collect();
            (memory.len(), memory[0], memory[memory.len() - 1])
        };
        assert_eq!(per_cpu(256), (3, 512, 2_048));
        assert_eq!(per_cpu(512), (4, 1_024, 4_096));
        assert_eq!(per_cpu(1_024), (7, 2_048, 8_192));
        assert_eq!(per_cpu(2_048), (13, 4_096, 16_384));
        assert_eq!(per_cpu(4_096), (23, 8_192, 30_720));
        assert_eq!(per_cpu(8_192), (12, 16_384, 61_440));
        assert_eq!(per_cpu(16_384), (12, 32_768, 122_880));
        assert!(FARGATE_SIZES.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn requests_round_up_to_a_size() {
        let rates = rates("0.04048", "0.004445");
        let mib = |n: i64| Bytes(n << 20);
        for (milli, memory, expected) in [
            // The EKS user guide's example: 1 vCPU and 8 GiB plus 256 MiB.
            (1_000, mib(8 * 1_024 + 256), Some((2_048, 9 * 1_024))),
            (0, Bytes(0), Some((256, 512))),
            (250, mib(512), Some((256, 512))),
            (250, mib(513), Some((256, 1_024))),
            (251, mib(512), Some((512, 1_024))),
            (250, mib(2_049), Some((512, 3_072))),
            (4_000, mib(30_720), Some((4_096, 30_720))),
            (4_000, mib(30_721), Some((8_192, 32_768))),
            (8_001, mib(1), Some((16_384, 32_768))),
            (16_000, mib(122_880), Some((16_384, 122_880))),
            (16_001, mib(1), None),
            (1, mib(122_881), None),
        ] {
            let size = smallest_fargate(MilliCpu(milli), memory, &rates);
            assert_eq!(size.map(|s| (s.cpu_units, s.memory_mib)), expected, "{milli}m {memory}");
        }
    }

    #[test]
    fn cheapest_equals_documented_rounding_at_known_rates() {
        let rates = rates("0.04048", "0.004445");
        for milli in (0..=16_500).step_by(125) {
            for mib in (0..=123_904).step_by(512) {
                let (cpu, memory) = (MilliCpu(milli), Bytes(i64::from(mib) << 20));
                // The table is sorted, so the first that holds is the
                // smallest vCPU row, then the smallest memory.
                let first = FARGATE_SIZES.into_iter().find(|s| s.holds(cpu, memory));
                assert_eq!(smallest_fargate(cpu, memory, &rates), first, "{milli}m {mib}Mi");
            }
        }
    }

    #[test]
    fn odd_rates_choose_by_cost_and_ties_by_size() {
        // Memory alone costs: 4 GiB is as dear with 0.5 as with 2 vCPU.
        let memory_only = rates("0", "1");
        let size = smallest_fargate(MilliCpu(1), Bytes(4 << 30), &memory_only);
        assert_eq!(size, Some(FargateSize { cpu_units: 512, memory_mib: 4_096 }));
        let free = rates("0", "0");
        assert_eq!(
            smallest_fargate(MilliCpu(1), Bytes(1), &free),
            Some(FargateSize { cpu_units: 256, memory_mib: 512 })
        );
    }
}
