//! Instance types: what a machine offers before anything runs on it.
//!
//! Sources of the table: see `pricing/README.md`. Capacity for pods follows
//! the EKS node bootstrap (kube-reserved tiers, hard eviction) on the memory
//! that Linux reports; Karpenter's own estimate, which is lower, is kept
//! apart because only Karpenter decides by it.

use std::fmt;

use super::quote::Text;
use super::table::{Row, Table};
use super::words::words;
use crate::Result;
use crate::units::{Bytes, MilliCpu};

/// Processor architecture, by its Kubernetes label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit ARM (Graviton).
    Arm64,
}

words!(Arch { Amd64 = "amd64", Arm64 = "arm64" });

/// How the OS-visible memory of a type is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoryOrigin {
    /// Read on a running instance on this date (one image and boot: ±1 %).
    Measured(Text),
    /// Nominal memory times the usual ratio of its size.
    Ratio,
}

impl fmt::Display for MemoryOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryOrigin::Measured(date) => write!(f, "measured {date}"),
            MemoryOrigin::Ratio => f.write_str("ratio"),
        }
    }
}

/// One EC2 instance type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceType {
    /// As in `m5.large`.
    pub name: Text,
    /// The digit of the family: 5 for m5.
    pub generation: u32,
    /// Logical CPUs.
    pub vcpu: u32,
    /// Advertised memory.
    pub memory: Bytes,
    /// Processor architecture.
    pub arch: Arch,
    /// `intel`, `amd`, `aws`; `None` where unknown.
    pub cpu_manufacturer: Option<Text>,
    /// GPUs on the machine.
    pub gpu_count: u32,
    /// As Karpenter labels it: `t4`, `a100`.
    pub gpu_name: Option<Text>,
    /// Memory of one GPU.
    pub gpu_memory: Option<Bytes>,
    /// Inference and training accelerators that are no GPUs.
    pub accelerator_count: u32,
    /// As in `inferentia2`.
    pub accelerator_name: Option<Text>,
    /// Local NVMe storage in GB; 0 for none.
    pub local_nvme_gb: u32,
    /// Network interfaces of the default card, which the VPC CNI uses.
    pub enis: Option<u32>,
    /// IPv4 addresses of one interface.
    pub ipv4_per_eni: Option<u32>,
    /// Pods the VPC CNI has addresses for, without prefix delegation.
    pub max_pods_eni: u32,
    /// Branch interfaces for security groups for pods.
    pub branch_enis: Option<u32>,
    /// ECS tasks of network mode awsvpc, without trunking.
    pub awsvpc_tasks: Option<u32>,
    /// As `awsvpc_tasks` with a trunk interface; `None` where unknown or
    /// unsupported.
    pub awsvpc_tasks_trunk: Option<u32>,
    /// Baseline network bandwidth.
    pub network_mbps: Option<u32>,
    /// Maximum EBS bandwidth.
    pub ebs_mbps: Option<u32>,
    /// A whole machine without hypervisor.
    pub bare_metal: bool,
    /// T family: cpu credits.
    pub burstable: bool,
    /// Flex family: full cpu 95 % of the time.
    pub flex: bool,
    /// Memory that Linux reports.
    pub os_memory: Bytes,
    /// How [`InstanceType::os_memory`] is known.
    pub os_memory_origin: MemoryOrigin,
}

/// Memory below which the kubelet evicts by default on EKS.
const EVICTION: Bytes = Bytes(100 << 20);
/// Kube-reserved memory of an empty node, and per possible pod.
const RESERVED_BASE: i64 = 255 << 20;
const RESERVED_PER_POD: i64 = 11 << 20;

impl InstanceType {
    /// Cpu that a T3, T3a or T4g instance earns credits for: 100 % of a vCPU for
    /// an hour are 60 credits (EC2 user guide, "Key concepts and definitions for
    /// burstable performance instances", credit table). `None` for others, T2
    /// among them, which launch in standard mode.
    #[must_use]
    pub fn credit_baseline(&self) -> Option<MilliCpu> {
        let (family, size) = self.name.split_once('.')?;
        let per_hour = match size {
            "nano" => 6,
            "micro" => 12,
            "small" | "medium" => 24,
            "large" => 36,
            "xlarge" => 96,
            "2xlarge" => 192,
            _ => return None,
        };
        matches!(family, "t3" | "t3a" | "t4g").then_some(MilliCpu(per_hour * 1_000 / 60))
    }

