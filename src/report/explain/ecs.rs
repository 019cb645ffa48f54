//! One task's story on Amazon ECS: how it came to its capacity provider, what
//! it waited for, and how its instance was chosen.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::Format;
use super::super::text;
use super::blocks::{self, Block};
use super::names::not_there;
use super::pod::text as pod_text;
use super::pod::{FargateStory, Happening, Moment, Teller, Who};
use super::{CellFacts, Head, json};
use crate::Result;
use crate::nouns::counted;
use crate::observe::probe::{Follow, Instance};
use crate::observe::probe_ecs::{EcsStep, EcsStory, Named, ProviderChoice, Sight, Woken};
use crate::observe::{Place, PodEnd, RejectReason};
use crate::place::ecs::plain::Unfit;
use crate::place::ecs::{Field, Rule, SpreadBy};
use crate::units::{Bytes, MilliCpu, SimTime};
use crate::workload::{WorkloadId, WorkloadKind};
use crate::world::Ecs;

/// The story of a task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskStory {
    #[serde(flatten)]
    head: Head,
    task: Who,
    /// Its task group.
    group: String,
    strategies: Vec<String>,
    /// Whether it states none, so that ECS decides.
    default_strategy: bool,
    constraints: Vec<String>,
    /// The first, then what replaced it.
    instances: Vec<TaskInstance>,
}

#[derive(Debug, Clone, Serialize)]
struct TaskInstance {
    submitted: Moment,
    placed: Option<Moment>,
    running: Option<Moment>,
    ended: Moment,
    end: &'static str,
    /// In `PROVISIONING`: submitted to placed, or to its end if it never was.
    waited_s: f64,
    /// Container instance, or Fargate task.
    place: Option<String>,
    capacity_provider: ChoiceStory,
    events: Vec<Happening>,
    /// Events beyond those that are kept.
    events_left_out: u64,
    /// The first and the last time that it had to wait, and its placement.
    placement: Vec<SightStory>,
    fargate: Option<FargateStory>,
    /// For one that was rejected: what an empty instance of each kind lacks.
    never_fits: Vec<LackStory>,
}

#[derive(Debug, Clone, Serialize)]
struct ChoiceStory {
    /// Absent with launch type EC2.
    chosen: Option<String>,
    why: String,
    /// Empty where nothing was chosen anew.
    entries: Vec<EntryStory>,
}

