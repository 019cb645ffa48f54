//! Per-node accounts: integrals of requests, usage and free capacity.
//!
//! One account per node slot. A change settles only the entry it touches, so
//! binding or ending a pod costs a handful of multiplications; windows are
//! closed for all nodes once per UTC day.

use super::record::{NodeWindow, OwnerIntegral};
use crate::cluster::Capacity;
use crate::units::{Bytes, SimTime};
use crate::workload::{NamespaceId, WorkloadId};

/// What a pod adds to its owner's entry on a node. Memory in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodRates {
    /// Requested cpu, milli-cores.
    pub cpu: i64,
    /// Requested memory, KiB, rounded up.
    pub memory: i64,
    /// Used cpu, also beyond the request; -1 unknown; a service replica's is
    /// accounted by its service and 0 here.
    pub used_cpu: i64,
    /// Used memory, KiB, also beyond the request; -1 unknown.
    pub used_memory: i64,
}

/// Whose pods: the key of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// Workload.
    pub workload: WorkloadId,
    /// Namespace.
    pub namespace: NamespaceId,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    owner: Owner,
    last: i64,
    cpu: i64,
    memory: i64,
    used_cpu: i64,
    used_memory: i64,
    /// Used beyond requests.
    beyond_cpu: i64,
    beyond_memory: i64,
    unknown_cpu: i64,
    unknown_memory: i64,
    /// Ready replicas whose cpu usage is the service's share.
    replicas: i64,
    /// The service's per-replica usage integral at `last`.
    share: u128,
    sum: OwnerIntegral,
}

/// What a node is paid for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// The slot holds no metered node.
    #[default]
    Off,
    Boot,
    Serving,
    Drain,
}

#[derive(Debug, Clone, Default)]
struct Account {
    phase: Phase,
    node: u32,
    last: i64,
    /// Start of what is being integrated now: the account's birth or the
    /// window's start.
    since: i64,
    /// When serving ended; meaningful while draining.
    served_until: i64,
    alloc_cpu: i64,
    alloc_memory: i64,
    cpu: i64,
    memory: i64,
    idle_cpu: i64,
    idle_memory: i64,
    window: NodeWindow,
    entries: Vec<Entry>,
}

/// Sub-units of the per-replica usage integral: a share is a quotient, and
/// this keeps its truncation below a thousandth of a milli-core.
pub const SHARE_SCALE: u128 = 1 << 10;

/// The accounts of all slots, and the windows already closed.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    slots: Vec<Account>,
    window: i32,
    owners: Vec<OwnerIntegral>,
    windows: Vec<NodeWindow>,
}

impl Accounts {
    /// No accounts; the first window is UTC day `window`.
    #[must_use]
    pub fn new(window: i32) -> Self {
        Accounts { window, ..Accounts::default() }
    }

