//! From API objects to nodes, classes and constraints, everything resolved:
//! namespace selectors to lists, `matchLabelKeys` into selectors, Services and
//! owners into what default spreading counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::objects::{Expression, Node, NodeTerm, Owning, Pod, PodTerm, Selector, Service, Spread};
use super::requests::{amount, is_counted, requests};
use super::scenario::Input;
use crate::cluster::{
    Capacity, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, Slot, ZoneId,
};
use crate::units::{Bytes, MilliCpu};
use crate::workload::constraints::{
    Constraints, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator, PodAffinityTerm,
    Requirement, SpreadConstraint, Weighted,
};
use crate::workload::{ClassId, ExtendedId, PodClass, Taint, TaintEffect, Toleration};

/// What an object is wrong in, in words.
type Fallible<T> = Result<T, String>;

/// A namespace and a name, as decisions write them.
pub(super) fn full_name(pod: &Pod) -> String {
    format!("{}/{}", namespace(pod), pod.metadata.name)
}

/// The namespace of a pod.
pub(super) fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("default")
}

/// Objects that pods are resolved against, and the classes found so far.
pub(super) struct Converter<'a> {
    input: &'a Input,
    /// Resources besides cpu, memory and pods, by id.
    pub(super) extended: Vec<String>,
    pub(super) classes: Vec<PodClass>,
    ids: FxHashMap<PodClass, ClassId>,
}

impl<'a> Converter<'a> {
    pub(super) fn new(input: &'a Input) -> Self {
        let of_nodes = input.nodes.iter().flat_map(|node| node.status.allocatable.keys());
        let of_pods = input
            .pods
            .iter()
            .chain(&input.existing_pods)
            .flat_map(|pod| pod.spec.containers.iter().chain(&pod.spec.init_containers))
            .flat_map(|container| container.resources.requests.keys());
        let mut extended: Vec<String> =
            of_nodes.chain(of_pods).filter(|name| is_counted(name)).cloned().collect();
        extended.sort();
        extended.dedup();
        Converter { input, extended, classes: Vec::new(), ids: FxHashMap::default() }
    }

    /// The nodes in their order, with the slot of each name.
    pub(super) fn nodes(&self) -> Fallible<(Nodes, FxHashMap<String, Slot>)> {
        let mut nodes = Nodes::new(self.extended.len());
        nodes.volume_limit = self
            .extended
            .iter()
            .position(|name| name == "attachable-volumes-aws-ebs")
            .map(|id| ExtendedId(id as u32));
        let mut slots = FxHashMap::default();
        for node in &self.input.nodes {
            let name = &node.metadata.name;
            let slot =
                self.add_node(&mut nodes, node).map_err(|e| format!("node `{name}`: {e}"))?;
            if slots.insert(name.clone(), slot).is_some() {
                return Err(format!("two nodes are named `{name}`"));
            }
        }
        Ok((nodes, slots))
    }

    fn add_node(&self, nodes: &mut Nodes, node: &Node) -> Fallible<Slot> {
        let labels = node.metadata.labels.clone().into_iter().collect();
        let taints = node.spec.taints.iter().map(|taint| {
            Ok(Taint {
                key: taint.key.clone(),
                value: taint.value.clone(),
                effect: effect(&taint.effect)?,
            })
        });
        let traits = NodeTraits {
            labels,
            taints: taints.collect::<Fallible<_>>()?,
            unschedulable: node.spec.unschedulable,
        };
        let of = |name: &str| amount(&node.status.allocatable, name).map(|n| n.unwrap_or(0));
        let pods = of("pods")?;
        let init = NodeInit {
            pool: PoolId(0),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            traits: nodes.intern(traits),
            allocatable: Capacity {
                cpu: MilliCpu(of("cpu")?),
                memory: Bytes(of("memory")?),
                pods: i32::try_from(pods).map_err(|_| format!("{pods} pods"))? as u32,
                extended: self.extended.iter().map(|name| of(name)).collect::<Fallible<_>>()?,
            },
            record: u32::MAX,
        };
        nodes.only_stated_hostnames = true;
        let slot = nodes.add(&init, true);
        nodes.set_name(slot, &node.metadata.name);
        Ok(slot)
    }

    /// The class of a pod; `bound` pods are where their `nodeName` says.
    pub(super) fn class(&mut self, pod: &Pod, bound: bool) -> Fallible<ClassId> {
        let class =
            self.convert(pod, bound).map_err(|e| format!("pod `{}`: {e}", full_name(pod)))?;
        let next = ClassId(self.classes.len() as u32);
        let id = *self.ids.entry(class).or_insert_with_key(|class| {
            self.classes.push(class.clone());
            next
        });
        Ok(id)
    }

    fn convert(&self, pod: &Pod, bound: bool) -> Fallible<PodClass> {
        let spec = &pod.spec;
        let (requests, on_node) = requests(spec, &self.extended)?;
        Ok(PodClass {
            requests,
            on_node,
            node_selector: spec.node_selector.clone().into_iter().collect(),
            tolerations: spec.tolerations.iter().filter_map(toleration).collect(),
            priority: spec.priority,
            never_preempts: spec.preemption_policy == "Never",
            profile: 0,
            constraints: Some(Arc::new(self.constraints(pod, bound)?)),
        })
    }

