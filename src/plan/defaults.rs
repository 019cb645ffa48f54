//! Every value that a scenario may leave out, and why it is what it is.
//!
//! "choice" marks a value of this program where nothing is published;
//! "unverified" one that practitioners report and no stored source confirms.
//! All of them appear among the settings of a case with their note.

use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu, Percent, SimDuration};

/// A default and its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known<T> {
    /// The value.
    pub(super) value: T,
    /// Why.
    pub(super) note: &'static str,
}

const fn known<T>(value: T, note: &'static str) -> Known<T> {
    Known { value, note }
}

/// `time.start`, Unix milliseconds: 2025-01-06T00:00Z.
pub(super) const START_UNIX_MS: Known<i64> =
    known(1_736_121_600_000, "a Monday, so that days of a curve are days of the week");

/// `time.warmup`.
pub(super) const WARMUP: Known<SimDuration> = known(SimDuration::ZERO, "nothing is left out");

/// `versions.kubernetes`.
pub(super) const KUBERNETES: Known<&str> = known("1.35", "the newest version of EKS that is known");

/// `seed`.
pub(super) const SEED: Known<u64> = known(1, "choice");

/// `seeds` where something is random.
pub(super) const SEEDS_RANDOM: Known<u32> =
    known(5, "choice: enough for an interval; something in the scenario is random");

/// `seeds` where nothing is random.
pub(super) const SEEDS_FIXED: Known<u32> = known(1, "nothing in the scenario is random");

/// `placement.scheduler.rate`, pods per second.
pub(super) const SCHEDULER_RATE: Known<f64> = known(
    100.0,
    "choice, on the safe side: kube-scheduler's own benchmarks ask for 680 and more on 5,000 \
     nodes (kubernetes test/integration/scheduler_perf, 1.31), without a managed control plane",
);

/// `placement.scheduler.podInitialBackoffSeconds`.
pub(super) const INITIAL_BACKOFF_S: Known<u64> =
    known(1, "kube-scheduler default (KubeSchedulerConfiguration v1)");

/// `placement.scheduler.podMaxBackoffSeconds`.
pub(super) const MAX_BACKOFF_S: Known<u64> =
    known(10, "kube-scheduler default (KubeSchedulerConfiguration v1)");

/// Letters of the Availability Zones of a pool that names none.
pub(super) const ZONE_LETTERS: Known<[char; 3]> =
    known(['a', 'b', 'c'], "choice: the first three; letters differ between accounts");

/// `spot.shock-share`.
pub(super) const SHOCK_SHARE: Known<Percent> = known(
    Percent { ppm: 500_000 },
    "choice: AWS says that reclaims come in groups, not how large a part of them does",
);

/// `spot.prices.process.interval`.
pub(super) const PRICE_INTERVAL: Known<SimDuration> = known(
    SimDuration(crate::units::DAY_MS),
    "measured: 1.1 to 1.3 changes a day and zone (t3.micro in three Regions, 2025-11 to 2026-02)",
);

/// `spot.prices.process.half-life`.
pub(super) const PRICE_HALF_LIFE: Known<SimDuration> = known(
    SimDuration(7 * crate::units::DAY_MS),
    "measured: daily means correlate by a half after 7 days in two of three Regions (t3.micro,      2025-11 to 2026-02)",
);

/// `spot.prices.process.deviation`.
pub(super) const PRICE_DEVIATION: Known<Percent> = known(
    Percent { ppm: 70_000 },
    "measured: 3 %, 7 % and 21 % over 90 days in three Regions (t3.micro, 2025-11 to 2026-02), of      which the middle",
);

/// `spot.prices.process.zone-spread`.
pub(super) const ZONE_SPREAD: Known<Percent> = known(
    Percent { ppm: 170_000 },
    "measured: 3,009 pairs of type and Region with several zones on 2022-05-31; the dearest zone      is 1.03 times the cheapest in the median, 1.56 times in the 90th percentile",
);