#[derive(Debug, Clone, Serialize)]
struct EntryStory {
    capacity_provider: String,
    base: u32,
    weight: u32,
    /// Tasks of the workload that it had.
    tasks: u32,
    /// (tasks − base + 1) / weight: the least goes first.
    rank: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct SightStory {
    which: &'static str,
    #[serde(flatten)]
    when: Moment,
    /// How often the same was seen.
    tries: u64,
    instances: u32,
    instances_booting: u32,
    eligible: u32,
    rejected: Vec<ReasonStory>,
    strategies: Vec<StepStory>,
    chosen: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ReasonStory {
    reason: String,
    instances: u32,
    /// The first of them.
    such_as: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct StepStory {
    strategy: String,
    keeps: String,
    left: u32,
    /// The first of them.
    such_as: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct LackStory {
    pool: String,
    #[serde(rename = "type")]
    kind: String,
    can_have_instances: bool,
    reasons: Vec<String>,
    free_cpu: String,
    free_memory: String,
}

/// Builds the story of the work that was followed.
///
/// # Errors
/// If the run had no such task.
pub fn task(cell: CellFacts<'_>, ecs: &Ecs, follow: &Follow, ordinal: u64) -> Result<TaskStory> {
    let Some(first) = follow.instances.first() else {
        let counts = &cell.record.counts;
        let submitted = |w: WorkloadId| counts.get(w.index()).map_or(0, |counts| counts.submitted);
        return Err(not_there(cell.workloads, ordinal, follow.siblings, submitted));
    };
    let teller = Teller::new(cell);
    let workload = cell.workloads.templates[first.template.index()].workload;
    let info = &cell.workloads.workloads[workload.index()];
    let spec = &ecs.workloads[workload.index()];
    let kind = if info.kind == WorkloadKind::Batch { "family" } else { "service" };
    Ok(TaskStory {
        head: cell.head(),
        task: teller.who(ordinal, first),
        group: format!("{kind}:{}", text::name(&info.name)),
        strategies: spec.strategy.iter().map(|rule| text::name(&rule.to_string())).collect(),
        default_strategy: spec.default_strategy,
        constraints: spec.constraints.iter().map(|c| text::name(&c.to_string())).collect(),
        instances: follow
            .instances
            .iter()
            .enumerate()
            .map(|(i, instance)| instance_story(&teller, instance, i > 0))
            .collect(),
    })
}

impl TaskStory {
    /// As text in the format asked for.
    ///
    /// # Errors
    /// None in practice: where a writer to memory fails.
    pub fn show(&self, format: Format) -> Result<String> {
        match format {
            Format::Table => Ok(blocks::terminal(&shown(self))),
            Format::Markdown => Ok(blocks::markdown(&shown(self))),
            Format::Json => json(self),
            Format::Csv => pod_text::events_csv(self.instances.iter().map(|i| i.events.as_slice())),
        }
    }
}

fn instance_story(teller: &Teller<'_>, of: &Instance, replacement: bool) -> TaskInstance {
    let none = EcsStory::default();
    let story = of.ecs.as_deref().unwrap_or(&none);
    let until = if of.bound == SimTime::NEVER { of.ended } else { of.bound };
    let reached = |at: SimTime| (at < SimTime::NEVER).then(|| teller.moment(at));
    TaskInstance {
        submitted: teller.moment(of.submitted),
        placed: reached(of.bound),
        running: reached(of.running),
        ended: teller.moment(of.ended),
        end: of.end.name(),
        waited_s: (until - of.submitted).secs_f64(),
        place: match of.place {
            Place::Nowhere => None,
            Place::Node(record) => Some(teller.node(record)),
            Place::Fargate(record) => Some(teller.machine(record)),
        },
        capacity_provider: choice(teller, story, replacement),
        events: events(teller, of, story, replacement),
        events_left_out: story.left_out,
        placement: sights(teller, story),
        fargate: of.fargate.as_ref().map(|launch| teller.fargate(of, launch)),
        never_fits: story
            .reach
            .iter()
            .map(|reach| LackStory {
                pool: teller.cell.pool(reach.pool.index()),
                kind: text::name(&teller.cell.cluster.shapes[reach.shape.index()].name),
                can_have_instances: reach.can_have_nodes,
                reasons: reach.unfit.iter().map(|u| reason(teller, u)).collect(),
                free_cpu: MilliCpu(reach.free_cpu).to_string(),
                free_memory: memory(reach.free_memory),
            })
            .collect(),
    }
}

/// A capacity provider, and why it is this one.
fn choice(teller: &Teller<'_>, story: &EcsStory, replacement: bool) -> ChoiceStory {
    let pool = |provider: u16| teller.cell.pool(usize::from(provider));
    let chosen = story.provider.map(pool);
    let Some(ProviderChoice { entries, chosen: at }) = &story.choice else {
        let why = match (&chosen, replacement) {
            (None, _) => "launch type EC2: any instance of the cluster",
            (Some(_), true) => "kept from the task that it replaces",
            (Some(_), false) => "given",
        };
        return ChoiceStory { chosen, why: why.to_owned(), entries: Vec::new() };
    };
    let rank = |(item, count): &(crate::scale::ecs_capacity::StrategyItem, u32)| {
        let above = f64::from(count.saturating_sub(item.base)) + 1.0;
        (item.weight > 0).then(|| above / f64::from(item.weight))
    };
    let why = match at.and_then(|at| entries.get(at)) {
        None => "no entry may take another task".to_owned(),
        Some((item, count)) if item.base > *count => {
            format!("{} has {count} of its base of {}", pool(item.provider), item.base)
        }
        Some(_) if entries.len() == 1 => "the only entry of its strategy".to_owned(),
        Some(entry) => {
            let equals = entries.iter().filter(|other| rank(other) == rank(entry)).count();
            format!(
                "no base is short, and {} is furthest below its share: ({} − {} + 1) / {} = {}{}",
                pool(entry.0.provider),
                entry.1,
                entry.0.base,
                entry.0.weight,
                rank(entry).map(ranked).unwrap_or_default(),
                if equals > 1 { ", the first of equals in the list" } else { "" },
            )
        }
    };
    let entries = entries
        .iter()
        .map(|entry| EntryStory {
            capacity_provider: pool(entry.0.provider),
            base: entry.0.base,
            weight: entry.0.weight,
            tasks: entry.1,
            rank: rank(entry),
        })
        .collect();
    ChoiceStory { chosen, why, entries }
}

fn ranked(rank: f64) -> String {
    let text = format!("{rank:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn memory(bytes: i64) -> String {
    // Whole MiB say enough of what is left.
    Bytes((bytes >> 20) << 20).to_string()
}

fn events(
    teller: &Teller<'_>,
    of: &Instance,
    story: &EcsStory,
    replacement: bool,
) -> Vec<Happening> {
    let mut events = Vec::new();
    let mut say = |at: SimTime, event: &'static str, text: String| {
        events.push(Happening { when: teller.moment(at), event, text });
    };
    let submitted = if replacement { "submitted again by its owner" } else { "submitted" };
    say(of.submitted, "submitted", submitted.to_owned());
    if of.end == PodEnd::Rejected {
        let why = of.rejected.map_or("no pool could ever hold it", RejectReason::text);
        say(of.submitted, "rejected", format!("rejected: {why}"));
        return events;
    }
    for step in &story.steps {
        match step {
            EcsStep::Waits { first, last, count, saw } => {
                let mut text = match saw.instances {
                    0 => "waits in PROVISIONING: there is no instance".to_owned(),
                    1 => "waits in PROVISIONING: the only instance cannot take it".to_owned(),
                    n => format!("waits in PROVISIONING: none of {n} instances can take it"),
                };
                if last > first {
                    let times = text::count(*count);
                    let _ = write!(text, "; seen {times} times in {}", *last - *first);
                }
                say(*first, "waits", text);
            }
            EcsStep::ScaleOut { at, pool, from, to } => {
                let pool = teller.cell.pool(pool.index());
                let text = format!(
                    "managed scaling raises {pool} from {from} to {}",
                    counted(*to, "instance")
                );
                say(*at, "scale-out", text);
            }
            EcsStep::Woken { at, node, by } => {
                let node = teller.node(*node);
                let text = match by {
                    Woken::Registered => format!("{node} registers and can take it"),
                    Woken::TaskLeft => format!("a task left {node}, which can take it now"),
                    Woken::TaskCame => format!("a task came to {node}, which can take it now"),
                };
                say(*at, "room", text);
            }
            EcsStep::Placed { at, node, .. } => {
                say(*at, "placed", format!("placed on {}", teller.node_in_full(*node)));
            }
        }
    }
    if !matches!(of.place, Place::Node(_)) {
        teller.bound(of, 0, &mut say);
    } else if of.running > of.bound && of.running < SimTime::NEVER {
        say(of.running, "running", "runs".to_owned());
    }
    teller.ended(of, &mut say);
    events.sort_by_key(|e| e.when.at_ms);
    events
}

fn sights(teller: &Teller<'_>, story: &EcsStory) -> Vec<SightStory> {
    let waits = |step: &&EcsStep| matches!(step, EcsStep::Waits { .. });
    let first = story.steps.iter().find(waits);
    let last = story.steps.iter().rev().find(waits).filter(|l| first != Some(*l));
    let placed = story.steps.iter().rev().find(|s| matches!(s, EcsStep::Placed { .. }));
    let mut all = Vec::new();
    for (step, which) in [(first, "first-wait"), (last, "last-wait"), (placed, "placed")] {
        match step {
            Some(EcsStep::Waits { first, count, saw, .. }) => {
                all.push(sight(teller, which, *first, *count, saw, None));
            }
            Some(EcsStep::Placed { at, node, saw }) => {
                all.push(sight(teller, which, *at, 1, saw, Some(*node)));
            }
            _ => {}
        }
    }
    all
}

fn sight(
    teller: &Teller<'_>,
    which: &'static str,
    at: SimTime,
    tries: u64,
    saw: &Sight,
    chosen: Option<u32>,
) -> SightStory {
    let names = |some: &Named| some.first.iter().map(|n| teller.node(*n)).collect::<Vec<_>>();
    SightStory {
        which,
        when: teller.moment(at),
        tries,
        instances: saw.instances,
        instances_booting: saw.booting,
        eligible: saw.eligible.count,
        rejected: saw
            .unfit
            .iter()
            .map(|(unfit, some)| ReasonStory {
                reason: reason(teller, unfit),
                instances: some.count,
                such_as: names(some),
            })
            .collect(),
        strategies: saw
            .narrowed
            .iter()
            .map(|(rule, least, some)| StepStory {
                strategy: text::name(&rule.to_string()),
                keeps: keeps(rule, *least),
                left: some.count,
                such_as: names(some),
            })
            .collect(),
        chosen: chosen.map(|node| teller.node(node)),
    }
}

/// Why an instance does not take a task, in words.
fn reason(teller: &Teller<'_>, unfit: &Unfit) -> String {
    match unfit {
        Unfit::NotActive => "DRAINING".to_owned(),
        Unfit::OtherProvider => "of another capacity provider".to_owned(),
        Unfit::Cpu => "too little cpu left".to_owned(),
        Unfit::Memory => "too little memory left".to_owned(),
        Unfit::Interfaces => "no network interface left".to_owned(),
        Unfit::Extended(id) => {
            let name = teller.cell.workloads.extended.get(id.index()).map(|n| text::name(n));
            format!("too little {} left", name.unwrap_or_default())
        }
        Unfit::Port(port) => format!("port {port} is taken"),
        Unfit::DistinctInstance => "distinctInstance: a task of its group is there".to_owned(),
        Unfit::MemberOf(parts) => {
            let parts: Vec<String> = parts.iter().map(|p| text::name(p)).collect();
            format!("memberOf: does not satisfy {}", parts.join(", nor "))
        }
    }
}

/// What the instances have in common that a strategy keeps.
fn keeps(rule: &Rule, least: Option<i64>) -> String {
    match (rule, least) {
        (Rule::Random, _) => "one of them is drawn".to_owned(),
        (Rule::Spread(_), None) => "none has the attribute".to_owned(),
        (Rule::Spread(by), Some(tasks)) => {
            let tasks = counted(tasks, "task");
            match by {
                SpreadBy::Instance => format!("{tasks} of its group there"),
                SpreadBy::Attribute(_) => format!("{tasks} of its group with the value"),
            }
        }
        (Rule::Binpack(Field::Cpu), cpu) => format!("{} left", MilliCpu(cpu.unwrap_or(0))),
        (Rule::Binpack(Field::Memory), left) => format!("{} left", memory(left.unwrap_or(0))),
    }
}

fn shown(story: &TaskStory) -> Vec<Block> {
    let head = &story.head;
    let place = format!("{}, case {}, seed {}", head.scenario, head.case, head.seed);
    let mut blocks = pod_text::who(&story.task, &place);
    if let Some(Block::Heading(words)) = blocks.first_mut() {
        *words = words.replacen("Pod ", "Task ", 1);
    }
    let strategies = match story.strategies.as_slice() {
        [] => "none: Fargate places every task by itself".to_owned(),
        some if story.default_strategy => format!("{}, as ECS does by itself", some.join(", ")),
        some => some.join(", "),
    };
    blocks.push(Block::text(format!("group {}; strategies {strategies}", story.group)));
    if !story.constraints.is_empty() {
        blocks.push(Block::text(format!("constraints {}", story.constraints.join(", "))));
    }
    let all = story.instances.len();
    for (i, of) in story.instances.iter().enumerate() {
        let which = if all > 1 { format!("Task {} of {all}: ", i + 1) } else { String::new() };
        blocks.push(Block::heading(which + &summary(of)));
        blocks.extend(pod_text::event_blocks(&of.events, of.events_left_out));
        blocks.extend(shown_choice(&of.capacity_provider));
        blocks.extend(of.fargate.iter().flat_map(shown_fargate));
        blocks.extend(of.placement.iter().flat_map(shown_sight));
        blocks.extend(shown_lack(&of.never_fits));
    }
    blocks
}

fn summary(of: &TaskInstance) -> String {
    if of.end == "rejected" {
        return "Rejected when it was submitted".to_owned();
    }
    let place = of
        .place
        .as_ref()
        .map_or_else(|| "never found a place".to_owned(), |place| format!("went to {place}"));
    format!("Waited {} to be placed; {place}; {}", text::seconds(of.waited_s), of.end)
}

fn shown_choice(of: &ChoiceStory) -> Vec<Block> {
    let name = of.chosen.as_deref().unwrap_or("none");
    let mut blocks =
        vec![Block::heading(format!("Capacity provider: {name}")), Block::text(of.why.clone())];
    if of.entries.len() > 1 {
        let rows = of
            .entries
            .iter()
            .map(|e| {
                let mark = if of.chosen.as_ref() == Some(&e.capacity_provider) { '*' } else { ' ' };
                vec![
                    format!("{mark} {}", e.capacity_provider),
                    e.base.to_string(),
                    e.weight.to_string(),
                    e.tasks.to_string(),
                    e.rank.map_or_else(|| "-".to_owned(), ranked),
                ]
            })
            .collect();
        let header = vec!["  provider", "base", "weight", "tasks", "(tasks-base+1)/weight"];
        blocks.push(Block::Table { header, rows, left: 1, gives: 0 });
    }
    blocks
}

fn shown_fargate(of: &FargateStory) -> Vec<Block> {
    let mut text = format!("asks for {} cpu and {} memory", of.cpu, of.memory);
    match (&of.billed, &of.largest) {
        (Some(billed), _) => {
            let _ = write!(text, "; billed as {billed}: the cheapest size that holds it");
        }
        (None, Some(largest)) => {
            let _ = write!(text, "; the largest size is {largest}");
        }
        (None, None) => {}
    }
    vec![Block::heading(format!("On Fargate pool {}", of.pool)), Block::text(text)]
}

fn shown_sight(of: &SightStory) -> Vec<Block> {
    let when = pod_text::since_start(of.when.at_ms);
    let title = match of.which {
        "first-wait" => "First had to wait",
        "last-wait" => "Last had to wait",
        _ => "Placed",
    };
    let mut blocks = vec![
        Block::heading(format!("{title}, at {when}")),
        Block::text(format!(
            "{} of {} instances can take it{}",
            text::count(of.eligible.into()),
            text::count(of.instances.into()),
            match of.instances_booting {
                0 => String::new(),
                n =>
                    format!("; {n} more {} not registered yet", if n == 1 { "has" } else { "have" }),
            }
        )),
    ];
    let such = |names: &[String], count: u32| {
        let more = if count as usize > names.len() { ", …" } else { "" };
        names.join(", ") + more
    };
    if !of.rejected.is_empty() {
        for r in &of.rejected {
            let lead = format!("  {:>5}  ", text::count(r.instances.into()));
            blocks.push(Block::Item(
                lead,
                format!("{} ({})", r.reason, such(&r.such_as, r.instances)),
            ));
        }
    }
    for step in &of.strategies {
        let words = format!(
            "{}: {}; {} left ({})",
            step.strategy,
            step.keeps,
            text::count(step.left.into()),
            such(&step.such_as, step.left)
        );
        blocks.push(Block::Item("  - ".to_owned(), words));
    }
    if let Some(chosen) = &of.chosen {
        let equal = of.strategies.last().map_or(of.eligible, |s| s.left);
        let drawn = of.strategies.last().is_some_and(|s| s.strategy == "random");
        let why = match (drawn, equal) {
            (_, 1) => "",
            (true, _) => ", drawn",
            (false, _) => ": of equals the one with the fewest tasks, then the first launched",
        };
        blocks.push(Block::text(format!("chosen: {chosen}{why}")));
    }
    blocks
}

fn shown_lack(of: &[LackStory]) -> Vec<Block> {
    if of.is_empty() {
        return Vec::new();
    }
    let rows = of
        .iter()
        .map(|l| {
            let why = match l.reasons.as_slice() {
                _ if !l.can_have_instances => "the pool has no instances".to_owned(),
                [] => "an empty one would hold it".to_owned(),
                some => some.join("; "),
            };
            vec![l.pool.clone(), l.kind.clone(), why, l.free_cpu.clone(), l.free_memory.clone()]
        })
        .collect();
    let header = vec!["pool", "type", "why not", "cpu", "memory"];
    vec![
        Block::heading("An empty instance of each kind, with what is free beside daemon tasks"),
        Block::Table { header, rows, left: 3, gives: 2 },
    ]
}