    fn constraints(&self, pod: &Pod, bound: bool) -> Fallible<Constraints> {
        let spec = &pod.spec;
        let nodes = &spec.affinity.node_affinity;
        let required_nodes = nodes
            .required
            .as_ref()
            .map(|selector| selector.node_selector_terms.iter().map(node_term).collect())
            .transpose()?;
        let preferred_nodes = nodes.preferred.iter().map(|preferred| {
            Ok(Weighted {
                weight: preferred.weight.into(),
                term: node_term(&preferred.preference)?,
            })
        });
        let (near, apart) = (&spec.affinity.pod_affinity, &spec.affinity.pod_anti_affinity);
        let required = |terms: &[PodTerm]| -> Fallible<Vec<PodAffinityTerm>> {
            terms.iter().map(|term| self.pod_term(pod, term)).collect()
        };
        let preferred = |terms: &[super::objects::PreferredPods]| -> Fallible<Vec<_>> {
            terms
                .iter()
                .map(|t| {
                    let term = self.pod_term(pod, &t.pod_affinity_term)?;
                    Ok(Weighted { weight: t.weight.into(), term })
                })
                .collect()
        };
        let ports = spec.containers.iter().flat_map(|c| &c.ports).filter(|p| p.host_port > 0);
        let host_ports = ports.map(|port| {
            let or = |text: &str, default: &str| {
                if text.is_empty() { default.to_owned() } else { text.to_owned() }
            };
            Ok(HostPort {
                protocol: or(&port.protocol, "TCP"),
                ip: or(&port.host_ip, "0.0.0.0"),
                port: u16::try_from(port.host_port)
                    .map_err(|_| format!("hostPort {} is no port", port.host_port))?,
            })
        });
        let images = spec.init_containers.iter().chain(&spec.containers).map(|c| c.image.clone());
        Ok(Constraints {
            namespace: namespace(pod).to_owned(),
            labels: pod.metadata.labels.clone().into_iter().collect(),
            node_name: (!bound && !spec.node_name.is_empty()).then(|| spec.node_name.clone()),
            required_nodes,
            preferred_nodes: preferred_nodes.collect::<Fallible<_>>()?,
            affinity: required(&near.required)?,
            anti_affinity: required(&apart.required)?,
            preferred_affinity: preferred(&near.preferred)?,
            preferred_anti_affinity: preferred(&apart.preferred)?,
            spread: spec
                .topology_spread_constraints
                .iter()
                .map(|constraint| spread(pod, constraint))
                .collect::<Fallible<_>>()?,
            default_spread: self.default_spread(pod)?,
            host_ports: host_ports.collect::<Fallible<_>>()?,
            images: images.collect(),
            init_images: spec.init_containers.len() as u32,
            volume_zones: None,
            attached_volumes: 0,
            exclusive_claims: Vec::new(),
            terminating: pod.metadata.deletion_timestamp.is_some(),
        })
    }

    /// A pod affinity term: the pod's own namespace where none is stated, in
    /// addition those that the namespace selector finds.
    fn pod_term(&self, pod: &Pod, term: &PodTerm) -> Fallible<PodAffinityTerm> {
        let namespaces = match &term.namespace_selector {
            None if term.namespaces.is_empty() => {
                Namespaces::Listed(vec![namespace(pod).to_owned()])
            }
            None => listed(term.namespaces.clone()),
            Some(found) => {
                let selector = label_selector(found)?;
                if selector.requirements.is_empty() {
                    Namespaces::All
                } else {
                    let found = self.input.namespaces.iter().filter(|namespace| {
                        let labels: Vec<(String, String)> =
                            namespace.metadata.labels.clone().into_iter().collect();
                        selector.matches(&labels)
                    });
                    let found = found.map(|namespace| namespace.metadata.name.clone());
                    listed(term.namespaces.iter().cloned().chain(found).collect())
                }
            }
        };
        let selector = term.label_selector.as_ref().map(label_selector).transpose()?;
        Ok(PodAffinityTerm { topology_key: term.topology_key.clone(), selector, namespaces })
    }

