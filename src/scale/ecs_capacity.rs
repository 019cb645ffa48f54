//! Capacity providers of Amazon ECS: which one a task goes to, and cluster
//! auto scaling (managed scaling) of the Auto Scaling group behind one.
//!
//! Rules: Amazon ECS developer guide, "Amazon ECS capacity providers" and
//! "cluster auto scaling" (2023-06), AWS blog "Deep Dive on Amazon ECS Cluster
//! Auto Scaling". Decision logic only; the caller shows one datapoint a minute.
//!
//! **Tickless.** The answer changes between two datapoints only if what is
//! observed changes, or when [`Answer::next`] says: datapoints before that,
//! and without a change, may be skipped, for they equal the one before.
//!
//! DIFFERENCE: CloudWatch's own delay of a minute or two between a change and
//! its datapoint is not modelled.

use crate::units::{MINUTE_MS, SimDuration, SimTime};

/// Time between two datapoints.
pub const DATAPOINT: SimDuration = SimDuration(MINUTE_MS);

/// One entry of a capacity provider strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StrategyItem {
    /// The provider, as the caller numbers them.
    pub provider: u16,
    /// Tasks that go there before all others.
    pub base: u32,
    /// Share of the tasks above the base.
    pub weight: u32,
}

/// Which entry of a strategy takes the next task, when `counts` of the tasks
/// run with each: the first one below its base, else the one furthest below
/// its share, in the order of the list among equals. `None` if nothing may
/// take one.
#[must_use]
pub fn choose_provider(strategy: &[StrategyItem], counts: &[u32]) -> Option<usize> {
    let below = |(i, item): &(usize, &StrategyItem)| item.base > counts[*i];
    if let Some((i, _)) = strategy.iter().enumerate().find(below) {
        return Some(i);
    }
    // (r + 1) / weight compared as cross products.
    let mut best: Option<(usize, u64, u64)> = None;
    for (i, item) in strategy.iter().enumerate().filter(|(_, item)| item.weight > 0) {
        let (rank, weight) = (u64::from(counts[i] - item.base) + 1, u64::from(item.weight));
        if best.is_none_or(|(_, r, w)| rank * w < r * weight) {
            best = Some((i, rank, weight));
        }
    }
    best.map(|(i, _, _)| i)
}

/// Which entry gives up a task: the one furthest above its share beyond the
/// base, the last of the list among equals; a base only once nothing else is
/// left.
#[must_use]
pub fn shrink_provider(strategy: &[StrategyItem], counts: &[u32]) -> Option<usize> {
    let mut worst: Option<(usize, u64, u64)> = None;
    for (i, item) in strategy.iter().enumerate() {
        let above = u64::from(counts[i].saturating_sub(item.base));
        if above == 0 {
            continue;
        }
        // Weight 0: beyond the base it has no share at all.
        let weight = u64::from(item.weight);
        if worst.is_none_or(|(_, a, w)| above * w >= a * weight) {
            worst = Some((i, above, weight));
        }
    }
    worst.map(|(i, _, _)| i).or_else(|| (0..strategy.len()).rev().find(|i| counts[*i] > 0))
}

/// `managedScaling` of a capacity provider, by AWS's names, and what AWS does
/// not let one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedScaling {
    /// Wanted `CapacityProviderReservation` in percent, 1 to 100.
    pub target_capacity: u32,
    /// Fewest instances added at once.
    pub minimum_scaling_step_size: u32,
    /// Most instances added at once.
    pub maximum_scaling_step_size: u32,
    /// After an instance runs, nothing is added for so long.
    pub instance_warmup_period: SimDuration,
    /// Whether only instances without tasks are terminated.
    pub managed_termination_protection: bool,
    /// Whether an instance is drained before it is terminated.
    pub managed_draining: bool,
    /// Desired size when tasks wait and the group is empty.
    pub cold_start_instances: u32,
}

