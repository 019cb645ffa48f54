//! Rightsizing in three currencies: what edits of requests promise, what the
//! nodes then cost, what the invoice then says.
//!
//! * **request-dollars**: the change of each request × the time its pods ran
//!   × the mean price of a vCPU or GiB of the cluster. What most tools call
//!   savings; nobody pays it.
//! * **node-dollars**: the difference of two simulated bills at list prices.
//!   Requests are only worth the nodes that disappear with them.
//! * **cash**: the difference of the same bills after commitments. What is
//!   committed is paid for, used or not.
//!
//! All three are savings: positive where the rightsized cluster costs less.
//! They are exact amounts of one seed over the billed window. Every column
//! sums exactly: what belongs to no workload (idle capacity of pools without
//! pods, fees) is a row of its own.
//!
//! Node-dollars and cash are only savings where the new requests leave the
//! work of today done. Where pods find no place or demand stays unserved they
//! are withheld, under the code [`SERVES_LESS`].

use std::collections::BTreeMap;

use super::service::{UNFINISHED_TOLERANCE, shortfalls};
use super::whole_nodes::{FixedPool, WholeNodes};
use crate::bill::{Bill, ByName, Charge, ResourceWeight};
use crate::cluster::ClusterSpec;
use crate::observe::{PodEnd, Record};
use crate::sweep::Outcome;
use crate::units::{HOUR_MS, Money, Rate, SimTime};
use crate::workload::rightsize::{Fitting, Policy, Resource};
use crate::workload::{WorkloadKind, Workloads};

/// Prices of a vCPU and a GiB for an hour, as the cluster at hand pays them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrices {
    /// Per vCPU-hour.
    pub vcpu_hour: Rate,
    /// Per GiB-hour.
    pub gib_hour: Rate,
}

impl UnitPrices {
    /// The list cost of nodes and Fargate pods, spread over their vCPU and
    /// advertised memory by the stated weight of the two. `bill` keeps its
    /// lines. Zero where nothing ran.
    #[must_use]
    pub fn of(record: &Record, bill: &Bill, cluster: &ClusterSpec, weight: ResourceWeight) -> Self {
        let clipped = |from: SimTime, until: SimTime| {
            (until.ms().min(record.end.ms()) - from.ms().max(record.warmup.ms())).max(0)
        };
        // Milli-vCPU·s and MiB·s: a year of 100,000 large nodes stays far
        // below what the products below may reach.
        let (mut vcpu, mut mib) = (0i128, 0i128);
        for node in &record.nodes {
            let Some(shape) = cluster.shapes.get(node.shape.index()) else { continue };
            let seconds = i128::from(clipped(node.running, node.shutting_down)) / 1_000;
            vcpu += seconds * i128::from(shape.capacity.cpu.0);
            mib += seconds * i128::from(shape.nominal_memory.0 >> 20);
        }
        for pod in &record.fargate {
            let pool = cluster.fargate.get(pod.pool as usize);
            let Some(size) = pool.and_then(|p| p.sizes.get(pod.size as usize)) else { continue };
            let seconds = i128::from(clipped(pod.pull, pod.removed)) / 1_000;
            vcpu += seconds * i128::from(size.cpu.0);
            mib += seconds * i128::from(size.memory.0 >> 20);
        }
        let lines = &bill.lines;
        let cost: i128 = lines
            .sku
            .iter()
            .zip(&lines.list)
            .filter(|(sku, _)| {
                let charge = bill.skus.get(usize::from(**sku)).map(|s| s.charge);
                matches!(
                    charge,
                    Some(Charge::Instance | Charge::FargateCpu | Charge::FargateMemory)
                )
            })
            .map(|(_, list)| i128::from(*list))
            .sum();
        // The ratio of the weights to six places.
        let (mut cpu, mut memory) = (weight.vcpu_hour.pico(), weight.gb_hour.pico());
        while cpu.max(memory) > 1_000_000 {
            (cpu, memory) = (cpu / 10, memory / 10);
        }
        // Per hour of one vCPU (1,000 m) or one GiB (1,024 MiB).
        let whole = vcpu * cpu * 1_024 + mib * memory * 1_000;
        let unit = 1_000 * 1_024 * 3_600;
        let rate = |weight: i128| match whole {
            1.. => Rate::from_pico(Money::from_pico(cost).scale(weight * unit, whole).pico()),
            _ => Rate::ZERO,
        };
        UnitPrices { vcpu_hour: rate(cpu), gib_hour: rate(memory) }
    }

