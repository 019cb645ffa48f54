//! What interrupted work has to repeat.

use crate::workload::OnInterrupt;

/// What an interruption leaves of a batch pod's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rework {
    /// Work the replacement has to do, milliseconds.
    pub remaining_ms: i64,
    /// Work thrown away, milliseconds.
    pub lost_ms: i64,
}

/// `work_ms` was to be done and `done_ms` of it ran.
#[must_use]
pub fn after_interruption(policy: OnInterrupt, work_ms: i64, done_ms: i64) -> Rework {
    let kept = match policy {
        OnInterrupt::Restart => 0,
        OnInterrupt::Checkpoint(every) if every.ms() > 0 => done_ms - done_ms % every.ms(),
        // A checkpoint at every instant is a resume.
        OnInterrupt::Resume | OnInterrupt::Checkpoint(_) => done_ms,
    };
    Rework { remaining_ms: work_ms - kept, lost_ms: done_ms - kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn what_is_kept_depends_on_the_policy() {
        let checkpoint = OnInterrupt::Checkpoint(SimDuration(10));
        for (policy, remaining_ms, lost_ms) in
            [(OnInterrupt::Restart, 100, 37), (OnInterrupt::Resume, 63, 0), (checkpoint, 70, 7)]
        {
            assert_eq!(after_interruption(policy, 100, 37), Rework { remaining_ms, lost_ms });
        }
    }
}
