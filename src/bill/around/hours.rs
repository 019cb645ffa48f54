//! What passed in each clock hour of the cost window.

use std::collections::BTreeMap;

use super::super::meter::{Run, Window};
use super::{Basis, Dimension};
use crate::observe::Record;
use crate::units::{HOUR_MS, SimDuration, SimTime, div_half_even};
use crate::workload::{Demand, Service, Workloads};

/// Integrals by clock hour, made when first asked for.
pub(super) struct Hours<'a> {
    record: &'a Record,
    workloads: &'a Workloads,
    window: Window,
    known: BTreeMap<Basis, Vec<i128>>,
}

impl<'a> Hours<'a> {
    pub(super) fn new(record: &'a Record, workloads: &'a Workloads, window: Window) -> Self {
        Hours { record, workloads, window, known: BTreeMap::new() }
    }

    /// The number of clock hours.
    pub(super) fn len(&self) -> usize {
        self.window.hours()
    }

    /// Per clock hour the largest of the dimensions, and which it is: the
    /// first of equals.
    pub(super) fn largest(&mut self, dimensions: &[Dimension]) -> Vec<(i128, usize)> {
        let mut largest = vec![(0, 0); self.len()];
        for (at, dimension) in dimensions.iter().enumerate() {
            let mut sums = vec![0; largest.len()];
            for amount in &dimension.amounts {
                let (by, of) = (amount.numerator, amount.denominator);
                for (sum, passed) in sums.iter_mut().zip(self.passed(amount.basis)) {
                    *sum += div_half_even(passed.saturating_mul(by), of);
                }
            }
            for (most, sum) in largest.iter_mut().zip(sums) {
                if sum > most.0 {
                    *most = (sum, at);
                }
            }
        }
        largest
    }

    fn passed(&mut self, basis: Basis) -> &[i128] {
        if !self.known.contains_key(&basis) {
            let sums = self.integrate(basis);
            self.known.insert(basis, sums);
        }
        self.known.get(&basis).map_or(&[], Vec::as_slice)
    }

    fn integrate(&self, basis: Basis) -> Vec<i128> {
        let mut sums = vec![0; self.len()];
        match basis {
            Basis::Time => self.spread(self.window.from, self.window.to, 1, &mut sums),
            Basis::Nodes => {
                for node in &self.record.nodes {
                    let (from, to) = (self.unix(node.running), self.unix(node.shutting_down));
                    self.spread(from, to, 1, &mut sums);
                }
            }
            Basis::Pods(workload) => {
                let hours = self.record.pod_hours.get(workload.index());
                for (sum, ms) in sums.iter_mut().zip(hours.into_iter().flatten()) {
                    *sum = i128::from(*ms);
                }
            }
            Basis::Volumes(workload) | Basis::ExistingVolumes(workload) => {
                let existing = matches!(basis, Basis::ExistingVolumes(_));
                for since in self.record.replicas.get(workload.index()).into_iter().flatten() {
                    let from = if existing { self.window.from } else { self.unix(*since) };
                    self.spread(from, self.window.to, 1, &mut sums);
                }
            }
            Basis::Demand(workload) => {
                let of = |s: &&Service| {
                    let template = self.workloads.templates.get(s.template.index());
                    template.is_some_and(|t| t.workload == workload)
                };
                let service = self.workloads.services.iter().find(of);
                if let Some(demand) = service.and_then(|s| s.demand.as_ref()) {
                    self.demand(demand, &mut sums);
                }
            }
        }
        sums
    }

    /// Adds up a demand step by step until the window ends.
    fn demand(&self, demand: &Demand, sums: &mut [i128]) {
        let start = self.record.start_unix_ms;
        let mut base = 0;
        loop {
            for (at, (from, cpu)) in demand.steps.iter().enumerate() {
                let next = demand.steps.get(at + 1).map(|(at, _)| at.ms());
                let next = next.or(demand.period.map(SimDuration::ms));
                let to = next.map_or(self.window.to, |to| start.saturating_add(base + to));
                self.spread(start.saturating_add(base + from.ms()), to, cpu.0.into(), sums);
            }
            let Some(period) = demand.period.filter(|p| p.ms() > 0) else { return };
            base += period.ms();
            if start.saturating_add(base) >= self.window.to {
                return;
            }
        }
    }

    fn unix(&self, t: SimTime) -> i64 {
        self.record.start_unix_ms.saturating_add(t.min(self.record.end).ms())
    }

    /// Adds `rate` × the milliseconds of [from, to) to each hour.
    fn spread(&self, from: i64, to: i64, rate: i128, sums: &mut [i128]) {
        let first = self.window.first_hour();
        let Some(run) = Run::new(self.window, from, to, 0).filter(|_| from < to) else { return };
        for (hour, ms) in run.hours() {
            if let Some(sum) = usize::try_from(hour - first).ok().and_then(|i| sums.get_mut(i)) {
                *sum += rate * i128::from(ms);
            }
        }
    }

    /// Unix milliseconds at which an hour of the window begins.
    pub(super) fn start_of(&self, hour: usize) -> i64 {
        (self.window.first_hour() + hour as i64) * HOUR_MS
    }
}
