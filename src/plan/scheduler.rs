//! The scheduler and its profiles.

use super::control::Version;
use super::defaults::{INITIAL_BACKOFF_S, MAX_BACKOFF_S, SCHEDULER_RATE};
use super::notes::Notes;
use crate::place::kube::{DefaultConstraint, DefaultSpread, PluginWeights, Resource, ShapePoint};
use crate::place::{QueueProfile, SchedulerProfile, Scoring};
use crate::scenario::{self, DefaultingType, Scenario, ScoringKind, Spanned, quote};
use crate::units::SimDuration;
use crate::workload::ExtendedId;

/// Fewest pods per second: below it a run would place next to nothing.
const SLOWEST_RATE: f64 = 0.001;
/// Most pods per second that differ from unlimited: the clock counts
/// microseconds.
const FASTEST_RATE: f64 = 1e6;

/// Links `placement`: the scheduler's own profile first, then those of
/// `profiles` in their order. `extended` names the extended resources of the run.
pub(super) fn link(
    scenario: &Scenario,
    version: &Version,
    extended: &[String],
    notes: &mut Notes<'_>,
) -> Vec<SchedulerProfile> {
    let none = scenario::Scheduler::default();
    let it = match &scenario.placement {
        Some(scenario::Placement::Kubernetes(placement)) => &placement.scheduler,
        Some(scenario::Placement::Ecs(_)) | None => &none,
    };
    let path = |key: &str| format!("placement.scheduler.{key}");
    let per_second = match &it.rate {
        Some(Spanned { value: scenario::SchedulerRate::Unlimited, .. }) => None,
        Some(Spanned { value: scenario::SchedulerRate::PerSecond(rate), span }) => {
            if !(SLOWEST_RATE..=FASTEST_RATE).contains(&rate.0) {
                notes
                    .diags
                    .error(*span, "a rate lies between 0.001 and 1000000 pods per second")
                    .help("`unlimited` places pods in no time");
            }
            Some(rate.0)
        }
        None => {
            notes.default(path("rate"), SCHEDULER_RATE.value, SCHEDULER_RATE.note);
            Some(SCHEDULER_RATE.value)
        }
    };
    let seconds = |given: &Option<Spanned<scenario::Int<1, 86_400>>>| {
        given.as_ref().map(|s| Spanned { value: s.value.get(), span: s.span })
    };
    let initial = notes.or_default(
        seconds(&it.pod_initial_backoff_seconds),
        path("podInitialBackoffSeconds"),
        INITIAL_BACKOFF_S,
    );
    let most = notes.or_default(
        seconds(&it.pod_max_backoff_seconds),
        path("podMaxBackoffSeconds"),
        MAX_BACKOFF_S,
    );
    if let (true, None, Some(given)) =
        (most < initial, &it.pod_max_backoff_seconds, &it.pod_initial_backoff_seconds)
    {
        let message =
            format!("the first wait of {initial} s is above podMaxBackoffSeconds, {most}");
        notes.diags.error(given.span, message).help("raise `podMaxBackoffSeconds` as well");
    }
    let path_of = |name: &str| format!("placement.scheduler.profiles.{name}");
    let stated = Stated {
        scoring_strategy: it.scoring_strategy.as_ref(),
        percentage_of_nodes_to_score: it.percentage_of_nodes_to_score,
        defaulting_type: it.defaulting_type,
        default_constraints: &it.default_constraints,
        hard_pod_affinity_weight: it.hard_pod_affinity_weight,
        plugins: it.plugins.as_ref(),
    };
    let common = SchedulerProfile {
        queue: QueueProfile {
            initial_backoff_ms: SimDuration::from_secs(initial as i64).0,
            max_backoff_ms: SimDuration::from_secs(most as i64).0,
            ..QueueProfile::kubernetes(version.minor)
        },
        // At most a thousand seconds, so the conversion is exact enough.
        service_time_us: per_second.map(|rate| (1e6 / rate).round().max(1.0) as u64),
        ..SchedulerProfile::default()
    };
    let mut profiles = vec![profile(&stated, &common, "placement.scheduler", extended, notes)];
    for (name, it) in it.profiles.iter() {
        if name.value == DEFAULT_SCHEDULER {
            notes
                .diags
                .error(name.span, format!("{DEFAULT_SCHEDULER} is what `scheduler` itself states"));
        }
        let stated = Stated {
            scoring_strategy: it.scoring_strategy.as_ref(),
            percentage_of_nodes_to_score: it
                .percentage_of_nodes_to_score
                .or(stated.percentage_of_nodes_to_score),
            defaulting_type: it.defaulting_type,
            default_constraints: &it.default_constraints,
            hard_pod_affinity_weight: it.hard_pod_affinity_weight,
            plugins: it.plugins.as_ref(),
        };
        profiles.push(profile(&stated, &common, &path_of(&name.value), extended, notes));
    }
    if let Some((name, _)) = it.profiles.iter().nth(MOST_PROFILES) {
        notes.diags.error(name.span, format!("at most {MOST_PROFILES} further profiles"));
    }
    profiles
}

