//! Whose series is it: from exported usage to the workloads of a scenario.
//!
//! The owner of a series is the workload its source names, else what the
//! pod's name tells ([`owner_of`]). A series belongs to the first workload,
//! in scenario order, of which one holds:
//!
//! 1. the source states a [`Selector`] for the workload and it fits; with a
//!    selector nothing else is asked of that source for this workload;
//! 2. the workload replays a pod of that name and namespace;
//! 3. the workload is named after the owner and one of its pods' namespaces
//!    is the series' own;
//! 4. the workload is named `namespace.owner`, or `namespace-owner` with pods
//!    in that namespace, as `import` names what is there twice.
//!
//! A series without a namespace may be of any: it belongs to the one workload
//! that one of these rules would give it in some namespace, and is *ambiguous*
//! where there are several.
//!
//! A series that fits none is *unjoined*: usage of pods that the scenario
//! does not have. Cost: a look-up per series, or per series and selector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gather::LoadedUsage;
use super::owner::owner_of;
use super::{MicroCpu, UsageKey, UsageSeries};
use crate::names::wildcard;
use crate::units::Bytes;

/// Picks series by name, each with `*` and `?` as wildcards; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// Namespace.
    pub namespace: Option<String>,
    /// Owner.
    pub workload: Option<String>,
    /// Pod.
    pub pod: Option<String>,
    /// Container.
    pub container: Option<String>,
}

impl Selector {
    fn fits(&self, key: &UsageKey, owner: &str) -> bool {
        let one = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|p| wildcard(p, text))
        };
        one(&self.namespace, &key.namespace)
            && one(&self.workload, owner)
            && one(&self.pod, &key.pod)
            && one(&self.container, &key.container)
    }
}

/// A source with what the scenario says of whose its series are.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageInput {
    /// Its name in the scenario.
    pub name: String,
    /// What was read.
    pub loaded: Arc<LoadedUsage>,
    /// Workload and which series are its own.
    pub selectors: Vec<(String, Selector)>,
}

/// A workload that usage may belong to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Namespaces of its pods.
    pub namespaces: BTreeSet<String>,
    /// Namespace and name of the pods it replays, where they have names.
    pub pods: BTreeSet<(String, String)>,
}

/// A series by its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    input: usize,
    key: UsageKey,
}

/// How much of a source found its workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joined {
    /// Name of the source in the scenario.
    pub source: String,
    /// Series that belong to a workload.
    pub series: u64,
    /// Series that belong to none.
    pub unjoined: u64,
    /// Of those, the first few, as `namespace/pod`.
    pub examples: Vec<String>,
    /// Series that a workload has from another source already, left out.
    pub repeated: u64,
    /// Of those that belong to none, series without a namespace that several
    /// workloads could have.
    pub ambiguous: u64,
    /// The first of them and those workloads.
    pub ambiguous_example: Option<(String, Vec<String>)>,
}

/// Usage by workload. Empty where the scenario names no usage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JoinedUsage {
    inputs: Vec<UsageInput>,
    by_workload: BTreeMap<String, Vec<Place>>,
    /// What became of each source, in scenario order.
    pub sources: Vec<Joined>,
}

/// Unjoined series shown by name.
const EXAMPLES: usize = 3;

