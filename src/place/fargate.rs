//! The rate at which Fargate launches machines: a token bucket as a pure
//! function of virtual time. Knows nothing of the pods behind the requests.

use crate::units::SimTime;

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
