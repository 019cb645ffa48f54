//! Whose money a node was.

use super::{Allocation, CPU, MEMORY, OTHER, Owner, Part, kind};
use crate::bill::model::{Resource, pseudo};
use crate::bill::waterfall::Step;
use crate::observe::NodeWindow;
use crate::units::{Money, split_exact};
use crate::{Error, Result};

const IDLE: Owner = Owner::Pseudo(pseudo::IDLE);
const BOOT_AND_DRAIN: Owner = Owner::Pseudo(pseudo::BOOT_AND_DRAIN);

impl Allocation<'_> {
    /// The window of the record for a node and day, and its owners' range.
    fn window(&mut self, node: u32, day: i32) -> Option<(NodeWindow, std::ops::Range<usize>)> {
        let key = (node, day);
        let windows = &self.record.windows;
        while windows.get(self.next_window).is_some_and(|w| (w.node, w.window) < key) {
            self.next_window += 1;
        }
        let found = *windows.get(self.next_window).filter(|w| (w.node, w.window) == key)?;
        let owners = &self.record.owners;
        while owners.get(self.next_owner).is_some_and(|o| (o.node, o.window) < key) {
            self.next_owner += 1;
        }
        let from = self.next_owner;
        while owners.get(self.next_owner).is_some_and(|o| (o.node, o.window) == key) {
            self.next_owner += 1;
        }
        Some((found, from..self.next_owner))
    }

    /// Allocates the compute cost of a node in one day, of which `ms` were
    /// metered.
    pub(in super::super) fn node_day(
        &mut self,
        node: u32,
        day: i32,
        ms: i64,
        cost: Money,
    ) -> Result<()> {
        let (window, owners) =
            self.window(node, day).filter(|(w, _)| w.metered_ms >= ms as u64).ok_or_else(|| {
                Error::failed(format!(
                    "node {node} ran {ms} ms of day {day}, more than the record accounts for"
                ))
            })?;
        self.turn_to(Resource::Node(node));
        let record = self.record;
        let row = &record.nodes[node as usize];
        let pool = row.pool.index();
        let shape = &self.cluster.shapes[row.shape.index()];
        let (cpu, cpu_offered) = (shape.capacity.cpu.0, shape.allocatable.cpu.0);
        let (memory, memory_offered) =
            (shape.capacity.memory.kib(), shape.allocatable.memory.kib());
        let halves = split_exact(
            cost,
            &[
                // Milli-vCPU against KiB, both brought to (1/1000 · 2⁻²⁰).
                self.weight.vcpu_hour.pico() * i128::from(cpu) * (1 << 20),
                self.weight.gb_hour.pico() * i128::from(memory) * 1_000,
            ],
        );
        let metered = i128::from(window.metered_ms);
        let serving = metered - i128::from(window.boot_ms) - i128::from(window.drain_ms);
        for resource in [CPU, MEMORY] {
            let (capacity, offered, idle) = if resource == CPU {
                (cpu, cpu_offered, window.cpu_idle)
            } else {
                (memory, memory_offered, window.memory_idle)
            };
            let (capacity, offered) = (i128::from(capacity), i128::from(offered));
            self.parts.clear();
            self.push(capacity * i128::from(window.boot_ms), Step::Boot, BOOT_AND_DRAIN);
            self.push(capacity * i128::from(window.drain_ms), Step::Drain, BOOT_AND_DRAIN);
            let reserve = (capacity - offered).max(0) * serving;
            self.push(reserve, Step::SystemReserve, Owner::Pseudo(pseudo::SYSTEM));
            let mut requested_sum = 0;
            for o in &record.owners[owners.clone()] {
                let (requested, used, unknown, repeated) = if resource == CPU {
                    (o.cpu_requested, o.cpu_used, o.cpu_unknown, o.cpu_repeated)
                } else {
                    (o.memory_requested, o.memory_used, o.memory_unknown, o.memory_repeated)
                };
                let requested = i128::from(requested);
                requested_sum += requested;
                let owner = Owner::Workload(o.workload, o.namespace);
                if self.is_daemon(o.workload) {
                    self.push(requested, Step::DaemonSets, owner);
                    continue;
                }
                let repeated = i128::from(repeated).min(requested);
                let once = requested - repeated;
                let keep = |part: u64| {
                    let part = i128::from(part);
                    if repeated == 0 { part } else { part * once / requested }
                };
                let used = keep(used).min(once);
                let unknown = keep(unknown).min(once - used);
                self.push(used, Step::Used, owner);
                self.push(unknown, Step::UsageUnknown, owner);
                self.push(once - used - unknown, Step::RequestedUnused, owner);
                self.push(repeated, Step::Repeated, owner);
            }
            let free = (offered * serving - requested_sum).max(0);
            let idle = i128::from(idle).min(free);
            self.push(idle, Step::Idle, IDLE);
            // Also takes the whole where nothing has a weight.
            self.parts.push(Part { weight: free - idle, step: Step::Stranded, owner: IDLE });
            self.split(halves[resource], resource, pool)?;
        }
        Ok(())
    }

    /// A charge that follows a node.
    pub(in super::super) fn node_other(&mut self, node: u32, step: Step, amount: Money) {
        let pool = self.record.nodes[node as usize].pool.index();
        self.turn_to(Resource::Node(node));
        self.collect(Owner::Pseudo(pseudo::SHARED), step, OTHER, amount);
        self.steps[step as usize][OTHER] += amount;
        self.owners.add_pseudo(pool, pseudo::SHARED, kind(step, OTHER), amount);
    }
}