    /// What a change of a request is worth for so long, negative for more.
    fn worth(&self, resource: Resource, less: i64, pod_ms: u128) -> Money {
        let pod_ms = i128::try_from(pod_ms).unwrap_or(i128::MAX >> 64);
        let hour = i128::from(HOUR_MS);
        match resource {
            Resource::Cpu => self.vcpu_hour.charge(i128::from(less) * pod_ms, 1_000 * hour),
            // In KiB, so that the product stays in range.
            Resource::Memory => {
                self.gib_hour.charge(i128::from(less) / 1_024 * pod_ms, (1 << 20) * hour)
            }
        }
    }
}

/// How long pods of each workload ran in a simulation, milliseconds within
/// the billed window: pods while they held their request, `DaemonSets` while
/// their nodes served.
#[must_use]
pub fn pod_ms(record: &Record, workloads: &Workloads) -> BTreeMap<String, u128> {
    let mut by_workload = vec![0u128; workloads.workloads.len()];
    for pod in record.pods.iter().filter(|p| p.end != PodEnd::Rejected) {
        let Some(template) = workloads.templates.get(pod.template.index()) else { continue };
        let until = pod.ended.ms().min(record.end.ms());
        let held = (until - pod.bound.ms().max(record.warmup.ms())).max(0);
        if let Some(sum) = by_workload.get_mut(template.workload.index()) {
            *sum += held as u128;
        }
    }
    let mut windows = record.windows.iter().peekable();
    for owner in &record.owners {
        while windows.next_if(|w| (w.node, w.window) < (owner.node, owner.window)).is_some() {}
        let daemon = workloads
            .workloads
            .get(owner.workload.index())
            .is_some_and(|w| w.kind == WorkloadKind::Daemon);
        let Some(window) = windows.peek().filter(|_| daemon) else { continue };
        if (window.node, window.window) == (owner.node, owner.window) {
            let served = window.metered_ms.saturating_sub(window.boot_ms + window.drain_ms);
            by_workload[owner.workload.index()] += u128::from(served);
        }
    }
    workloads.workloads.iter().map(|w| w.name.clone()).zip(by_workload).collect()
}

/// `DaemonSet`s that ran today and, with requests that rose, fit on no node
/// any more: no scheduler counts them as rejected. `ran` is [`pod_ms`] of the
/// rightsized cluster.
#[must_use]
pub fn crushed(rows: &[FittedRow], ran: &BTreeMap<String, u128>) -> Vec<Undone> {
    let rises = |row: &FittedRow| {
        Resource::ALL.into_iter().any(|r| {
            let advice = row.fitting.advice(r);
            advice.request.is_ok_and(|new| new > advice.current.request.unwrap_or(0))
        })
    };
    rows.iter()
        .filter(|row| row.fitting.kind == WorkloadKind::Daemon && row.mean_pods > 0.0)
        .filter(|row| rises(row) && ran.get(&row.fitting.workload).is_none_or(|ms| *ms == 0))
        .map(|row| Undone {
            workload: row.fitting.workload.clone(),
            pods: row.mean_pods,
            text: format!("{}: its pods fit on no node any more", row.fitting.workload),
        })
        .collect()
}

/// One amount in each currency, positive where it is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dollars {
    /// Request-dollars.
    pub request: Money,
    /// Node-dollars, at list prices.
    pub node: Money,
    /// Cash after commitments.
    pub cash: Money,
}