impl JoinedUsage {
    /// Joins all inputs to the workloads.
    #[must_use]
    pub fn new(inputs: Vec<UsageInput>, targets: &[Target]) -> Self {
        let mut named: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut qualified: BTreeMap<&str, usize> = BTreeMap::new();
        let mut replayed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (i, target) in targets.iter().enumerate() {
            qualified.entry(&target.name).or_insert(i);
            for (namespace, pod) in &target.pods {
                replayed.entry((namespace, pod)).or_insert(i);
            }
            for namespace in &target.namespaces {
                named.entry((namespace, &target.name)).or_insert(i);
            }
        }
        let anywhere = Anywhere::new(targets);
        let mut joined = JoinedUsage::default();
        let mut taken: BTreeSet<&UsageKey> = BTreeSet::new();
        for (input, it) in inputs.iter().enumerate() {
            let mut told = Joined { source: it.name.clone(), ..Joined::default() };
            let selected: BTreeSet<&str> = it.selectors.iter().map(|(name, _)| &**name).collect();
            for (key, series) in &it.loaded.set.series {
                let owner = owner(key, series);
                let by_selector = it
                    .selectors
                    .iter()
                    .filter(|(_, selector)| selector.fits(key, owner))
                    .find_map(|(name, _)| targets.iter().position(|t| t.name == *name));
                let full = format!("{}.{owner}", key.namespace);
                let long = format!("{}-{owner}", key.namespace);
                let mut several: Vec<&str> = Vec::new();
                let mut by_name = || {
                    if key.namespace.is_empty() {
                        let mut any = anywhere.of(key, owner);
                        any.retain(|at| !selected.contains(&*targets[*at].name));
                        if any.len() > 1 {
                            several = any.iter().map(|at| &*targets[*at].name).collect();
                        }
                        return any.first().copied().filter(|_| any.len() == 1);
                    }
                    let namespace = key.namespace.as_str();
                    let at = replayed
                        .get(&(namespace, key.pod.as_str()))
                        .or_else(|| named.get(&(namespace, owner)))
                        .or_else(|| qualified.get(&*full))
                        .or_else(|| named.get(&(namespace, &*long)));
                    at.copied().filter(|at| !selected.contains(&*targets[*at].name))
                };
                let Some(at) = by_selector.or_else(&mut by_name) else {
                    told.unjoined += 1;
                    if !several.is_empty() {
                        told.ambiguous += 1;
                        told.ambiguous_example.get_or_insert_with(|| {
                            (shown(key), several.iter().map(|s| (*s).to_owned()).collect())
                        });
                    }
                    if told.examples.len() < EXAMPLES {
                        told.examples.push(shown(key));
                    }
                    continue;
                };
                if !taken.insert(key) {
                    told.repeated += 1;
                    continue;
                }
                told.series += 1;
                let place = Place { input, key: key.clone() };
                joined.by_workload.entry(targets[at].name.clone()).or_default().push(place);
            }
            joined.sources.push(told);
        }
        joined.inputs = inputs;
        joined
    }

    /// Whether no workload has usage.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_workload.is_empty()
    }

    /// Workloads that have usage, by name.
    pub fn workloads(&self) -> impl Iterator<Item = &str> {
        self.by_workload.keys().map(String::as_str)
    }

    /// The series of a workload, sources in scenario order, then by key: one
    /// for each container of each pod, or for a pod or workload as a whole.
    pub fn series(&self, workload: &str) -> impl Iterator<Item = (&UsageKey, &UsageSeries)> {
        self.by_workload.get(workload).into_iter().flatten().filter_map(|place| {
            self.inputs[place.input].loaded.set.series.get_key_value(&place.key)
        })
    }

    /// Mean cpu and memory of one pod of a workload: of each pod the sum over
    /// its containers, weighted by how long it was seen and by how many
    /// replicas it stands for. `None` where no sample tells.
    #[must_use]
    pub fn mean(&self, workload: &str) -> (Option<MicroCpu>, Option<Bytes>) {
        self.mean_where(workload, |_| true)
    }

    /// As [`JoinedUsage::mean`], of one pod by its name.
    #[must_use]
    pub fn mean_of_pod(&self, workload: &str, pod: &str) -> (Option<MicroCpu>, Option<Bytes>) {
        self.mean_where(workload, |key| key.pod == pod)
    }

    fn mean_where(
        &self,
        workload: &str,
        wanted: impl Fn(&UsageKey) -> bool,
    ) -> (Option<MicroCpu>, Option<Bytes>) {
        let mut pods: BTreeMap<(&str, &str, &str), [PodMean; 2]> = BTreeMap::new();
        for (key, series) in self.series(workload).filter(|(key, _)| wanted(key)) {
            let (cpu, memory) = series.mean();
            let span = |known: fn(&super::UsageSample) -> bool| {
                series.samples.iter().filter(|s| known(s)).map(|s| s.span_ms).sum::<i64>()
            };
            let spans = [span(|s| s.cpu_mean.is_some()), span(|s| s.memory_mean.is_some())];
            let means = [cpu.map(|c| c.0), memory.map(|m| m.0)];
            let pod = pods.entry((&key.namespace, &key.workload, &key.pod)).or_default();
            for ((pod, mean), span) in pod.iter_mut().zip(means).zip(spans) {
                if let Some(mean) = mean {
                    pod.sum += i128::from(mean);
                    pod.weight = pod.weight.max(i128::from(span) * i128::from(series.replicas));
                }
            }
        }
        let mean = |i: usize| {
            let (sum, weight) = pods.values().fold((0i128, 0i128), |(sum, weight), pod| {
                (sum + pod[i].sum * pod[i].weight, weight + pod[i].weight)
            });
            (weight > 0).then(|| ((2 * sum + weight) / (2 * weight)) as i64)
        };
        (mean(0).map(MicroCpu), mean(1).map(Bytes))
    }
}