/// Name of the scheduler's own profile.
const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// Most profiles beside it: their numbers are one byte.
const MOST_PROFILES: usize = 255;

/// The number of the profile that places a workload's pods.
pub(super) fn profile_of(
    it: &scenario::Workload,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> u8 {
    let Some(name) = it.scheduler_name.as_ref().filter(|n| n.value != DEFAULT_SCHEDULER) else {
        return 0;
    };
    let profiles = match &scenario.placement {
        Some(scenario::Placement::Kubernetes(placement)) => Some(&placement.scheduler.profiles),
        Some(scenario::Placement::Ecs(_)) | None => None,
    };
    let known: Vec<&str> = std::iter::once(DEFAULT_SCHEDULER)
        .chain(profiles.into_iter().flat_map(scenario::Map::names))
        .collect();
    if let Some(at) = known.iter().position(|known| *known == name.value) {
        return u8::try_from(at).unwrap_or(u8::MAX);
    }
    notes
        .diags
        .error(name.span, format!("no profile places pods of {}", quote(&name.value)))
        .suggest(&name.value, known.iter().copied())
        .help("state it under `placement.scheduler.profiles`");
    0
}

/// What a profile states.
struct Stated<'s> {
    scoring_strategy: Option<&'s scenario::ScoringStrategy>,
    percentage_of_nodes_to_score: Option<Spanned<scenario::Int<0, 100>>>,
    defaulting_type: Option<Spanned<DefaultingType>>,
    default_constraints: &'s [Spanned<scenario::DefaultConstraint>],
    hard_pod_affinity_weight: Option<Spanned<scenario::Int<0, 100>>>,
    plugins: Option<&'s scenario::Plugins>,
}

fn profile(
    it: &Stated<'_>,
    common: &SchedulerProfile,
    path: &str,
    extended: &[String],
    notes: &mut Notes<'_>,
) -> SchedulerProfile {
    let path = |key: &str| format!("{path}.{key}");
    let mut profile = common.clone();
    if let Some(strategy) = it.scoring_strategy {
        profile.scoring = match (&strategy.kind.value, &strategy.requested_to_capacity_ratio) {
            (ScoringKind::MostAllocated, _) => Scoring::MostAllocated,
            (ScoringKind::RequestedToCapacityRatio, Some(ratio)) => {
                let points = ratio.shape.iter().map(|p| ShapePoint {
                    utilization: p.utilization.get() as i64,
                    score: p.score.get() as i64,
                });
                Scoring::RequestedToCapacityRatio(points.collect())
            }
            _ => Scoring::LeastAllocated,
        };
        if let Some(resources) = &strategy.resources {
            profile.resources = scored(resources, extended, notes).into();
        }
    } else {
        let note = "kube-scheduler default (NodeResourcesFit)";
        notes.default(path("scoringStrategy.type"), ScoringKind::LeastAllocated, note);
    }
    if let Some(given) = it.percentage_of_nodes_to_score {
        profile.percentage_of_nodes_to_score = given.value.get() as u8;
    } else {
        let note = "kube-scheduler default: from 100 nodes on the fewer the more there are";
        notes.default(path("percentageOfNodesToScore"), 0, note);
    }
    match it.defaulting_type {
        Some(Spanned { value: DefaultingType::List, .. }) => {
            let listed = it.default_constraints.iter().map(|c| DefaultConstraint {
                max_skew: c.max_skew.get() as i64,
                topology_key: c.topology_key.to_string(),
                hard: c.when_unsatisfiable.value == scenario::WhenUnsatisfiable::DoNotSchedule,
            });
            profile.default_spread = DefaultSpread::List(listed.collect());
        }
        Some(_) => {}
        None => {
            let note = "kube-scheduler default: soft, over zones and nodes";
            notes.default(path("defaultingType"), DefaultingType::System, note);
        }
    }
    if let Some(weight) = it.hard_pod_affinity_weight {
        profile.hard_pod_affinity_weight = weight.value.get() as i64;
    }
    if let Some(plugins) = it.plugins {
        profile.weights = weights(&plugins.score, profile.weights);
    }
    profile
}

