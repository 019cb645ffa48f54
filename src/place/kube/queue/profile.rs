//! How long pods back off, and at which ticks the queue looks at them.

/// Interval at which expired back-offs are flushed, and width of the window
/// in which newer queues order them by priority.
const FLUSH_MS: i64 = 1_000;
/// Interval at which long unschedulable pods are looked for.
const LEFTOVER_FLUSH_MS: i64 = 30_000;
/// Pods unschedulable for longer than this are tried again.
const LEFTOVER_AGE_MS: i64 = 300_000;

/// Behaviour of the queue that changed between versions or is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueProfile {
    /// `SchedulerQueueingHints`, on from 1.32: a deleted pod wakes only pods
    /// that lack capacity.
    pub hints: bool,
    /// `SchedulerPopFromBackoffQ`, on from 1.33: an idle scheduler takes pods
    /// out of their back-off.
    pub pop_from_backoff: bool,
    /// `podInitialBackoffSeconds`, milliseconds.
    pub initial_backoff_ms: i64,
    /// `podMaxBackoffSeconds`, milliseconds.
    pub max_backoff_ms: i64,
}

impl QueueProfile {
    /// The defaults of Kubernetes `1.minor`.
    #[must_use]
    pub const fn kubernetes(minor: u32) -> Self {
        QueueProfile {
            hints: minor >= 32,
            pop_from_backoff: minor >= 33,
            initial_backoff_ms: 1_000,
            max_backoff_ms: 10_000,
        }
    }

    /// Back-off after so many attempts: the initial one, doubled each time,
    /// at most the maximum.
    #[must_use]
    pub const fn backoff_ms(&self, attempts: u32) -> i64 {
        if attempts == 0 {
            return 0;
        }
        let mut backoff = self.initial_backoff_ms;
        let mut attempt = 1;
        while attempt < attempts {
            if backoff > self.max_backoff_ms - backoff {
                return self.max_backoff_ms;
            }
            if backoff == 0 {
                return 0;
            }
            backoff += backoff;
            attempt += 1;
        }
        backoff
    }

    /// The back-off by attempts, two at least, up to the number of them after
    /// which it does not change any more: any maximum is reached in 64.
    pub(super) fn backoffs(&self) -> Vec<i64> {
        let mut all = vec![0, self.backoff_ms(1), self.backoff_ms(2)];
        for attempts in 3.. {
            let next = self.backoff_ms(attempts);
            if all.last() == Some(&next) {
                break;
            }
            all.push(next);
        }
        all
    }

    /// Whether a back-off that ends at `expiry` still lasts at `now`.
    pub(in crate::place::kube) const fn backing_off(&self, expiry: i64, now: i64) -> bool {
        if self.pop_from_backoff {
            // Whole windows, and a window lasts until it is over.
            floor(expiry, FLUSH_MS) >= floor(now, FLUSH_MS)
        } else {
            expiry > now
        }
    }

    /// The tick that ends a back-off.
    pub(super) const fn flushed_at(&self, expiry: i64) -> i64 {
        if self.pop_from_backoff {
            floor(expiry, FLUSH_MS) + FLUSH_MS
        } else {
            floor(expiry + FLUSH_MS - 1, FLUSH_MS)
        }
    }
}

impl Default for QueueProfile {
    /// The newest behaviour.
    fn default() -> Self {
        QueueProfile::kubernetes(u32::MAX)
    }
}

const fn floor(ms: i64, step: i64) -> i64 {
    ms.div_euclid(step) * step
}

/// The tick at which a pod that became unschedulable at `stamp` is leftover.
pub(super) const fn leftover_at(stamp: i64) -> i64 {
    floor(stamp + LEFTOVER_AGE_MS, LEFTOVER_FLUSH_MS) + LEFTOVER_FLUSH_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_its_maximum() {
        let profile = QueueProfile::kubernetes(31);
        let got: Vec<i64> = (0..8).map(|attempts| profile.backoff_ms(attempts) / 1_000).collect();
        assert_eq!(got, [0, 1, 2, 4, 8, 10, 10, 10]);
        assert_eq!(profile.backoffs(), [0, 1_000, 2_000, 4_000, 8_000, 10_000]);
        let odd = QueueProfile { initial_backoff_ms: 0, ..profile };
        assert_eq!(odd.backoff_ms(255), 0);
        assert_eq!(odd.backoffs(), [0, 0, 0]);
        let flat = QueueProfile { initial_backoff_ms: 10_000, ..profile };
        assert_eq!(flat.backoffs(), [0, 10_000, 10_000]);
        let long = QueueProfile { initial_backoff_ms: 1, max_backoff_ms: i64::MAX, ..profile };
        assert_eq!(long.backoffs().len(), 65);
    }

    #[test]
    fn backoff_windows_of_1_33_end_with_their_second() {
        let profile = QueueProfile::kubernetes(33);
        assert_eq!(profile.flushed_at(5_400), 6_000);
        assert_eq!(profile.flushed_at(5_000), 6_000);
        assert!(profile.backing_off(5_000, 5_999));
        assert!(!profile.backing_off(5_999, 6_000));
        let older = QueueProfile::kubernetes(31);
        assert_eq!(older.flushed_at(5_000), 5_000);
        assert!(!older.backing_off(5_000, 5_000));
        assert!(older.backing_off(5_001, 5_000));
    }

    #[test]
    fn exactly_five_minutes_is_not_yet_leftover() {
        // Unschedulable since 30 s: at 330 s it is not older than 5 minutes.
        assert_eq!(leftover_at(30_000), 360_000);
        assert_eq!(leftover_at(29_999), 330_000);
    }
}