    /// A node begins to be metered, booting.
    pub fn open(&mut self, slot: usize, node: u32, allocatable: &Capacity, now: SimTime) {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, Account::default());
        }
        let account = &mut self.slots[slot];
        assert_eq!(account.phase, Phase::Off, "a slot is metered twice");
        account.entries.clear();
        account.phase = Phase::Boot;
        account.node = node;
        account.last = now.ms();
        account.since = now.ms();
        account.alloc_cpu = allocatable.cpu.0;
        account.alloc_memory = allocatable.memory.0 >> 10;
        account.cpu = 0;
        account.memory = 0;
        account.window = NodeWindow { node, window: self.window, ..NodeWindow::default() };
        account.rest();
    }

    /// The node becomes Ready.
    pub fn serve(&mut self, slot: usize, now: SimTime) {
        let account = &mut self.slots[slot];
        account.settle(now.ms());
        account.phase = Phase::Serving;
    }

    /// The node is cordoned for good: from here on its cost is the drain's.
    pub fn drain(&mut self, slot: usize, now: SimTime, shares: &[u128]) {
        let account = &mut self.slots[slot];
        account.settle_all(now.ms(), shares);
        account.served_until = now.ms();
        account.phase = Phase::Drain;
    }

    /// Metering ends.
    pub fn close(&mut self, slot: usize, now: SimTime, shares: &[u128]) {
        let account = &mut self.slots[slot];
        account.settle_all(now.ms(), shares);
        account.flush(&mut self.owners, &mut self.windows);
        account.phase = Phase::Off;
    }

    /// A pod's requests begin to count.
    pub fn bind(&mut self, slot: usize, owner: Owner, rates: PodRates, now: SimTime) {
        self.change(slot, owner, rates, now, 1);
    }

    /// A pod's requests cease to count.
    pub fn unbind(&mut self, slot: usize, owner: Owner, rates: PodRates, now: SimTime) {
        self.change(slot, owner, rates, now, -1);
    }

    fn change(&mut self, slot: usize, owner: Owner, rates: PodRates, now: SimTime, sign: i64) {
        let account = &mut self.slots[slot];
        account.settle(now.ms());
        account.cpu += sign * rates.cpu;
        account.memory += sign * rates.memory;
        account.rest();
        let serving = account.phase == Phase::Serving;
        let entry = account.entry(owner, now.ms());
        entry.settle(now.ms(), serving, None);
        entry.cpu += sign * rates.cpu;
        entry.memory += sign * rates.memory;
        if rates.used_cpu < 0 {
            entry.unknown_cpu += sign * rates.cpu;
        } else {
            entry.used_cpu += sign * rates.used_cpu.min(rates.cpu);
            entry.beyond_cpu += sign * (rates.used_cpu - rates.cpu).max(0);
        }
        if rates.used_memory < 0 {
            entry.unknown_memory += sign * rates.memory;
        } else {
            entry.used_memory += sign * rates.used_memory.min(rates.memory);
            entry.beyond_memory += sign * (rates.used_memory - rates.memory).max(0);
        }
    }

    /// A replica begins (+1) or ceases (−1) to share its service's demand.
    /// `share` is the service's per-replica usage integral now.
    pub fn replica(&mut self, slot: usize, owner: Owner, share: u128, now: SimTime, sign: i64) {
        let account = &mut self.slots[slot];
        let serving = account.phase == Phase::Serving;
        let entry = account.entry(owner, now.ms());
        entry.settle(now.ms(), serving, Some(share));
        entry.replicas += sign;
    }

    /// The last `lost_ms` of a pod's work on this node were thrown away: its
    /// request over them counts as repeated, as far as the node served them in
    /// the open window.
    pub fn repeat(
        &mut self,
        slot: usize,
        owner: Owner,
        rates: PodRates,
        lost_ms: i64,
        now: SimTime,
    ) {
        let account = &mut self.slots[slot];
        let serving = account.phase == Phase::Serving;
        let until = if serving { now.ms() } else { account.served_until };
        let here = (until - (now.ms() - lost_ms).max(account.since)).max(0);
        let entry = account.entry(owner, now.ms());
        entry.settle(now.ms(), serving, None);
        let amount = |rate: i64| (rate * here) as u64;
        entry.sum.cpu_repeated += amount(rates.cpu);
        entry.sum.memory_repeated += amount(rates.memory);
    }

    /// Closes the window of every node and begins UTC day `next`.
    pub fn next_window(&mut self, now: SimTime, shares: &[u128], next: i32) {
        self.window = next;
        for account in &mut self.slots {
            if account.phase != Phase::Off {
                account.settle_all(now.ms(), shares);
                account.flush(&mut self.owners, &mut self.windows);
                account.window.window = next;
                account.since = now.ms();
            }
        }
    }

    /// Forgets everything integrated so far: the end of the warm-up.
    pub fn forget(&mut self, now: SimTime, shares: &[u128]) {
        let window = self.window;
        self.next_window(now, shares, window);
        self.owners.clear();
        self.windows.clear();
    }

    /// Closes every account; rows ascending by (node, window, owner).
    #[must_use]
    pub fn finish(
        mut self,
        now: SimTime,
        shares: &[u128],
    ) -> (Vec<OwnerIntegral>, Vec<NodeWindow>) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].phase != Phase::Off {
                self.close(slot, now, shares);
            }
        }
        self.owners.sort_unstable_by_key(|o| (o.node, o.window, o.workload, o.namespace));
        self.windows.sort_unstable_by_key(|w| (w.node, w.window));
        (self.owners, self.windows)
    }
}