/// Weights of the plugins: disabled ones first, as upstream merges them
/// (`apis/config/v1/default_plugins.go`, `mergePluginSet`).
fn weights(it: &scenario::PluginSet, default: PluginWeights) -> PluginWeights {
    let mut weights = default;
    for plugin in &it.disabled {
        use scenario::DisabledName as Name;
        let one = match plugin.name.value {
            Name::All => {
                weights = PluginWeights {
                    taint_toleration: 0,
                    node_affinity: 0,
                    topology_spread: 0,
                    pod_affinity: 0,
                    resources_fit: 0,
                    balanced_allocation: 0,
                };
                continue;
            }
            Name::TaintToleration => &mut weights.taint_toleration,
            Name::NodeAffinity => &mut weights.node_affinity,
            Name::PodTopologySpread => &mut weights.topology_spread,
            Name::InterPodAffinity => &mut weights.pod_affinity,
            Name::NodeResourcesFit => &mut weights.resources_fit,
            Name::NodeResourcesBalancedAllocation => &mut weights.balanced_allocation,
        };
        *one = 0;
    }
    for plugin in &it.enabled {
        use scenario::ScorePlugin as Name;
        let one = match plugin.name.value {
            Name::TaintToleration => &mut weights.taint_toleration,
            Name::NodeAffinity => &mut weights.node_affinity,
            Name::PodTopologySpread => &mut weights.topology_spread,
            Name::InterPodAffinity => &mut weights.pod_affinity,
            Name::NodeResourcesFit => &mut weights.resources_fit,
            Name::NodeResourcesBalancedAllocation => &mut weights.balanced_allocation,
        };
        *one = plugin.weight.map_or(1, |w| w.value.get() as i64);
    }
    weights
}

