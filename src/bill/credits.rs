//! Surplus CPU credits of burstable instances in unlimited mode.
//!
//! An instance earns credits at its baseline and spends them as it uses cpu. What
//! it has earned and not spent it may spend later, up to a day's worth; what it
//! spends beyond is surplus, which later earnings pay down. Surplus is charged as
//! far as it exceeds a day's worth, and all of it when the instance ends (EC2 user
//! guide, "Unlimited mode concepts", "Surplus credits can incur charges"). An
//! instance of T3, T3a and T4g starts without credits.
//!
//! DIFFERENCE: a record accounts for cpu by UTC day, so that earnings and use net
//! within a day, and what is charged falls due in the last hour of the day.
//!
//! A day on which a pod of the node has unknown usage leaves the balance as it is
//! and is counted as unknown. What system, boot and drain use is not known either
//! and counts as nothing: the charge is a lower bound.

use super::prices::Burst;
use crate::observe::{NodeRecord, Record};
use crate::units::{DAY_MS, HOUR_MS};

/// Surplus that a node is charged in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surplus {
    pub(super) node: u32,
    /// Unix milliseconds of the last moment it was for.
    pub(super) at: i64,
    /// Milli-vCPU·ms.
    pub(super) amount: i64,
}

/// The surplus of all nodes, ascending by node and time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Credits {
    charged: Vec<Surplus>,
    /// Node time of days without known usage, milliseconds.
    pub(super) unknown_ms: u64,
}

impl Credits {
    /// Settles the credits of every node whose shape bursts.
    pub(super) fn settle(record: &Record, bursts: &[Option<Burst>]) -> Credits {
        let mut credits = Credits::default();
        if bursts.iter().all(Option::is_none) {
            return credits;
        }
        let mut owners = record.owners.iter().peekable();
        let mut at = 0;
        while let Some(first) = record.windows.get(at) {
            let node = first.node;
            let end = at + record.windows[at..].partition_point(|w| w.node == node);
            let days = &record.windows[at..end];
            at = end;
            let row = record.nodes.get(node as usize);
            let burst = row.and_then(|n| bursts.get(n.shape.index()).copied().flatten());
            let (Some(row), Some(burst)) = (row, burst) else { continue };
            let earns = i128::from(burst.baseline.0);
            let cap = earns * i128::from(DAY_MS);
            let mut balance = 0i128;
            for (i, day) in days.iter().enumerate() {
                let key = (node, day.window);
                while owners.next_if(|o| (o.node, o.window) < key).is_some() {}
                let (mut used, mut unknown) = (0i128, false);
                while let Some(o) = owners.next_if(|o| (o.node, o.window) == key) {
                    used += i128::from(o.cpu_used) + i128::from(o.cpu_beyond);
                    unknown |= o.cpu_unknown > 0;
                }
                if unknown {
                    credits.unknown_ms = credits.unknown_ms.saturating_add(day.metered_ms);
                } else {
                    balance = (balance + earns * i128::from(day.metered_ms) - used).min(cap);
                }
                let floor = if i + 1 == days.len() { 0 } else { -cap };
                if balance < floor {
                    credits.charge(record, row, (node, day.window), floor - balance);
                    balance = floor;
                }
            }
        }
        credits
    }

    fn charge(&mut self, record: &Record, row: &NodeRecord, key: (u32, i32), amount: i128) {
        let (node, window) = key;
        let down = row.shutting_down.min(record.end).ms();
        let down = record.start_unix_ms.saturating_add(down);
        let end = (i64::from(window) + 1).saturating_mul(DAY_MS).min(down);
        // A node has far fewer than 2⁶³ milli-vCPU·ms in a day.
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        self.charged.push(Surplus { node, at: end - 1, amount });
    }

    /// What a node is charged, in time.
    pub(super) fn of(&self, node: u32) -> &[Surplus] {
        let from = self.charged.partition_point(|s| s.node < node);
        let to = self.charged.partition_point(|s| s.node <= node);
        &self.charged[from..to]
    }
}

impl Surplus {
    /// Clock hour (UTC) since the Unix epoch.
    pub(super) const fn hour(self) -> i64 {
        self.at.div_euclid(HOUR_MS)
    }
}
