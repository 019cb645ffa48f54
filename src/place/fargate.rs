//! What Fargate offers pods, and the rate at which it launches machines: a
//! token bucket as a pure function of virtual time, which knows nothing of the
//! pods behind the requests.

use crate::units::SimTime;
use crate::workload::constraints::{Constraints, NodeSelectorTerm};

/// What a pod asks for that Fargate has no machine with, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Extended resources, such as GPUs.
    Extended,
    /// EBS volumes.
    Volumes,
    /// Ports of the host.
    HostPorts,
    /// Another platform than linux/amd64.
    Platform,
}

/// What Fargate does not offer such a pod (EKS user guide, Fargate
/// considerations: no GPUs, EBS volumes, `HostPort` or Arm). `extended` is
/// whether it requests extended resources.
#[must_use]
pub fn refusal(
    extended: bool,
    node_selector: &[(String, String)],
    constraints: Option<&Constraints>,
) -> Option<Refusal> {
    if extended {
        return Some(Refusal::Extended);
    }
    if constraints.is_some_and(|c| c.attached_volumes > 0) {
        return Some(Refusal::Volumes);
    }
    if constraints.is_some_and(|c| !c.host_ports.is_empty()) {
        return Some(Refusal::HostPorts);
    }
    let selects = |(key, value): &(String, String)| platform(key).is_some_and(|own| own != value);
    // One term that says nothing of platforms, or allows Fargate's, is enough.
    let demands = |term: &NodeSelectorTerm| {
        term.match_expressions
            .iter()
            .any(|r| platform(&r.key).is_some_and(|own| !r.matches(Some(own))))
    };
    let required = constraints.and_then(|c| c.required_nodes.as_ref());
    let foreign = node_selector.iter().any(selects)
        || required.is_some_and(|any| !any.is_empty() && any.iter().all(demands));
    foreign.then_some(Refusal::Platform)
}

/// The value that a label of the platform has on every machine of Fargate on
/// EKS. Workloads of ECS have neither node selectors nor node affinity.
fn platform(key: &str) -> Option<&'static str> {
    match key {
        "kubernetes.io/arch" | "beta.kubernetes.io/arch" => Some("amd64"),
        "kubernetes.io/os" | "beta.kubernetes.io/os" => Some("linux"),
        _ => None,
    }
}

/// One token, in the unit in which the bucket counts: with a rate of `n`
/// tokens a second, `n` of these arrive each millisecond.
const TOKEN: i64 = 1_000;

/// A token bucket that starts full and serves requests first come, first
/// served. Exact: levels are thousandths of a token, time is milliseconds.
#[derive(Debug, Clone)]
pub struct LaunchBucket {
    burst: i64,
    per_second: i64,
    /// Thousandths of a token at `at`; negative while requests wait.
    level: i64,
    at: SimTime,
}

impl LaunchBucket {
    /// A full bucket of `burst` tokens, at least one, that gains `per_second`
    /// tokens a second.
    #[must_use]
    pub fn new(burst: u32, per_second: u32) -> Self {
        let burst = i64::from(burst.max(1)) * TOKEN;
        LaunchBucket { burst, per_second: i64::from(per_second), level: burst, at: SimTime::ZERO }
    }

    /// When a request made at `now` gets its token: `now` itself, or later
    /// behind the requests before it. `NEVER` if the bucket is empty and gains
    /// nothing. Requests must come in order of time.
    pub fn admit(&mut self, now: SimTime) -> SimTime {
        debug_assert!(now >= self.at, "requests must come in order of time");
        let gained = (now - self.at).ms().saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(self.burst);
        self.at = now;
        if self.per_second == 0 && self.level < TOKEN {
            return SimTime::NEVER;
        }
        self.level -= TOKEN;
        if self.level >= 0 {
            return now;
        }
        let missing = -self.level;
        let wait = missing / self.per_second + i64::from(missing % self.per_second != 0);
        SimTime(now.ms().saturating_add(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn burst_then_rate() {
        // 3 at once, then one each 500 ms.
        let mut bucket = LaunchBucket::new(3, 2);
        let got: Vec<i64> = (0..6).map(|_| bucket.admit(SimTime(100)).ms()).collect();
        assert_eq!(got, [100, 100, 100, 600, 1_100, 1_600]);
        // At 2,600 the debt is paid and two tokens are back.
        assert_eq!(bucket.admit(SimTime(2_600)).ms(), 2_600);
        assert_eq!(bucket.admit(SimTime(2_600)).ms(), 2_600);
        assert_eq!(bucket.admit(SimTime(2_600)).ms(), 3_100);
    }

    #[test]
    fn a_third_of_a_second_rounds_up_without_drift() {
        let mut bucket = LaunchBucket::new(1, 3);
        let got: Vec<i64> = (0..7).map(|_| bucket.admit(SimTime(0)).ms()).collect();
        assert_eq!(got, [0, 334, 667, 1_000, 1_334, 1_667, 2_000]);
    }

    #[test]
    fn an_idle_bucket_never_holds_more_than_its_burst() {
        let mut bucket = LaunchBucket::new(2, 10);
        let late = SimTime(1_000_000_000);
        let got: Vec<i64> = (0..3).map(|_| (bucket.admit(late) - late).ms()).collect();
        assert_eq!(got, [0, 0, 100]);
    }

    #[test]
    fn no_rate_means_the_burst_and_nothing_more() {
        let mut bucket = LaunchBucket::new(1, 0);
        assert_eq!(bucket.admit(SimTime(5)), SimTime(5));
        assert_eq!(bucket.admit(SimTime(9_000)), SimTime::NEVER);
    }

    proptest! {
        /// In no window (a, b] are more launched than the burst plus what the
        /// rate gives in that window.
        #[test]
        fn rate_holds_in_every_window(
            gaps in proptest::collection::vec(0i64..400, 1..60),
            burst in 1u32..5,
            rate in 1u32..20,
        ) {
            let mut bucket = LaunchBucket::new(burst, rate);
            let mut now = 0;
            let mut out = Vec::new();
            for gap in gaps {
                now += gap;
                let at = bucket.admit(SimTime(now)).ms();
                prop_assert!(at >= now);
                out.push(at);
            }
            prop_assert!(out.is_sorted());
            for i in 0..out.len() {
                for j in i..out.len() {
                    let launched = (j - i + 1) as i64 * 1_000;
                    prop_assert!(
                        launched <= i64::from(burst) * 1_000 + (out[j] - out[i] + 1) * i64::from(rate)
                    );
                }
            }
        }
    }
}