impl std::ops::Add for Dollars {
    type Output = Dollars;
    fn add(self, other: Dollars) -> Dollars {
        Dollars {
            request: self.request + other.request,
            node: self.node + other.node,
            cash: self.cash + other.cash,
        }
    }
}

impl Dollars {
    /// Scaled to another time.
    #[must_use]
    pub fn scale(self, numerator: i128, denominator: i128) -> Dollars {
        let scale = |m: Money| m.scale(numerator, denominator);
        Dollars { request: scale(self.request), node: scale(self.node), cash: scale(self.cash) }
    }
}

/// A set of pods with its advice.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedRow {
    /// Advice.
    pub fitting: Fitting,
    /// Mean number of its pods in today's cluster.
    pub mean_pods: f64,
    /// What it saves within the window. Node-dollars and cash are a
    /// workload's, fully loaded; of several rows of one workload the first
    /// carries them.
    pub saved: Dollars,
}

/// Both bills of a cluster: with its commitments, and without any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TwoBills {
    /// After commitments.
    pub net: Money,
    /// At list prices.
    pub list: Money,
    /// After commitments, fully loaded by workload.
    pub net_by_workload: ByName,
    /// At list prices, fully loaded by workload.
    pub list_by_workload: ByName,
    /// Mean number of running nodes.
    pub nodes: f64,
}

/// What rightsizing comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rightsized {
    /// Name of the scenario.
    pub scenario: String,
    /// The case that is rightsized.
    pub baseline: String,
    /// The case that the columns compare it with.
    pub case: String,
    /// The seed whose bills these are.
    pub seed: u64,
    /// Length of the billed window, milliseconds.
    pub window_ms: i64,
    /// Whether a month of it is extrapolated: no whole number of weeks.
    pub extrapolated: bool,
    /// How requests were fitted.
    pub policy: Policy,
    /// Mean prices of today's cluster.
    pub prices: UnitPrices,
    /// Every set of pods, those with the most request-dollars first.
    pub rows: Vec<FittedRow>,
    /// What belongs to no workload.
    pub rest: Dollars,
    /// All of it.
    pub total: Dollars,
    /// Workloads left out by the user.
    pub left_out: Vec<String>,
    /// Bills of today and of the rightsized cluster.
    pub bills: (TwoBills, TwoBills),
    /// Whether today's cluster has commitments.
    pub committed: bool,
    /// Fixed pools of today.
    pub pools: Vec<FixedPool>,
    /// Whether anything scales by itself.
    pub elastic: bool,
    /// Nodes that could go. Edits are indices into `rows`.
    pub whole_nodes: WholeNodes,
    /// Work of today that the rightsized cluster leaves undone.
    pub undone: Vec<Undone>,
}

/// Why node-dollars and cash are withheld: the rightsized cluster does less.
pub const SERVES_LESS: &str = "serves-less";
/// Workloads named where they are withheld.
const UNDONE_NAMED: usize = 4;

/// Work of today that the rightsized cluster leaves undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// Whose work.
    pub workload: String,
    /// Pods rejected or pending at the end, above today's; mean per seed.
    pub pods: f64,
    /// One clause that begins with the workload.
    pub text: String,
}

/// What a rightsized cluster leaves undone, by workload: everything that
/// [`shortfalls`] finds, and pods of batch that never start although a window
/// shorter than they are lets none finish. Outcomes stand in the order of the
/// seeds.
#[must_use]
pub fn undone(today: &[Option<Outcome>], fitted: &[Option<Outcome>]) -> Vec<Undone> {
    let Some(any) = today.iter().flatten().next() else { return Vec::new() };
    let mut found = Vec::new();
    for of in &any.workloads {
        let pairs = || {
            today.iter().zip(fitted).filter_map(|(a, b)| {
                Some((a.as_ref()?.workload(&of.name)?, b.as_ref()?.workload(&of.name)?))
            })
        };
        let unplaced = |w: &crate::sweep::WorkloadOutcome| {
            w.pods.rejected as f64 + w.pods.pending_at_end as f64
        };
        let seeds = pairs().count().max(1) as f64;
        let pods = pairs().map(|(a, b)| unplaced(b) - unplaced(a)).sum::<f64>() / seeds;
        let all = pairs().map(|(a, _)| a.pods.submitted as f64).sum::<f64>() / seeds;
        let batch = of.kind == WorkloadKind::Batch;
        let never = batch && pods >= (all * UNFINISHED_TOLERANCE).max(0.5);
        let short = shortfalls(today, fitted, Some(&of.name));
        if !never && short.is_empty() {
            continue;
        }
        let text = match short.first() {
            Some(short) if pods < 0.5 => short.text(),
            _ => format!("{}: {pods:.0} pods more than today find no place", of.name),
        };
        found.push(Undone { workload: of.name.clone(), pods: pods.max(0.0), text });
    }
    found
}