impl Default for ManagedScaling {
    fn default() -> Self {
        ManagedScaling {
            target_capacity: 100,
            minimum_scaling_step_size: 1,
            maximum_scaling_step_size: 10_000,
            instance_warmup_period: SimDuration::from_secs(300),
            managed_termination_protection: false,
            managed_draining: true,
            cold_start_instances: 2,
        }
    }
}

/// Datapoints below the target before instances are removed.
const SCALE_IN_DATAPOINTS: i64 = 15;

/// Tasks in `PROVISIONING` that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: u32,
    /// How many an empty instance of the largest type holds.
    pub per_largest: u32,
    /// Whether an empty instance of the smallest type holds one.
    pub fits_smallest: bool,
}

/// A group at a datapoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Instances in service: registered and not terminating (N).
    pub in_service: u32,
    /// Of these, those that run a task of no daemon service.
    pub busy: u32,
    /// Desired size of the group.
    pub desired: u32,
    /// Its smallest size.
    pub min: u32,
    /// Its largest size.
    pub max: u32,
    /// When the last instance launched ends its warm-up; later than any time
    /// while one is being launched.
    pub warm_at: Option<SimTime>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// Raise the desired size to this.
    pub raise_to: Option<u32>,
    /// Remove so many instances.
    pub remove: u32,
    /// The next datapoint at which the answer may change by itself.
    pub next: Option<SimTime>,
}

/// Instances needed (M): those that run tasks, or while tasks wait all that
/// are there plus the largest number that one group of alike tasks needs,
/// within the step sizes. A lower bound, as AWS describes it.
#[must_use]
pub fn needed(settings: &ManagedScaling, group: &Observed, waiting: &[Waiting]) -> u32 {
    if waiting.is_empty() {
        return group.busy;
    }
    let bins = waiting
        .iter()
        .filter(|w| w.fits_smallest && w.per_largest > 0)
        .map(|w| w.count.div_ceil(w.per_largest))
        .max();
    // Nothing that could be helped: the reservation is 100 %.
    let Some(bins) = bins else { return group.in_service };
    let most = settings.maximum_scaling_step_size;
    group.in_service.saturating_add(bins.clamp(settings.minimum_scaling_step_size.min(most), most))
}

/// The scaling of one capacity provider.
#[derive(Debug, Clone)]
pub struct ProviderScaler {
    settings: ManagedScaling,
    /// The first of the datapoints below the target that go on until now.
    below_since: Option<SimTime>,
}