    /// What default constraints count (`plugins/helper/spread.go`, 1.31): all
    /// selectors of the Services that select the pod, and that of its owner.
    fn default_spread(&self, pod: &Pod) -> Fallible<Option<LabelSelector>> {
        let namespace = namespace(pod);
        let here = |other: &Option<String>| other.as_deref().unwrap_or("default") == namespace;
        let labels = &pod.metadata.labels;
        let selects = |selector: &BTreeMap<String, String>| {
            !selector.is_empty() && selector.iter().all(|(k, v)| labels.get(k) == Some(v))
        };
        let services =
            self.input.services.iter().filter(|service| {
                here(&service.metadata.namespace) && selects(&service.spec.selector)
            });
        let mut requirements: Vec<Requirement> = services
            .flat_map(|service| &service.spec.selector)
            .map(|(k, v)| Requirement::equals(k, v))
            .collect();
        if let Some(owner) = pod.metadata.owner_references.iter().find(|owner| owner.controller) {
            let named = |objects: &'a [Owning]| {
                objects
                    .iter()
                    .find(|o| here(&o.metadata.namespace) && o.metadata.name == owner.name)
                    .and_then(|o| o.spec.selector.as_ref())
            };
            let selector = match (owner.api_version.as_str(), owner.kind.as_str()) {
                ("apps/v1", "ReplicaSet") => named(&self.input.replica_sets),
                ("apps/v1", "StatefulSet") => named(&self.input.stateful_sets),
                _ => None,
            };
            if let Some(selector) = selector {
                requirements.extend(label_selector(selector)?.requirements);
            }
            if (owner.api_version.as_str(), owner.kind.as_str()) == ("v1", "ReplicationController")
            {
                let found = self.input.replication_controllers.iter().find(|o: &&Service| {
                    here(&o.metadata.namespace) && o.metadata.name == owner.name
                });
                let selector = found.into_iter().flat_map(|o| &o.spec.selector);
                requirements.extend(selector.map(|(k, v)| Requirement::equals(k, v)));
            }
        }
        requirements.sort();
        requirements.dedup();
        Ok((!requirements.is_empty()).then_some(LabelSelector { requirements }))
    }
}

/// Namespaces by name, sorted.
fn listed(mut names: Vec<String>) -> Namespaces {
    names.sort();
    names.dedup();
    Namespaces::Listed(names)
}

fn effect(text: &str) -> Fallible<TaintEffect> {
    match text {
        "NoSchedule" => Ok(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Ok(TaintEffect::PreferNoSchedule),
        "NoExecute" => Ok(TaintEffect::NoExecute),
        other => Err(format!(
            "unknown taint effect `{other}`; expected NoSchedule, PreferNoSchedule or NoExecute"
        )),
    }
}

/// A toleration; `None` for one that tolerates nothing, as upstream takes an
/// unknown operator or effect.
fn toleration(toleration: &super::objects::Toleration) -> Option<Toleration> {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    Some(Toleration {
        key: given(&toleration.key),
        value: match toleration.operator.as_str() {
            "" | "Equal" => Some(toleration.value.clone()),
            "Exists" => None,
            _ => return None,
        },
        effect: match toleration.effect.as_str() {
            "" => None,
            stated => Some(effect(stated).ok()?),
        },
    })
}

fn requirement(expression: &Expression, of_nodes: bool) -> Fallible<Requirement> {
    let operator = match expression.operator.as_str() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" if of_nodes => Operator::Gt,
        "Lt" if of_nodes => Operator::Lt,
        other => {
            let more = if of_nodes { ", Gt or Lt" } else { "" };
            return Err(format!(
                "unknown operator `{other}` for `{}`; expected In, NotIn, Exists, DoesNotExist{more}",
                expression.key
            ));
        }
    };
    Ok(Requirement { key: expression.key.clone(), operator, values: expression.values.clone() })
}

fn node_term(term: &NodeTerm) -> Fallible<NodeSelectorTerm> {
    let all = |expressions: &[Expression]| -> Fallible<Vec<Requirement>> {
        expressions.iter().map(|e| requirement(e, true)).collect()
    };
    Ok(NodeSelectorTerm {
        match_expressions: all(&term.match_expressions)?,
        match_fields: all(&term.match_fields)?,
    })
}

/// A label selector.
pub(super) fn label_selector(selector: &Selector) -> Fallible<LabelSelector> {
    let mut requirements: Vec<Requirement> =
        selector.match_labels.iter().map(|(k, v)| Requirement::equals(k, v)).collect();
    for expression in &selector.match_expressions {
        requirements.push(requirement(expression, false)?);
    }
    requirements.sort();
    Ok(LabelSelector { requirements })
}

/// A spread constraint, with the pod's values of `matchLabelKeys` in the
/// selector (`podtopologyspread/common.go`, 1.31).
fn spread(pod: &Pod, constraint: &Spread) -> Fallible<SpreadConstraint> {
    let mut selector = constraint.label_selector.as_ref().map(label_selector).transpose()?;
    for key in &constraint.match_label_keys {
        if let Some(value) = pod.metadata.labels.get(key) {
            let selector = selector.get_or_insert_with(LabelSelector::default);
            selector.requirements.push(Requirement::equals(key, value));
        }
    }
    if let Some(selector) = &mut selector {
        selector.requirements.sort();
    }
    let hard = match constraint.when_unsatisfiable.as_str() {
        "DoNotSchedule" => true,
        "ScheduleAnyway" => false,
        other => {
            return Err(format!(
                "unknown whenUnsatisfiable `{other}`; expected DoNotSchedule or ScheduleAnyway"
            ));
        }
    };
    Ok(SpreadConstraint {
        max_skew: constraint.max_skew.into(),
        topology_key: constraint.topology_key.clone(),
        hard,
        selector,
        min_domains: constraint.min_domains.unwrap_or(1).into(),
        honor_affinity: constraint.node_affinity_policy != "Ignore",
        honor_taints: constraint.node_taints_policy == "Honor",
    })
}