/// What [`Rightsized`] puts together.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Advice.
    pub fittings: &'a [Fitting],
    /// How long pods ran today, by workload.
    pub pod_ms: &'a BTreeMap<String, u128>,
    /// Length of the billed window, milliseconds.
    pub window_ms: i64,
    /// Mean prices of today's cluster.
    pub prices: UnitPrices,
    /// Bill of today's cluster.
    pub today: &'a TwoBills,
    /// Bill of the rightsized one.
    pub fitted: &'a TwoBills,
}

/// Rows by request-dollars, and what belongs to no workload.
#[must_use]
pub fn rows(parts: &Parts<'_>) -> (Vec<FittedRow>, Dollars) {
    let difference = |from: &ByName, to: &ByName, name: &str| {
        from.get(name).copied().unwrap_or_default() - to.get(name).copied().unwrap_or_default()
    };
    let mut rows: Vec<FittedRow> = Vec::with_capacity(parts.fittings.len());
    for fitting in parts.fittings {
        let pod_ms = fitting
            .run_ms
            .unwrap_or_else(|| parts.pod_ms.get(&fitting.workload).copied().unwrap_or(0));
        let request = Resource::ALL
            .into_iter()
            .filter_map(|r| {
                let advice = fitting.advice(r);
                let new = advice.request.ok()?;
                let less = advice.current.request.unwrap_or(0) - new;
                Some(parts.prices.worth(r, less, pod_ms))
            })
            .sum();
        rows.push(FittedRow {
            fitting: fitting.clone(),
            mean_pods: pod_ms as f64 / parts.window_ms.max(1) as f64,
            saved: Dollars { request, ..Dollars::default() },
        });
    }
    // Stable: rows that promise the same stay in the order of the scenario.
    rows.sort_by_key(|row| std::cmp::Reverse(row.saved.request));
    let (today, fitted) = (parts.today, parts.fitted);
    let mut rest = Dollars {
        request: Money::ZERO,
        node: today.list - fitted.list,
        cash: today.net - fitted.net,
    };
    let mut seen = std::collections::BTreeSet::new();
    for row in &mut rows {
        let name = &row.fitting.workload;
        if seen.insert(name.clone()) {
            row.saved.node = difference(&today.list_by_workload, &fitted.list_by_workload, name);
            row.saved.cash = difference(&today.net_by_workload, &fitted.net_by_workload, name);
            rest.node -= row.saved.node;
            rest.cash -= row.saved.cash;
        }
    }
    (rows, rest)
}

impl Rightsized {
    /// Sum of a column over rows and rest.
    #[must_use]
    pub fn sum(rows: &[FittedRow], rest: Dollars) -> Dollars {
        rows.iter().map(|r| r.saved).fold(rest, |a, b| a + b)
    }

