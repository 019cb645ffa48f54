//! What happened to a pod, in order of time.

use std::fmt::Write as _;

use super::Teller;
use super::attempts::message;
use super::story::Happening;
use crate::nouns::counted;
use crate::observe::probe::{Cause, Failures, Instance, Requeue, Room, Step};
use crate::observe::{NodeEnd, Place, PodEnd, RejectReason};
use crate::units::{SimDuration, SimTime};

impl Teller<'_> {
    pub(super) fn events(&self, of: &Instance, replacement: bool) -> Vec<Happening> {
        let mut events = Vec::new();
        let mut say = |at: SimTime, event: &'static str, text: String| {
            events.push(Happening { when: self.moment(at), event, text });
        };
        let submitted = if replacement { "submitted again by its owner" } else { "submitted" };
        say(of.submitted, "submitted", submitted.to_owned());
        if of.end == PodEnd::Rejected {
            let why = of.rejected.map_or("no pool could ever hold it", RejectReason::text);
            let text = format!("rejected: {why}");
            say(of.submitted, "rejected", text);
            return events;
        }
        if let Some(launch) = &of.fargate {
            let wait = launch.admitted - of.submitted;
            if wait > SimDuration::ZERO {
                let text = format!("launch admitted by the bucket after {wait}");
                say(launch.admitted, "launch-admitted", text);
            }
        }
        if of.ungated < SimTime::NEVER {
            let held = of.ungated - of.submitted;
            let text = format!("its last scheduling gate was removed, after {held}");
            say(of.ungated, "ungated", text);
        }
        let mut tried = 0;
        for step in &of.steps {
            match step {
                Step::Failed(failures) => {
                    self.requeued(failures.first, &failures.cause, &mut say);
                    say(failures.first, "attempt-failed", failed(failures, tried + 1));
                    tried += failures.count;
                    if let Some(Room::Made { node, victims, .. }) = &failures.saw.room {
                        let names: Vec<String> =
                            victims.iter().take(4).map(|v| self.pod_by_ordinal(*v)).collect();
                        let more = match victims.len().saturating_sub(names.len()) {
                            0 => String::new(),
                            more => format!(" and {more} more"),
                        };
                        let text = format!(
                            "preempts {}{more} on {}, and is nominated for that node",
                            names.join(", "),
                            self.node(*node)
                        );
                        say(failures.last, "preempts", text);
                    }
                }
                Step::ScaleUp { at, pool, from, to } => {
                    let pool = self.cell.pool(pool.index());
                    let text = format!(
                        "Cluster Autoscaler raises {pool} from {from} to {}",
                        counted(*to, "node")
                    );
                    say(*at, "scale-up", text);
                }
                Step::Placed { at, cause, node, .. } => {
                    self.launched(*node, of.submitted, *at, &mut say);
                    self.requeued(*at, cause, &mut say);
                    tried += 1;
                }
            }
        }
        self.bound(of, tried, &mut say);
        self.ended(of, &mut say);
        // In order of time; of one instant in the order told.
        events.sort_by_key(|e| e.when.at_ms);
        events
    }

    /// The pod went back to the queue.
    fn requeued(
        &self,
        tried: SimTime,
        requeue: &Requeue,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        let why = match requeue.cause {
            Cause::Submitted | Cause::Ungated => return,
            Cause::NodeReady(node) => format!("node {} became Ready", self.node(node)),
            Cause::PodLeft(node) => format!("a pod left {}", self.node(node)),
            Cause::Leftover => "five minutes unschedulable".to_owned(),
            Cause::PodBound(node) => format!("a pod was bound to {}", self.node(node)),
        };
        let mut text = format!("back to the queue: {why}");
        if requeue.backoff_until > tried {
            // `SchedulerPopFromBackoffQ`, on from 1.33.
            text += "; out of its back-off by the idle scheduler";
        } else if requeue.backoff_until > requeue.at {
            let _ = write!(text, "; backs off for {}", requeue.backoff_until - requeue.at);
        } else if requeue.at < tried {
            let _ = write!(text, "; tried {} later", tried - requeue.at);
        }
        say(requeue.at, "requeued", text);
    }

    /// How the node came about, where that was while the pod waited.
    fn launched(
        &self,
        record: u32,
        from: SimTime,
        until: SimTime,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        let node = &self.cell.record.nodes[record as usize];
        let name = self.node(record);
        let within = |at: SimTime| from <= at && at <= until && at > SimTime::ZERO;
        if within(node.requested) {
            say(node.requested, "node-requested", format!("node {name} asked for"));
        }
        if within(node.running) {
            say(node.running, "node-running", format!("node {name} runs"));
        }
        if within(node.ready) {
            say(node.ready, "node-ready", format!("node {name} is Ready"));
        }
    }

    pub(in crate::report::explain) fn bound(
        &self,
        of: &Instance,
        attempt: u64,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        match of.place {
            Place::Nowhere => return,
            Place::Node(record) => {
                let node = self.node_in_full(record);
                let text = match attempt {
                    // There from the start: no scheduler placed it.
                    0 => format!("bound to {node}"),
                    n => format!("attempt {n}: bound to {node}"),
                };
                say(of.bound, "bound", text);
            }
            Place::Fargate(record) => {
                let name = self.machine(record);
                say(of.bound, "bound", format!("machine ready: bound to {name}, billing begins"));
            }
        }
        if of.running < SimTime::NEVER {
            let start = of.running - of.bound;
            let text = if start > SimDuration::ZERO {
                format!("running, after {start} of image pull and start")
            } else {
                "running".to_owned()
            };
            say(of.running, "running", text);
        }
    }

    pub(in crate::report::explain) fn ended(
        &self,
        of: &Instance,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        let node = match of.place {
            Place::Node(record) => Some(record),
            _ => None,
        };
        let why = node.map(|record| match self.cell.record.nodes[record as usize].end {
            NodeEnd::Reclaimed => format!("Spot takes {} back", self.node(record)),
            _ => format!("{} is drained", self.node(record)),
        });
        let why = why.unwrap_or_else(|| "its machine goes".to_owned());
        let text = match of.end {
            PodEnd::Finished if of.bound == SimTime::NEVER => {
                "deleted while it waited: its service scaled down".to_owned()
            }
            PodEnd::Finished if of.work_ms == i64::MAX => {
                "deleted: its service scaled down".to_owned()
            }
            PodEnd::Finished => "finished".to_owned(),
            PodEnd::Evicted => match of.preemptor {
                Some(by) => format!("evicted: preempted by {}", self.pod_by_ordinal(by)),
                None => format!("evicted: {why}"),
            },
            PodEnd::Interrupted => format!("interrupted: {why}"),
            PodEnd::Running => "the run ends while it runs".to_owned(),
            PodEnd::Starting => "the run ends while it starts".to_owned(),
            PodEnd::Pending => "the run ends while it waits".to_owned(),
            PodEnd::Rejected => return,
        };
        say(of.ended, of.end.name(), text);
    }
}

/// What became of attempts that failed alike, the first of them numbered.
fn failed(of: &Failures, first: u64) -> String {
    let message = message(&of.saw);
    if of.count == 1 {
        return format!("attempt {first} failed: {message}");
    }
    let mut causes: Vec<String> = Vec::new();
    match of.cause.cause {
        Cause::Submitted => causes.push("submission".to_owned()),
        Cause::Ungated => causes.push("the removal of its gates".to_owned()),
        _ => {}
    }
    let kinds = [
        "node became Ready",
        "pod left a node",
        "five minutes unschedulable",
        "pod bound to a node",
    ];
    for (times, what) in of.causes.iter().zip(kinds) {
        if *times > 0 {
            causes.push(format!("{times} × {what}"));
        }
    }
    format!(
        "attempts {first} to {} failed, the last at +{}: {message} Brought about by: {}",
        first + of.count - 1,
        of.last - SimTime::ZERO,
        causes.join(", ")
    )
}