    /// The part before the point: `m5`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.name.split_once('.').map_or(&*self.name, |(family, _)| family)
    }

    /// The part after the point: `large`.
    #[must_use]
    pub fn size(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, size)| size)
    }

    /// What the kubelet keeps for itself: 6 % of the first core, 1 % of the
    /// second, 0.5 % of the third and fourth, 0.25 % of the rest; 255 MiB and
    /// 11 MiB per possible pod (EKS AMI bootstrap; Karpenter AWS provider
    /// `pkg/providers/instancetype/types.go`, 2026-08).
    #[must_use]
    pub fn kube_reserved(&self, max_pods: u32) -> (MilliCpu, Bytes) {
        let cores = i64::from(self.vcpu);
        let tier = |from: i64, to: i64, per_mille_tenths: i64| {
            (cores.min(to) - from).max(0) * per_mille_tenths / 10
        };
        // Tenths of a milli-cpu per core and tier; each tier is truncated.
        let cpu = tier(0, 1, 600) + tier(1, 2, 100) + tier(2, 4, 50) + tier(4, i64::MAX, 25);
        let memory = RESERVED_BASE + RESERVED_PER_POD * i64::from(max_pods);
        (MilliCpu(cpu), Bytes(memory))
    }

    /// What a ready node offers to pods: all cores and the OS-visible memory
    /// less [`InstanceType::kube_reserved`] and the 100 MiB eviction threshold,
    /// never below zero.
    #[must_use]
    pub fn allocatable(&self, max_pods: u32) -> (MilliCpu, Bytes) {
        let (cpu, memory) = self.kube_reserved(max_pods);
        (
            MilliCpu((i64::from(self.vcpu) * 1_000 - cpu.0).max(0)),
            Bytes((self.os_memory.0 - memory.0 - EVICTION.0).max(0)),
        )
    }

    /// Tasks of network mode awsvpc that ECS places on the type. Without
    /// trunking each takes an interface and the instance one; a type whose
    /// limit is not listed has its interfaces less one (ECS developer guide,
    /// `container-instance-eni.md`, 2023-06). `None` where nothing is known of
    /// the type with trunking.
    #[must_use]
    pub fn ecs_awsvpc_tasks(&self, trunking: bool) -> Option<u32> {
        if trunking {
            return self.awsvpc_tasks_trunk;
        }
        self.awsvpc_tasks.or_else(|| self.enis.map(|n| n.saturating_sub(1)))
    }

    /// What Karpenter assumes before it has seen a node of this type: nominal
    /// memory, 64 MiB less on ARM, less 7.5 % rounded up to a MiB
    /// (`vm-memory-overhead-percent`), then the same reserves.
    #[must_use]
    pub fn karpenter_allocatable(&self, max_pods: u32) -> (MilliCpu, Bytes) {
        let (cpu, memory) = self.kube_reserved(max_pods);
        let nominal_mib = (self.memory.0 >> 20) - if self.arch == Arch::Arm64 { 64 } else { 0 };
        let overhead_mib = (nominal_mib * 75 + 999) / 1_000;
        let visible = (nominal_mib - overhead_mib) << 20;
        (
            MilliCpu((i64::from(self.vcpu) * 1_000 - cpu.0).max(0)),
            Bytes((visible - memory.0 - EVICTION.0).max(0)),
        )
    }
}

/// The header of `instance-types.csv`.
pub(super) const INSTANCE_HEADER: &str = "instance_type,generation,vcpu,memory_mib,arch,\
cpu_manufacturer,gpu_count,gpu_name,gpu_memory_mib,accelerator_count,accelerator_name,\
local_nvme_gb,enis,ipv4_per_eni,max_pods_eni,branch_enis,awsvpc_tasks,awsvpc_tasks_trunk,network_mbps,ebs_mbps,bare_metal,\
burstable,flex,os_memory_mib,os_memory_date";

/// Reads `instance-types.csv`; the result is sorted by name.
pub(super) fn read_types(name: &str, text: &str) -> Result<Vec<InstanceType>> {
    let table = Table::open(name, text, INSTANCE_HEADER)?;
    let mut types: Vec<InstanceType> = Vec::with_capacity(1_400);
    for row in table.rows() {
        let kind = read_type(row)?;
        if types.last().is_some_and(|last| last.name >= kind.name) {
            return Err(row.error("instance types must be sorted by name, each listed once"));
        }
        types.push(kind);
    }
    Ok(types)
}