    /// The rows that move most request-dollars, up or down, in their order.
    #[must_use]
    pub fn notable(&self, most: usize) -> Vec<&FittedRow> {
        let size = |row: &FittedRow| row.saved.request.pico().unsigned_abs();
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(size(&self.rows[*at])));
        order.truncate(most);
        order.sort_unstable();
        order.into_iter().filter_map(|at| self.rows.get(at)).collect()
    }

    /// Why node-dollars and cash are no saving and withheld, if they are.
    #[must_use]
    pub fn withheld(&self) -> Option<String> {
        if self.undone.is_empty() {
            return None;
        }
        let mut named: Vec<&str> =
            self.undone.iter().take(UNDONE_NAMED).map(|u| u.text.as_str()).collect();
        let more = self.undone.len().saturating_sub(UNDONE_NAMED);
        let more = format!("{more} more workloads");
        if self.undone.len() > UNDONE_NAMED {
            named.push(&more);
        }
        Some(format!("{SERVES_LESS}: the new requests leave work undone: {}", named.join("; ")))
    }

    /// Node-dollars or cash; `None` where they are withheld.
    #[must_use]
    pub fn billed(&self, amount: Money) -> Option<Money> {
        self.undone.is_empty().then_some(amount)
    }

    /// Rows whose requests change.
    pub fn edits(&self) -> impl Iterator<Item = (usize, &FittedRow)> {
        self.rows.iter().enumerate().filter(|(_, r)| r.fitting.is_edit())
    }

    /// An amount of the window as that of a month of 730 hours.
    #[must_use]
    pub fn monthly(&self, amount: Money) -> Money {
        let month = i128::from(crate::bill::MONTH_HOURS) * i128::from(HOUR_MS);
        amount.scale(month, i128::from(self.window_ms.max(1)))
    }

    /// Why request-dollars and node-dollars differ, and node-dollars and
    /// cash: a sentence each.
    #[must_use]
    pub fn reasons(&self) -> [String; 3] {
        let (today, fitted) = &self.bills;
        let changed = today.nodes - fitted.nodes;
        let requests = "What the changed requests are worth at the mean price of a vCPU and a GiB \
                        in today's cluster: what most tools promise"
            .to_owned();
        let dearer = self.total.node < Money::ZERO && changed > -0.005;
        let cheaper = self.total.node > Money::ZERO && changed.abs() < 0.005;
        if let Some(why) = self.withheld() {
            let nodes = format!("Withheld, {why}. A cluster that does less is not a saving");
            return [requests, nodes, "Withheld, as the nodes".to_owned()];
        }
        let nodes = if dearer || cheaper {
            format!(
                "AWS bills machines, not requests: {:.1} nodes after today's {:.1}, but {} ones",
                fitted.nodes,
                today.nodes,
                if dearer { "dearer" } else { "cheaper" }
            )
        } else if changed.abs() < 0.005 {
            "Not one node goes, on average, so the machines cost what they did: requests that \
             shrink only leave more room free"
                .to_owned()
        } else if changed > 0.0 && self.total.node >= self.total.request {
            format!(
                "AWS bills machines, not requests: {changed:.1} of {:.1} nodes go, and each takes \
                 along what was idle or reserved on it",
                today.nodes
            )
        } else if changed > 0.0 {
            format!(
                "AWS bills machines, not requests: {changed:.1} of {:.1} nodes go, the rest of \
                 what was freed stays empty or is filled by requests that had to rise",
                today.nodes
            )
        } else {
            format!(
                "Requests that had to rise need {:.1} nodes more than today's {:.1}: today they \
                 run on memory or cpu that nobody reserved for them",
                -changed, today.nodes
            )
        };
        let (list, net) = (self.total.node, self.total.cash);
        let moves = match net.cmp(&Money::ZERO) {
            std::cmp::Ordering::Greater => "falls",
            std::cmp::Ordering::Less => "rises",
            std::cmp::Ordering::Equal => "changes",
        };
        let cash = if !self.committed {
            format!(
                "There is no commitment: the invoice {moves} by what the machines cost at list \
                 prices"
            )
        } else if net == list {
            format!("The commitments are used as fully as before: the invoice {moves} by as much")
        } else if list > Money::ZERO && net < list {
            "Part of what is no longer used was committed to and is paid all the same, until the \
             commitments end"
                .to_owned()
        } else {
            "The commitments cover another part of the machines than before".to_owned()
        };
        [requests, nodes, cash]
    }
}