impl ProviderScaler {
    /// With these settings.
    #[must_use]
    pub fn new(settings: ManagedScaling) -> Self {
        ProviderScaler { settings, below_since: None }
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &ManagedScaling {
        &self.settings
    }

    /// The answer to the datapoint of `now`.
    pub fn datapoint(&mut self, now: SimTime, group: &Observed, waiting: &[Waiting]) -> Answer {
        let n = u64::from(group.in_service);
        let m = u64::from(needed(&self.settings, group, waiting));
        let target = u64::from(self.settings.target_capacity);
        // Reservation = 100·M/N; an empty group is at 100 % with nothing to
        // do, and at 200 % otherwise.
        let (above, below) = match (n, m) {
            (0, 0) => (target < 100, false),
            (0, _) => (true, false),
            _ => (100 * m > target * n, 100 * m < target * n),
        };
        let wanted = u32::try_from((100 * m).div_ceil(target)).unwrap_or(u32::MAX);
        if !below {
            self.below_since = None;
        }
        if above {
            let wanted = if n == 0 && m > 0 { self.settings.cold_start_instances } else { wanted };
            let wanted = wanted.min(group.max);
            if wanted <= group.desired {
                return Answer::default();
            }
            return match group.warm_at.filter(|at| *at > now) {
                // While one is being launched a change will tell.
                Some(SimTime::NEVER) => Answer::default(),
                Some(at) => Answer { next: Some(next_datapoint(at)), ..Answer::default() },
                None => Answer { raise_to: Some(wanted), ..Answer::default() },
            };
        }
        if !below {
            return Answer::default();
        }
        let since = *self.below_since.get_or_insert(now);
        let due = since + SimDuration((SCALE_IN_DATAPOINTS - 1) * DATAPOINT.ms());
        let surplus = group.in_service.saturating_sub(wanted.max(group.min));
        let surplus = surplus.min(group.desired.saturating_sub(group.min));
        if surplus == 0 {
            return Answer::default();
        }
        if now < due {
            return Answer { next: Some(due), ..Answer::default() };
        }
        // Between one instance and half of the group a minute.
        Answer {
            remove: surplus.min((group.in_service / 2).max(1)),
            next: Some(now + DATAPOINT),
            ..Answer::default()
        }
    }
}

/// The first datapoint at or after a time.
#[must_use]
pub fn next_datapoint(at: SimTime) -> SimTime {
    let interval = DATAPOINT.ms();
    SimTime((at.ms() + interval - 1).div_euclid(interval) * interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(provider: u16, base: u32, weight: u32) -> StrategyItem {
        StrategyItem { provider, base, weight }
    }

    /// Base 2 on the first, weights 1 and 3: two for the base, then one and
    /// three of every four. Of ten tasks: 2 + 2 and 6.
    #[test]
    fn base_first_then_by_weight() {
        let strategy = [item(0, 2, 1), item(1, 0, 3)];
        let mut counts = [0, 0];
        let order: Vec<usize> = (0..10)
            .map(|_| {
                let i = choose_provider(&strategy, &counts).expect("one");
                counts[i] += 1;
                i
            })
            .collect();
        // After the base: 1/1 against 1/3, 2/3, 3/3 (a tie goes to the first).
        assert_eq!(order, [0, 0, 1, 1, 0, 1, 1, 1, 0, 1]);
        assert_eq!(counts, [4, 6]);
    }

    #[test]
    fn weight_zero_takes_its_base_only() {
        let strategy = [item(0, 1, 0), item(1, 0, 1)];
        assert_eq!(choose_provider(&strategy, &[0, 0]), Some(0));
        assert_eq!(choose_provider(&strategy, &[1, 0]), Some(1));
        assert_eq!(choose_provider(&strategy, &[1, 50]), Some(1));
        assert_eq!(choose_provider(&[item(0, 1, 0)], &[1]), None);
    }

    /// Scale-in undoes scale-out: from (4, 6) with base 2 and weights 1 : 3.
    #[test]
    fn scale_in_takes_from_what_is_above_its_share() {
        let strategy = [item(0, 2, 1), item(1, 0, 3)];
        // 2 above base at weight 1 is as far as 6 at weight 3: the later goes.
        assert_eq!(shrink_provider(&strategy, &[4, 6]), Some(1));
        assert_eq!(shrink_provider(&strategy, &[4, 5]), Some(0));
        assert_eq!(shrink_provider(&strategy, &[3, 1]), Some(0));
        assert_eq!(shrink_provider(&strategy, &[2, 1]), Some(1));
        // The base goes last.
        assert_eq!(shrink_provider(&strategy, &[2, 0]), Some(0));
        assert_eq!(shrink_provider(&strategy, &[0, 0]), None);
        // What has no weight gives up first what it has beyond its base.
        assert_eq!(shrink_provider(&[item(0, 1, 0), item(1, 0, 1)], &[2, 9]), Some(0));
    }

    fn group(in_service: u32, busy: u32) -> Observed {
        Observed { in_service, busy, desired: in_service, min: 0, max: 100, warm_at: None }
    }

    fn waiting(count: u32, per_largest: u32) -> Waiting {
        Waiting { count, per_largest, fits_smallest: true }
    }

    fn scaler(target_capacity: u32) -> ProviderScaler {
        ProviderScaler::new(ManagedScaling { target_capacity, ..ManagedScaling::default() })
    }

    /// M is the largest need of one group, not the sum; what the smallest
    /// type cannot hold does not count; step sizes bound what is added.
    #[test]
    fn needed_instances_by_hand() {
        let settings = ManagedScaling::default();
        assert_eq!(needed(&settings, &group(5, 3), &[]), 3);
        // 17 tasks at 4 an instance need 5, 6 at 1 need 6: 5 + 6.
        let two = [waiting(17, 4), waiting(6, 1)];
        assert_eq!(needed(&settings, &group(5, 5), &two), 11);
        let hopeless = Waiting { fits_smallest: false, ..waiting(40, 4) };
        assert_eq!(needed(&settings, &group(5, 5), &[hopeless, waiting(1, 4)]), 6);
        assert_eq!(needed(&settings, &group(5, 5), &[hopeless]), 5);
        let steps = ManagedScaling {
            minimum_scaling_step_size: 3,
            maximum_scaling_step_size: 4,
            ..settings
        };
        assert_eq!(needed(&steps, &group(5, 5), &[waiting(1, 4)]), 8);
        assert_eq!(needed(&steps, &group(5, 5), &[waiting(99, 4)]), 9);
    }

    /// Nine busy instances at a target of 90 % want a tenth as headroom.
    #[test]
    fn a_target_below_100_keeps_spare_instances() {
        let at = SimTime(60_000);
        let answer = scaler(90).datapoint(at, &group(9, 9), &[]);
        assert_eq!(answer, Answer { raise_to: Some(10), ..Answer::default() });
        assert_eq!(scaler(90).datapoint(at, &group(10, 9), &[]), Answer::default());
        assert_eq!(scaler(100).datapoint(at, &group(9, 9), &[]), Answer::default());
        // ⌈(9 + 3)·100/90⌉ = 14 with 12 tasks at 4 an instance waiting.
        let answer = scaler(90).datapoint(at, &group(9, 9), &[waiting(12, 4)]);
        assert_eq!(answer.raise_to, Some(14));
        let small = Observed { max: 11, ..group(9, 9) };
        assert_eq!(scaler(90).datapoint(at, &small, &[waiting(12, 4)]).raise_to, Some(11));
    }

    #[test]
    fn an_empty_group_starts_with_two() {
        let at = SimTime(60_000);
        assert_eq!(scaler(100).datapoint(at, &group(0, 0), &[]), Answer::default());
        let answer = scaler(100).datapoint(at, &group(0, 0), &[waiting(500, 4)]);
        assert_eq!(answer.raise_to, Some(2));
        let tiny = Observed { max: 1, ..group(0, 0) };
        assert_eq!(scaler(100).datapoint(at, &tiny, &[waiting(500, 4)]).raise_to, Some(1));
    }

    #[test]
    fn nothing_is_added_during_a_warm_up() {
        let at = SimTime(600_000);
        let warm = |t| Observed { warm_at: Some(SimTime(t)), ..group(2, 2) };
        let answer = scaler(100).datapoint(at, &warm(650_001), &[waiting(9, 1)]);
        assert_eq!(answer, Answer { next: Some(SimTime(660_000)), ..Answer::default() });
        let answer = scaler(100).datapoint(at, &warm(600_000), &[waiting(9, 1)]);
        assert_eq!(answer.raise_to, Some(11));
        let launching = Observed { warm_at: Some(SimTime::NEVER), ..group(2, 2) };
        assert_eq!(scaler(100).datapoint(at, &launching, &[waiting(9, 1)]), Answer::default());
    }

    /// Fifteen datapoints in a row, then at most half of the group a minute.
    #[test]
    fn scale_in_waits_for_fifteen_datapoints() {
        let mut scaler = scaler(100);
        let minute = |k: i64| SimTime(k * 60_000);
        let mut n = 10;
        let mut removed = Vec::new();
        for k in 1..=18 {
            let answer = scaler.datapoint(minute(k), &group(n, 1), &[]);
            n -= answer.remove;
            removed.push(answer.remove);
        }
        // Of ten five go, of five two, of three one, of two one.
        assert_eq!(removed[..14], [0; 14]);
        assert_eq!(removed[14..], [5, 2, 1, 1]);
        assert_eq!(n, 1);
        // All idle at 100 %: down to the minimum.
        let mut idle = self::scaler(100);
        idle.datapoint(minute(1), &group(1, 0), &[]);
        assert_eq!(idle.datapoint(minute(15), &group(1, 0), &[]).remove, 1);
        let kept = Observed { min: 1, ..group(1, 0) };
        assert_eq!(idle.datapoint(minute(16), &kept, &[]), Answer::default());
    }

    #[test]
    fn any_need_starts_the_count_anew() {
        let mut scaler = scaler(100);
        let minute = |k: i64| SimTime(k * 60_000);
        assert_eq!(scaler.datapoint(minute(1), &group(4, 1), &[]).next, Some(minute(15)));
        scaler.datapoint(minute(10), &group(4, 4), &[]);
        assert_eq!(scaler.datapoint(minute(11), &group(4, 1), &[]).next, Some(minute(25)));
        assert_eq!(scaler.datapoint(minute(24), &group(4, 1), &[]).remove, 0);
        assert_eq!(scaler.datapoint(minute(25), &group(4, 1), &[]).remove, 2);
    }

    proptest! {
        /// Skipping the datapoints that the answer allows to skip changes
        /// nothing.
        #[test]
        fn skipped_datapoints_would_have_said_the_same(
            target in 1u32..=100,
            steps in proptest::collection::vec((0u32..12, 0u32..12, 0u32..9, 1i64..30), 1..12),
        ) {
            let (mut every, mut some) = (scaler(target), scaler(target));
            let mut minute = 1;
            for (n, busy, pending, length) in steps {
                let observed = group(n, busy.min(n));
                let tasks = [waiting(pending, 2)];
                let tasks = if pending > 0 { &tasks[..] } else { &[] };
                let mut due = Some(SimTime(minute * 60_000));
                for k in minute..minute + length {
                    let now = SimTime(k * 60_000);
                    let full = every.datapoint(now, &observed, tasks);
                    let act = (full.raise_to, full.remove);
                    if due.is_some_and(|due| due <= now) {
                        let answer = some.datapoint(now, &observed, tasks);
                        prop_assert_eq!((answer.raise_to, answer.remove), act);
                        due = answer.next;
                        if act != (None, 0) {
                            // It changes the group, which is a change.
                            due = Some(now);
                        }
                    } else {
                        prop_assert_eq!(act, (None, 0));
                    }
                }
                minute += length;
            }
        }

        /// The split of any number of tasks keeps to base and weights within
        /// one task, and scale-in never leaves a base short.
        #[test]
        fn shares_are_kept(
            base in 0u32..5,
            weights in proptest::collection::vec(1u32..6, 1..4),
            tasks in 0u32..60,
        ) {
            let strategy: Vec<StrategyItem> = weights
                .iter()
                .enumerate()
                .map(|(i, w)| item(i as u16, if i == 0 { base } else { 0 }, *w))
                .collect();
            let sum: u32 = weights.iter().sum();
            let mut counts = vec![0; weights.len()];
            for _ in 0..tasks {
                let next = choose_provider(&strategy, &counts).expect("weights");
                counts[next] += 1;
            }
            let rest = tasks.saturating_sub(base);
            for (i, w) in weights.iter().enumerate() {
                let above = f64::from(counts[i].saturating_sub(strategy[i].base));
                let share = f64::from(rest) * f64::from(*w) / f64::from(sum);
                prop_assert!((above - share).abs() < weights.len() as f64, "{counts:?}");
            }
            while let Some(i) = shrink_provider(&strategy, &counts) {
                counts[i] -= 1;
                let left: u32 = counts.iter().sum();
                prop_assert!(left < base || counts[0] >= base.min(left + 1) - u32::from(left < base));
            }
        }
    }
}