/// Workloads by what they are called, whatever the namespace.
struct Anywhere<'a> {
    owners: BTreeMap<&'a str, BTreeSet<usize>>,
    pods: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl<'a> Anywhere<'a> {
    fn new(targets: &'a [Target]) -> Self {
        let mut it = Anywhere { owners: BTreeMap::new(), pods: BTreeMap::new() };
        for (i, target) in targets.iter().enumerate() {
            it.owners.entry(&target.name).or_default().insert(i);
            for namespace in &target.namespaces {
                let short = target.name.strip_prefix(namespace.as_str());
                if let Some(short) = short.and_then(|s| s.strip_prefix(['.', '-'])) {
                    it.owners.entry(short).or_default().insert(i);
                }
            }
            for (_, pod) in &target.pods {
                it.pods.entry(pod).or_default().insert(i);
            }
        }
        it
    }

    /// Whose a series may be: of its pod, else of its owner.
    fn of(&self, key: &UsageKey, owner: &str) -> Vec<usize> {
        let pods = self.pods.get(key.pod.as_str()).filter(|_| !key.pod.is_empty());
        pods.or_else(|| self.owners.get(owner)).into_iter().flatten().copied().collect()
    }
}

/// Sum of the means of a pod's containers, and its weight.
#[derive(Debug, Clone, Copy, Default)]
struct PodMean {
    sum: i128,
    weight: i128,
}

/// The owner that a series names, or that its pod's name tells.
#[must_use]
pub fn owner<'a>(key: &'a UsageKey, series: &UsageSeries) -> &'a str {
    if key.workload.is_empty() {
        owner_of(&key.pod, series.node.as_deref().unwrap_or_default()).0
    } else {
        &key.workload
    }
}