/// Resources that are scored. One that no pod asks for counts for none.
fn scored(
    resources: &[scenario::ScoringResource],
    extended: &[String],
    notes: &mut Notes<'_>,
) -> Vec<(Resource, i64)> {
    let mut scored: Vec<(Resource, i64)> = Vec::new();
    for it in resources {
        let weight = it.weight.map_or(1, |w| w.value.get() as i64);
        let resource = match it.name.value.as_str() {
            "cpu" => Resource::Cpu,
            "memory" => Resource::Memory,
            name => match extended.iter().position(|known| known == name) {
                Some(at) => Resource::Extended(ExtendedId(at as u32)),
                None if name.contains('/') => {
                    let message = format!("no pod requests {}, so it scores nothing", quote(name));
                    notes.diags.warning("unused-resource", it.name.span, message);
                    continue;
                }
                None => {
                    let message = format!("{} is no resource that is scored", quote(name));
                    notes.diags.error(it.name.span, message).help(
                        "there are cpu, memory and extended resources such as nvidia.com/gpu",
                    );
                    continue;
                }
            },
        };
        if scored.iter().any(|(known, _)| *known == resource) {
            let message = format!("{} is listed twice", quote(&it.name.value));
            notes.diags.error(it.name.span, message);
            continue;
        }
        scored.push((resource, weight));
    }
    if let (true, Some(first)) = (scored.is_empty(), resources.first()) {
        let message = "none of these resources is requested by any pod";
        notes.diags.error(first.name.span, message).help("list cpu or memory as well");
    }
    scored
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plan::{Options, link as link_scenario};
    use crate::scenario::Source;

    fn text(workload: &str, scheduler: &str) -> String {
        format!(
            "version: 1\nname: t\nregion: us-east-1\nworkload:\n  a:\n    generate: {{ count: 1, \
             arrivals: {{ even: {{ every: 1m }} }}, duration: 1m, shapes: [{{ cpu: 1, memory: 1Gi, \
             extended: {{ nvidia.com/gpu: 1 }} }}] }}\n{workload}placement:\n  scheduler:\n    rate: \
             unlimited\n{scheduler}pools: {{ p: {{ fixed: {{ type: g4dn.xlarge, count: 1 }} }} }}\n"
        )
    }

    fn plan(workload: &str, scheduler: &str) -> Result<crate::plan::Plan, String> {
        let text = text(workload, scheduler);
        let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("YAML");
        link_scenario(&source, &Options::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn profiles_are_read_in_full() {
        let scheduler = "    percentageOfNodesToScore: 30
    scoringStrategy: { type: MostAllocated, resources: [{ name: memory, weight: 3 }, { name: nvidia.com/gpu }] }
    profiles:
      spare:
        plugins: { score: { disabled: [{ name: \"*\" }], enabled: [{ name: NodeAffinity, weight: 7 }] } }
      shaped:
        scoringStrategy:
          type: RequestedToCapacityRatio
          requestedToCapacityRatio: { shape: [{ utilization: 10, score: 2 }, { utilization: 90, score: 10 }] }
        percentageOfNodesToScore: 100
        defaultingType: List
        defaultConstraints: [{ maxSkew: 4, topologyKey: rack, whenUnsatisfiable: DoNotSchedule }]
        hardPodAffinityWeight: 9
";
        let plan = plan("    schedulerName: shaped\n", scheduler).expect("links");
        let setup = &plan.cases[0].setup;
        assert_eq!(setup.scheduler.scoring, Scoring::MostAllocated);
        assert_eq!(
            setup.scheduler.resources.as_ref(),
            [(Resource::Memory, 3), (Resource::Extended(ExtendedId(0)), 1)]
        );
        let [spare, shaped] = setup.other_profiles.as_slice() else { panic!("two more") };
        assert_eq!(spare.percentage_of_nodes_to_score, 30);
        assert_eq!(spare.scoring, Scoring::LeastAllocated);
        assert_eq!((spare.weights.node_affinity, spare.weights.resources_fit), (7, 0));
        let corner = |utilization, score| ShapePoint { utilization, score };
        let shape = [corner(10, 2), corner(90, 10)];
        assert_eq!(shaped.scoring, Scoring::RequestedToCapacityRatio(shape.into()));
        assert_eq!(
            (shaped.percentage_of_nodes_to_score, shaped.hard_pod_affinity_weight),
            (100, 9)
        );
        let listed = DefaultConstraint { max_skew: 4, topology_key: "rack".to_owned(), hard: true };
        assert_eq!(shaped.default_spread, DefaultSpread::List([listed].into()));
        assert_eq!(shaped.service_time_us, None);
        let tables = plan.cases[0].workload.materialise(1).expect("tables");
        assert_eq!(tables.classes[0].profile, 2);
    }

    #[test]
    fn profiles_that_cannot_be_are_refused() {
        let refused = |workload: &str, scheduler: &str| {
            plan(workload, scheduler).expect_err("refused").lines().next().unwrap_or("").to_owned()
        };
        for (workload, scheduler, message) in [
            ("    schedulerName: volcano\n", "", "no profile places pods of `volcano`"),
            ("", "    profiles: { default-scheduler: {} }\n", "default-scheduler is what"),
            (
                "",
                "    scoringStrategy: { type: LeastAllocated, resources: [{ name: disk }] }\n",
                "`disk` is no resource that is scored",
            ),
            (
                "",
                "    scoringStrategy: { type: LeastAllocated, resources: [{ name: cpu }, { name: cpu }] }\n",
                "`cpu` is listed twice",
            ),
            (
                "",
                "    scoringStrategy: { type: LeastAllocated, resources: [{ name: x/y }] }\n",
                "none of these resources is requested by any pod",
            ),
            ("", "    scoringStrategy: { type: RequestedToCapacityRatio }\n", "`type: Requested"),
            (
                "",
                "    scoringStrategy: { type: RequestedToCapacityRatio, requestedToCapacityRatio: { shape: [{ \
                 utilization: 5, score: 1 }, { utilization: 5, score: 2 }] } }\n",
                "`utilization` rises from corner to corner",
            ),
            (
                "",
                "    defaultConstraints: [{ maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway }]\n",
                "`defaultConstraints` needs `defaultingType: List`",
            ),
            ("", "    percentageOfNodesToScore: 101\n", "`101` is too large: at most 100"),
        ] {
            let found = refused(workload, scheduler);
            assert!(found.contains(message), "{scheduler}\n{found}");
        }
    }
}