/// `spot.notice`.
pub(super) const NOTICE: Known<SimDuration> =
    known(SimDuration::from_secs(120), "EC2 user guide, Spot Instance interruption notices");

/// Median and 95th percentile of a log-normal time, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Latency {
    median_s: u32,
    p95_s: u32,
}

impl Latency {
    /// In milliseconds.
    pub(super) fn distribution(self) -> Distribution {
        let ms = |s: u32| f64::from(s) * 1e3;
        Distribution::log_normal_p95(ms(self.median_s), ms(self.p95_s))
            .expect("0 < median <= p95 in every constant")
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{ lognormal: {{ median: {}s, p95: {}s }} }}", self.median_s, self.p95_s)
    }
}

/// `boot.launch`.
pub(super) const BOOT_LAUNCH: Known<Latency> = known(
    Latency { median_s: 15, p95_s: 30 },
    "unverified: part of a median of 75 s and a p95 of 150 s from a raised Auto Scaling group to \
     a Ready node",
);

/// `boot.ready`.
pub(super) const BOOT_READY: Known<Latency> = known(
    Latency { median_s: 60, p95_s: 120 },
    "unverified: part of a median of 75 s and a p95 of 150 s from a raised Auto Scaling group to \
     a Ready node",
);

/// `fargate.start-latency`.
pub(super) const FARGATE_START: Known<Latency> =
    known(Latency { median_s: 60, p95_s: 120 }, "choice: AWS does not specify it");

/// `fargate.launch-rate`: tokens at most, tokens per second.
pub(super) const FARGATE_LAUNCH: Known<(u32, u32)> = known(
    (20, 20),
    "Fargate quotas of an account that runs EKS pods only; with ECS the burst is 100",
);

/// `fargate.start-latency` on ECS.
pub(super) const FARGATE_START_ECS: Known<Latency> =
    known(Latency { median_s: 35, p95_s: 70 }, "choice: AWS does not specify it");

/// `fargate.launch-rate` on ECS.
pub(super) const FARGATE_LAUNCH_ECS: Known<(u32, u32)> =
    known((100, 20), "Fargate quotas of an account, apart for Fargate and Fargate Spot");

/// `fargate.interruptions` of Fargate Spot: share of tasks per month.
pub(super) const FARGATE_INTERRUPTIONS: Known<Percent> =
    known(Percent { ppm: 50_000 }, "choice: AWS publishes no interruption rate of Fargate Spot");

/// Container instances per cluster, beyond which a scenario is warned of.
pub(super) const ECS_INSTANCES_PER_CLUSTER: Known<u64> = known(5_000, "ECS service quotas");

/// Tasks per service, beyond which a scenario is warned of.
pub(super) const ECS_TASKS_PER_SERVICE: Known<u64> = known(5_000, "ECS service quotas");

/// `ecs.network-mode`.
pub(super) const ECS_NETWORK_MODE: Known<crate::scenario::NetworkMode> = known(
    crate::scenario::NetworkMode::Bridge,
    "default of a task definition on Linux instances (ECS API, networkMode)",
);

/// `ecs.reserved-memory`.
pub(super) const ECS_RESERVED_MEMORY: Known<Bytes> =
    known(Bytes(0), "default of ECS_RESERVED_MEMORY (amazon-ecs-agent README)");

/// `ecs.provisioning-limit`.
pub(super) const PROVISIONING_LIMIT: Known<u32> = known(
    500,
    "unverified: tasks in PROVISIONING a cluster counts; others wait at whoever asked for them",
);

/// Memory that EKS adds to every Fargate pod.
pub(super) const FARGATE_OVERHEAD: Known<Bytes> =
    known(Bytes(256 << 20), "EKS user guide, Fargate pod configuration: Kubernetes components");

/// `fargate.public-ipv4` on ECS.
pub(super) const FARGATE_PUBLIC_IPV4: Known<bool> =
    known(false, "choice: tasks in private subnets; assignPublicIp is DISABLED by default");