impl Account {
    fn entry(&mut self, owner: Owner, now: i64) -> &mut Entry {
        let at = self.entries.iter().position(|e| e.owner == owner).unwrap_or_else(|| {
            self.entries.push(Entry { owner, last: now, ..Entry::default() });
            self.entries.len() - 1
        });
        &mut self.entries[at]
    }

    /// Integrates the node's own quantities up to `now`.
    fn settle(&mut self, now: i64) {
        let dt = (now - self.last) as u64;
        self.last = now;
        match self.phase {
            Phase::Off => {}
            Phase::Boot => self.window.boot_ms += dt,
            Phase::Drain => self.window.drain_ms += dt,
            Phase::Serving => {
                self.window.cpu_idle += self.idle_cpu as u64 * dt;
                self.window.memory_idle += self.idle_memory as u64 * dt;
            }
        }
        if self.phase != Phase::Off {
            self.window.metered_ms += dt;
        }
    }

    fn settle_all(&mut self, now: i64, shares: &[u128]) {
        self.settle(now);
        let serving = self.phase == Phase::Serving;
        for entry in &mut self.entries {
            let share = (entry.replicas > 0)
                .then(|| shares.get(entry.owner.workload.index()).copied().unwrap_or_default());
            entry.settle(now, serving, share);
        }
    }

    /// Recomputes what is free in both resources in the same proportion. One
    /// IEEE division per resource: exactly rounded, the same everywhere.
    fn rest(&mut self) {
        let free_cpu = (self.alloc_cpu - self.cpu).max(0);
        let free_memory = (self.alloc_memory - self.memory).max(0);
        if self.alloc_cpu == 0 || self.alloc_memory == 0 {
            (self.idle_cpu, self.idle_memory) = (free_cpu, free_memory);
            return;
        }
        let cpu = free_cpu as f64 / self.alloc_cpu as f64;
        let memory = free_memory as f64 / self.alloc_memory as f64;
        if cpu <= memory {
            self.idle_cpu = free_cpu;
            self.idle_memory = ((cpu * self.alloc_memory as f64) as i64).min(free_memory);
        } else {
            self.idle_memory = free_memory;
            self.idle_cpu = ((memory * self.alloc_cpu as f64) as i64).min(free_cpu);
        }
    }

    fn flush(&mut self, owners: &mut Vec<OwnerIntegral>, windows: &mut Vec<NodeWindow>) {
        if self.window.metered_ms > 0 {
            windows.push(self.window);
        }
        let window = self.window.window;
        self.window = NodeWindow { node: self.node, window, ..NodeWindow::default() };
        for entry in &mut self.entries {
            let sum = std::mem::take(&mut entry.sum);
            if sum != OwnerIntegral::default() {
                owners.push(OwnerIntegral {
                    node: self.node,
                    window,
                    workload: entry.owner.workload,
                    namespace: entry.owner.namespace,
                    ..sum
                });
            }
        }
        // Owners that left keep no entry, or a long-lived node would collect
        // every owner it ever saw.
        self.entries.retain(|e| {
            e.cpu != 0
                || e.memory != 0
                || e.beyond_cpu != 0
                || e.beyond_memory != 0
                || e.replicas != 0
        });
    }
}