/// A series as messages name it.
fn shown(key: &UsageKey) -> String {
    let name = if key.pod.is_empty() { &key.workload } else { &key.pod };
    if key.namespace.is_empty() {
        return name.clone();
    }
    format!("{}/{name}", key.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::usage::{UsageSample, UsageSet};

    fn key(namespace: &str, workload: &str, pod: &str, container: &str) -> UsageKey {
        UsageKey {
            namespace: namespace.into(),
            workload: workload.into(),
            pod: pod.into(),
            container: container.into(),
        }
    }

    fn used(cpu: i64, span_ms: i64, replicas: u32) -> UsageSeries {
        let sample = UsageSample {
            span_ms,
            cpu_mean: Some(MicroCpu(cpu)),
            memory_mean: None,
            ..UsageSample::default()
        };
        UsageSeries { replicas, samples: vec![sample], ..UsageSeries::default() }
    }

    fn input(
        name: &str,
        series: Vec<(UsageKey, UsageSeries)>,
        selectors: Vec<(&str, Selector)>,
    ) -> UsageInput {
        let set = UsageSet { series: series.into_iter().collect() };
        UsageInput {
            name: name.into(),
            loaded: Arc::new(LoadedUsage { set, ..LoadedUsage::default() }),
            selectors: selectors.into_iter().map(|(n, s)| (n.to_owned(), s)).collect(),
        }
    }

    fn target(name: &str, namespaces: &[&str]) -> Target {
        let namespaces = namespaces.iter().map(|n| (*n).to_owned()).collect();
        Target { name: name.into(), namespaces, pods: BTreeSet::new() }
    }

    fn pods(joined: &JoinedUsage, workload: &str) -> Vec<String> {
        joined.series(workload).map(|(key, _)| key.pod.clone()).collect()
    }

    #[test]
    fn series_find_their_workload_by_owner_pod_and_qualified_name() {
        let series = vec![
            (key("shop", "web", "", ""), used(1, 1, 3)),
            (key("shop", "", "web-6cb6dfb9d4-tksts", ""), used(1, 1, 1)),
            (key("blog", "", "web-6cb6dfb9d4-tksts", ""), used(1, 1, 1)),
            (key("data", "", "db-0", ""), used(1, 1, 1)),
            (key("shop", "cart", "cart-0", ""), used(1, 1, 1)),
        ];
        let targets = [target("web", &["shop"]), target("data.db", &["data"])];
        let joined = JoinedUsage::new(vec![input("u", series, vec![])], &targets);
        assert_eq!(pods(&joined, "web"), ["web-6cb6dfb9d4-tksts", ""]);
        assert_eq!(pods(&joined, "data.db"), ["db-0"]);
        assert_eq!(joined.workloads().collect::<Vec<_>>(), ["data.db", "web"]);
        let told = &joined.sources[0];
        assert_eq!((told.series, told.unjoined, told.repeated), (3, 2, 0));
        assert_eq!(told.examples, ["blog/web-6cb6dfb9d4-tksts", "shop/cart-0"]);
    }

    #[test]
    fn a_replayed_pod_keeps_its_series_and_long_names_are_known() {
        let series = vec![
            (key("shop", "web", "web-a", ""), used(1, 1, 1)),
            (key("shop", "web", "web-b", ""), used(1, 1, 1)),
            (key("blog", "web", "web-b", ""), used(1, 1, 1)),
        ];
        let mut passing = target("web-short", &["shop"]);
        passing.pods.insert(("shop".into(), "web-b".into()));
        let targets = [target("web", &["shop"]), passing, target("blog-web", &["blog"])];
        let joined = JoinedUsage::new(vec![input("u", series, vec![])], &targets);
        assert_eq!(pods(&joined, "web"), ["web-a"]);
        assert_eq!(pods(&joined, "web-short"), ["web-b"]);
        assert_eq!(joined.series("blog-web").count(), 1);
    }

    #[test]
    fn a_series_without_a_namespace_belongs_to_the_only_workload_of_its_name() {
        let series = vec![
            (key("", "web", "", ""), used(1, 1, 1)),
            (key("", "", "db-0", ""), used(1, 1, 1)),
            (key("", "", "row-b", ""), used(1, 1, 1)),
            (key("", "cart", "", ""), used(1, 1, 1)),
            (key("", "other", "", ""), used(1, 1, 1)),
        ];
        let mut replay = target("replay", &["x"]);
        replay.pods.insert(("x".into(), "row-b".into()));
        let targets = [
            target("web", &["shop"]),
            target("data.db", &["data"]),
            replay,
            target("cart", &["shop"]),
            target("blog-cart", &["blog"]),
        ];
        let joined = JoinedUsage::new(vec![input("u", series, vec![])], &targets);
        assert_eq!(joined.workloads().collect::<Vec<_>>(), ["data.db", "replay", "web"]);
        let told = &joined.sources[0];
        assert_eq!((told.series, told.unjoined, told.ambiguous), (3, 2, 1));
        let several = vec!["cart".to_owned(), "blog-cart".to_owned()];
        assert_eq!(told.ambiguous_example, Some(("cart".to_owned(), several)));
        // A namespace that is stated is not guessed at.
        let elsewhere = vec![(key("blog", "web", "", ""), used(1, 1, 1))];
        let joined = JoinedUsage::new(vec![input("u", elsewhere, vec![])], &targets);
        assert_eq!(joined.sources[0].unjoined, 1);
    }

    #[test]
    fn a_selector_decides_alone() {
        let series = vec![
            (key("", "", "vm", ""), used(1, 1, 1)),
            (key("shop", "web", "web-a", "app"), used(1, 1, 1)),
            (key("shop", "web", "web-a", "proxy"), used(1, 1, 1)),
        ];
        let only_app = Selector { container: Some("a*".into()), ..Selector::default() };
        let vm = Selector { pod: Some("v?".into()), ..Selector::default() };
        let selectors = vec![("old", vm), ("web", only_app)];
        let targets = [target("web", &["shop"]), target("old", &["default"])];
        let joined = JoinedUsage::new(vec![input("u", series, selectors)], &targets);
        assert_eq!(pods(&joined, "old"), ["vm"]);
        assert_eq!(pods(&joined, "web").len(), 1);
        assert_eq!(joined.sources[0].unjoined, 1);
    }

    #[test]
    fn the_first_source_of_a_series_wins() {
        let one = || vec![(key("shop", "web", "web-0", ""), used(7, 1, 1))];
        let other = vec![(key("shop", "web", "web-0", ""), used(9, 1, 1))];
        let inputs = vec![input("a", one(), vec![]), input("b", other, vec![])];
        let joined = JoinedUsage::new(inputs, &[target("web", &["shop"])]);
        assert_eq!(joined.mean("web").0, Some(MicroCpu(7)));
        assert_eq!((joined.sources[1].series, joined.sources[1].repeated), (0, 1));
    }

    #[test]
    fn the_mean_pod_sums_containers_and_weighs_pods() {
        let series = vec![
            (key("n", "w", "a", "x"), used(100, 10, 1)),
            (key("n", "w", "a", "y"), used(20, 10, 1)),
            (key("n", "w", "b", "x"), used(40, 30, 1)),
            (key("n", "w", "", ""), used(10, 10, 3)),
        ];
        let joined = JoinedUsage::new(vec![input("u", series, vec![])], &[target("w", &["n"])]);
        // (120·10 + 40·30 + 10·30) / 70 = 38.57.
        assert_eq!(joined.mean("w"), (Some(MicroCpu(39)), None));
        assert_eq!(joined.mean_of_pod("w", "a").0, Some(MicroCpu(120)));
        assert_eq!(joined.mean("other"), (None, None));
    }
}