/// `fargate.minimum-charge` of Windows.
pub(super) const WINDOWS_MINIMUM: Known<SimDuration> = known(
    SimDuration::from_secs(300),
    "unverified: Windows tasks are billed for five minutes at least; Linux tasks for one",
);

/// `fargate.windows-licence`.
pub(super) const WINDOWS_LICENCE: Known<crate::scenario::WindowsLicence> = known(
    crate::scenario::WindowsLicence::Included,
    "choice: the published price of a vCPU does not say whether it contains the licence; it is \
     not added twice",
);

/// `management-fee` of ECS Managed Instances, of the On-Demand price.
pub(super) const MANAGED_INSTANCES_FEE: Known<Percent> = known(
    Percent { ppm: 120_000 },
    "representative: the one published example is 0.037 USD for c6a.2xlarge, 12.1% of 0.306 (ECS \
     pricing page, 2026-09, as kept by api-evangelist/amazon-ecs); each type has its own price",
);

/// `fargate.job-retention`.
pub(super) const JOB_RETENTION: Known<SimDuration> =
    known(SimDuration::ZERO, "choice: completed Job pods are removed at once");

/// `startup` of a workload.
pub(super) const STARTUP: Known<SimDuration> =
    known(SimDuration::from_secs(5), "unverified: container start to ready");

/// `terminationGracePeriodSeconds` of a workload that takes time to end.
pub(super) const GRACE_PERIOD_S: Known<i64> =
    known(30, "Kubernetes (core/v1, DefaultTerminationGracePeriodSeconds)");

/// `namespace` of a workload.
pub(super) const NAMESPACE: Known<&str> = known("default", "Kubernetes");

/// Name of the resource that the GPUs of a trace become.
pub(super) const GPU_RESOURCE: Known<&str> = known("nvidia.com/gpu", "NVIDIA device plugin");

/// Step of a drawn cpu size.
pub(super) const CPU_STEP: Known<MilliCpu> =
    known(MilliCpu(100), "choice: keeps distinct pod shapes few");

/// Step of a drawn memory size.
pub(super) const MEMORY_STEP: Known<Bytes> =
    known(Bytes(128 << 20), "choice: keeps distinct pod shapes few");

/// Why a default follows from the version of Kubernetes.
pub(super) const AUTOSCALER_NOTE: &str =
    "cluster-autoscaler flag default of that version (config/flags/flags.go)";

/// How the cost of a node splits where `allocation.cpu-weight` is absent.
pub(super) const WEIGHT_NOTE: &str = "the published prices of one vCPU and one GB of Fargate, us-east-1, x86, in the ratio of 0.04048 to 0.004445";

/// `images.pull-bandwidth`, bytes a second.
pub(super) const PULL_BANDWIDTH: Known<Bytes> =
    known(Bytes(50 << 20), "choice: download and unpacking of one image");

/// `charges.zones` where the pools have none.
pub(super) const FARGATE_ZONES: Known<i64> =
    known(3, "choice: pods of Fargate in subnets of three zones");

/// `charges.load-balancing.requests-per-connection`.
pub(super) const REQUESTS_PER_CONNECTION: Known<u64> =
    known(1, "choice: clients that keep no connection open");

/// `charges.load-balancing.connection-duration`.
pub(super) const CONNECTION_DURATION: Known<SimDuration> = known(
    SimDuration::from_secs(60),
    "choice: the idle timeout of an ALB (Elastic Load Balancing user guide)",
);

/// `charges.load-balancing.internet-facing`.
pub(super) const INTERNET_FACING: Known<bool> =
    known(true, "choice: clients are on the internet, so each zone has a public address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_distributions_and_read_like_the_scenario() {
        for latency in [BOOT_LAUNCH, BOOT_READY, FARGATE_START, FARGATE_START_ECS] {
            assert!(latency.value.distribution().validate().is_ok());
        }
        assert_eq!(BOOT_READY.value.to_string(), "{ lognormal: { median: 60s, p95: 120s } }");
    }
}