impl Entry {
    /// Integrates up to `now`; `share` is the service's integral where the
    /// entry has replicas that use it.
    fn settle(&mut self, now: i64, serving: bool, share: Option<u128>) {
        let dt = (now - self.last) as u64;
        self.last = now;
        if serving {
            self.sum.cpu_requested += self.cpu as u64 * dt;
            self.sum.memory_requested += self.memory as u64 * dt;
            self.sum.cpu_used += self.used_cpu as u64 * dt;
            self.sum.memory_used += self.used_memory as u64 * dt;
            // No node bounds these: usage may be stated absurdly large.
            let add = |sum: &mut u64, rate: i64| {
                *sum = sum.saturating_add((rate as u64).saturating_mul(dt));
            };
            add(&mut self.sum.cpu_beyond, self.beyond_cpu);
            add(&mut self.sum.memory_beyond, self.beyond_memory);
            self.sum.cpu_unknown += self.unknown_cpu as u64 * dt;
            self.sum.memory_unknown += self.unknown_memory as u64 * dt;
        }
        if let Some(share) = share {
            if serving && self.replicas > 0 {
                let used = (share - self.share) * self.replicas as u128 / SHARE_SCALE;
                self.sum.cpu_used += used as u64;
            }
            self.share = share;
        }
    }
}