fn read_type(row: Row<'_, '_>) -> Result<InstanceType> {
    let [
        name,
        generation,
        vcpu,
        memory_mib,
        arch,
        cpu_manufacturer,
        gpu_count,
        gpu_name,
        gpu_memory_mib,
        accelerator_count,
        accelerator_name,
        local_nvme_gb,
        enis,
        ipv4_per_eni,
        max_pods_eni,
        branch_enis,
        awsvpc_tasks,
        awsvpc_tasks_trunk,
        network_mbps,
        ebs_mbps,
        bare_metal,
        burstable,
        flex,
        os_memory_mib,
        os_memory_date,
    ] = row.fields::<25>()?;
    let text = |field: &str| (!field.is_empty()).then(|| Text::from(field));
    let mib = |n: u32| Bytes(i64::from(n) << 20);
    // Bounds far above any machine keep every later product inside i64.
    let memory_mib = row.count("memory_mib", memory_mib, 1 << 30)?;
    let vcpu = row.count("vcpu", vcpu, 100_000)?;
    if name.split_once('.').is_none_or(|(family, size)| family.is_empty() || size.is_empty()) {
        return Err(row.error(format!("instance type `{name}` must read family.size")));
    }
    if vcpu == 0 || memory_mib == 0 {
        return Err(row.error(format!("`{name}` must have cpu and memory")));
    }
    let measured = row.maybe_count("os_memory_mib", os_memory_mib, memory_mib)?;
    let (os_memory_mib, os_memory_origin) = match measured {
        Some(n) => (n, MemoryOrigin::Measured(Text::from(os_memory_date))),
        None => (usual_os_memory_mib(memory_mib), MemoryOrigin::Ratio),
    };
    Ok(InstanceType {
        name: Text::from(name),
        generation: row.count("generation", generation, 1_000)?,
        vcpu,
        memory: mib(memory_mib),
        arch: Arch::from_word(arch)
            .ok_or_else(|| row.error(format!("arch `{arch}` must be amd64 or arm64")))?,
        cpu_manufacturer: text(cpu_manufacturer),
        gpu_count: row.count("gpu_count", gpu_count, 1_000)?,
        gpu_name: text(gpu_name),
        gpu_memory: row.maybe_count("gpu_memory_mib", gpu_memory_mib, 1 << 30)?.map(mib),
        accelerator_count: row.count("accelerator_count", accelerator_count, 1_000)?,
        accelerator_name: text(accelerator_name),
        local_nvme_gb: row.maybe_count("local_nvme_gb", local_nvme_gb, 1 << 30)?.unwrap_or(0),
        enis: row.maybe_count("enis", enis, 1_000)?,
        ipv4_per_eni: row.maybe_count("ipv4_per_eni", ipv4_per_eni, 1_000)?,
        max_pods_eni: row.count("max_pods_eni", max_pods_eni, 100_000)?,
        branch_enis: row.maybe_count("branch_enis", branch_enis, 100_000)?,
        awsvpc_tasks: row.maybe_count("awsvpc_tasks", awsvpc_tasks, 100_000)?,
        awsvpc_tasks_trunk: row.maybe_count("awsvpc_tasks_trunk", awsvpc_tasks_trunk, 100_000)?,
        network_mbps: row.maybe_count("network_mbps", network_mbps, u32::MAX)?,
        ebs_mbps: row.maybe_count("ebs_mbps", ebs_mbps, u32::MAX)?,
        bare_metal: row.flag("bare_metal", bare_metal)?,
        burstable: row.flag("burstable", burstable)?,
        flex: row.flag("flex", flex)?,
        os_memory: mib(os_memory_mib),
        os_memory_origin,
    })
}

/// The memory Linux usually shows where nobody has measured: the median
/// ratio of 1,093 measured types by nominal size, rounded down to a MiB. A
/// size between two rows uses the smaller row; below 2 GiB, where the
/// fixed part weighs unevenly, 0.925.
fn usual_os_memory_mib(nominal_mib: u32) -> u32 {
    const RATIOS: [(u32, u64); 7] =
        [(128, 967), (64, 964), (32, 962), (16, 957), (8, 948), (4, 930), (2, 896)];
    let per_mille = RATIOS
        .iter()
        .find(|(gib, _)| nominal_mib >= gib * 1_024)
        .map_or(925, |(_, per_mille)| *per_mille);
    u32::try_from(u64::from(nominal_mib) * per_mille / 1_000).unwrap_or(nominal_mib)
}