/// The rates of a pod from its requests and mean usage in bytes and
/// milli-cores (-1 unknown).
#[must_use]
pub fn pod_rates(cpu: i64, memory_bytes: i64, used_cpu: i64, used_memory: i64) -> PodRates {
    PodRates {
        cpu,
        memory: Bytes(memory_bytes).kib(),
        used_cpu,
        used_memory: if used_memory < 0 { -1 } else { Bytes(used_memory).kib() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MilliCpu;

    fn capacity() -> Capacity {
        Capacity { cpu: MilliCpu(2_000), memory: Bytes(1_000 << 10), pods: 10, extended: vec![] }
    }

    fn owner(w: u32) -> Owner {
        Owner { workload: WorkloadId(w), namespace: NamespaceId(0) }
    }

    #[test]
    fn boot_serving_and_drain_add_up_to_metered() {
        let mut a = Accounts::new(0);
        a.open(0, 7, &capacity(), SimTime(100));
        a.serve(0, SimTime(150));
        let rates = pod_rates(500, 100 << 10, 200, -1);
        a.bind(0, owner(1), rates, SimTime(160));
        a.unbind(0, owner(1), rates, SimTime(180));
        a.drain(0, SimTime(200), &[]);
        a.close(0, SimTime(230), &[]);
        let (owners, windows) = a.finish(SimTime(300), &[]);
        assert_eq!(windows.len(), 1);
        let w = windows[0];
        assert_eq!((w.node, w.metered_ms, w.boot_ms, w.drain_ms), (7, 130, 50, 30));
        // 30 ms empty: all 2,000 m idle; 20 ms with 500 m and 100 KiB taken:
        // free are 75 % of cpu and 90 % of memory, so 75 % is idle in both.
        assert_eq!(w.cpu_idle, 30 * 2_000 + 20 * 1_500);
        assert_eq!(w.memory_idle, 30 * 1_000 + 20 * 750);
        let o = owners[0];
        assert_eq!((o.cpu_requested, o.cpu_used, o.cpu_unknown), (20 * 500, 20 * 200, 0));
        assert_eq!((o.memory_requested, o.memory_used, o.memory_unknown), (2_000, 0, 2_000));
    }

    #[test]
    fn what_is_used_beyond_requests_counts_apart() {
        let mut a = Accounts::new(0);
        a.open(0, 7, &capacity(), SimTime(0));
        a.serve(0, SimTime(0));
        a.bind(0, owner(1), pod_rates(500, 100 << 10, 700, 150 << 10), SimTime(0));
        // Requests nothing and uses something: its owner is not forgotten.
        a.bind(0, owner(2), pod_rates(0, 0, 30, -1), SimTime(0));
        a.next_window(SimTime(10), &[], 1);
        a.close(0, SimTime(15), &[]);
        let (owners, _) = a.finish(SimTime(15), &[]);
        let of = |w: u32| -> Vec<(u64, u64, u64, u64)> {
            let own = owners.iter().filter(|o| o.workload == WorkloadId(w));
            own.map(|o| (o.cpu_used, o.cpu_beyond, o.memory_used, o.memory_beyond)).collect()
        };
        assert_eq!(of(1), [(5_000, 2_000, 1_000, 500), (2_500, 1_000, 500, 250)]);
        assert_eq!(of(2), [(0, 300, 0, 0), (0, 150, 0, 0)]);
    }

    /// A pebibyte for a day is 2^40 KiB × 86.4 × 10^6 ms, beyond 2^64.
    #[test]
    fn absurd_usage_does_not_wrap_around() {
        let mut a = Accounts::new(0);
        a.open(0, 7, &capacity(), SimTime(0));
        a.serve(0, SimTime(0));
        a.bind(0, owner(1), pod_rates(500, 0, 0, 1 << 50), SimTime(0));
        a.close(0, SimTime(crate::units::DAY_MS), &[]);
        let (owners, _) = a.finish(SimTime(crate::units::DAY_MS), &[]);
        assert_eq!(owners[0].memory_beyond, u64::MAX);
    }

    #[test]
    fn windows_split_integrals_and_forget_drops_them() {
        let mut a = Accounts::new(5);
        a.open(0, 0, &capacity(), SimTime(0));
        a.serve(0, SimTime(0));
        a.bind(0, owner(0), pod_rates(100, 0, 100, 0), SimTime(0));
        a.forget(SimTime(10), &[]);
        a.next_window(SimTime(30), &[], 6);
        let (owners, windows) = a.finish(SimTime(100), &[]);
        let cpu: Vec<(i32, u64)> = owners.iter().map(|o| (o.window, o.cpu_requested)).collect();
        assert_eq!(cpu, [(5, 2_000), (6, 7_000)]);
        assert_eq!(windows.iter().map(|w| w.metered_ms).sum::<u64>(), 90);
    }

    #[test]
    fn replicas_use_their_share_of_the_service() {
        let mut a = Accounts::new(0);
        a.open(0, 0, &capacity(), SimTime(0));
        a.serve(0, SimTime(0));
        let rates = pod_rates(500, 0, 0, 0);
        a.bind(0, owner(0), rates, SimTime(0));
        a.replica(0, owner(0), 0, SimTime(10), 1);
        // Demand of 300 m per replica from t = 10 on.
        let share = |t: u128| (t - 10) * 300 * SHARE_SCALE;
        a.replica(0, owner(0), share(40), SimTime(40), -1);
        a.unbind(0, owner(0), rates, SimTime(50));
        let (owners, _) = a.finish(SimTime(60), &[share(60)]);
        assert_eq!(owners[0].cpu_used, 30 * 300);
        assert_eq!(owners[0].cpu_requested, 50 * 500);
    }

    #[test]
    fn repeated_work_is_part_of_the_request() {
        let mut a = Accounts::new(0);
        a.open(0, 0, &capacity(), SimTime(0));
        a.serve(0, SimTime(0));
        let rates = pod_rates(500, 10 << 10, -1, 4 << 10);
        a.bind(0, owner(0), rates, SimTime(0));
        a.drain(0, SimTime(90), &[]);
        a.repeat(0, owner(0), rates, 60, SimTime(100));
        a.unbind(0, owner(0), rates, SimTime(100));
        let (owners, _) = a.finish(SimTime(100), &[]);
        let o = owners[0];
        assert_eq!((o.cpu_requested, o.cpu_repeated, o.cpu_unknown), (45_000, 25_000, 45_000));
        assert_eq!((o.memory_requested, o.memory_repeated, o.memory_used), (900, 500, 360));
    }
}
