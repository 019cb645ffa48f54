//! Whether an instance satisfies an expression.

use std::cmp::Ordering;

use super::{Argument, Expr, Op, Predicate, Subject};

/// What an expression may ask of an instance. `None` where it is not known:
/// then so is the answer, unless the rest of the expression decides it.
pub trait Facts {
    /// The value of an attribute; `Some(None)` where it has none such.
    fn attribute(&self, name: &str) -> Option<Option<&str>>;
    /// Whether its agent is connected.
    fn agent_connected(&self) -> Option<bool>;
    /// Version of its agent.
    fn agent_version(&self) -> Option<&[u64]>;
    /// Its id.
    fn ec2_instance_id(&self) -> Option<&str>;
    /// When it registered, milliseconds since 1970 UTC.
    fn registered_at(&self) -> Option<i64>;
    /// Tasks on it.
    fn running_tasks(&self) -> Option<u64>;
    /// Whether a task on it is of a group that is wanted.
    fn runs(&self, wanted: &dyn Fn(&str) -> bool) -> Option<bool>;
}

/// What an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Of facts of one instance that do not change: its id, its registration.
    pub instance: bool,
    /// Of the tasks that are on it.
    pub tasks: bool,
}

impl Predicate {
    /// Whether it holds; `None` where that is not known.
    #[must_use]
    pub fn holds(&self, facts: &dyn Facts) -> Option<bool> {
        let Predicate { subject, op, argument } = self;
        match subject {
            Subject::Attribute(name) => {
                facts.attribute(name).map(|value| text(*op, argument, value))
            }
            Subject::AgentConnected => {
                let shown = if facts.agent_connected()? { "true" } else { "false" };
                Some(text(*op, argument, Some(shown)))
            }
            Subject::Ec2InstanceId => Some(text(*op, argument, Some(facts.ec2_instance_id()?))),
            Subject::TaskGroup => {
                let (positive, negated) = match op {
                    Op::NotEquals => (Op::Equals, true),
                    Op::NotIn => (Op::In, true),
                    Op::NotMatches => (Op::Matches, true),
                    other => (*other, false),
                };
                let any = facts.runs(&|group| text(positive, argument, Some(group)))?;
                Some(any != negated)
            }
            Subject::AgentVersion => {
                let Argument::Version(wanted) = argument else { return Some(false) };
                Some(ordered(*op, version_order(facts.agent_version()?, wanted)))
            }
            Subject::RegisteredAt => {
                let Argument::Time(wanted) = argument else { return Some(false) };
                Some(ordered(*op, facts.registered_at()?.cmp(wanted)))
            }
            Subject::RunningTasksCount => {
                let Argument::Count(wanted) = argument else { return Some(false) };
                Some(ordered(*op, facts.running_tasks()?.cmp(wanted)))
            }
        }
    }

    /// What its answer depends on.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self.subject {
            Subject::RunningTasksCount | Subject::TaskGroup => {
                Needs { tasks: true, ..Needs::default() }
            }
            Subject::RegisteredAt | Subject::Ec2InstanceId => {
                Needs { instance: true, ..Needs::default() }
            }
            Subject::AgentConnected | Subject::AgentVersion | Subject::Attribute(_) => {
                Needs::default()
            }
        }
    }
}

/// A comparison of texts; without a value only the negated ones hold.
fn text(op: Op, argument: &Argument, value: Option<&str>) -> bool {
    let among = || match (argument, value) {
        (Argument::Text(wanted), Some(value)) => wanted == value,
        (Argument::List(wanted), Some(value)) => wanted.iter().any(|w| w == value),
        (Argument::Pattern(wanted), Some(value)) => wanted.matches(value),
        _ => false,
    };
    match op {
        Op::Exists => value.is_some(),
        Op::NotExists => value.is_none(),
        Op::NotEquals | Op::NotIn | Op::NotMatches => !among(),
        _ => among(),
    }
}

fn ordered(op: Op, order: Ordering) -> bool {
    match op {
        Op::Equals => order.is_eq(),
        Op::NotEquals => order.is_ne(),
        Op::Greater => order.is_gt(),
        Op::GreaterEqual => order.is_ge(),
        Op::Less => order.is_lt(),
        Op::LessEqual => order.is_le(),
        _ => false,
    }
}

fn version_order(own: &[u64], wanted: &[u64]) -> Ordering {
    let at = |numbers: &[u64], i: usize| numbers.get(i).copied().unwrap_or(0);
    (0..own.len().max(wanted.len()))
        .map(|i| at(own, i).cmp(&at(wanted, i)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Expr {
    /// Whether it holds; `None` where that is not known.
    #[must_use]
    pub fn holds(&self, facts: &dyn Facts) -> Option<bool> {
        // The answer that decides, and the one that is left otherwise.
        let all = |parts: &[Expr], decides: bool| {
            let mut answer = Some(!decides);
            for part in parts {
                match part.holds(facts) {
                    Some(held) if held == decides => return Some(decides),
                    Some(_) => {}
                    None => answer = None,
                }
            }
            answer
        };
        match self {
            Expr::Or(parts) => all(parts, true),
            Expr::And(parts) => all(parts, false),
            Expr::Not(inner) => inner.holds(facts).map(|held| !held),
            Expr::Is(predicate) => predicate.holds(facts),
        }
    }

    /// The smallest parts that do not hold and because of which the whole does
    /// not; none where it holds.
    #[must_use]
    pub fn failing(&self, facts: &dyn Facts) -> Vec<&Expr> {
        if self.holds(facts) == Some(true) {
            return Vec::new();
        }
        match self {
            Expr::Or(parts) | Expr::And(parts) => {
                // What is known not to hold decides before what is not known.
                let is_false = |part: &&Expr| part.holds(facts) == Some(false);
                if parts.iter().any(|part| is_false(&part)) {
                    return parts.iter().filter(is_false).flat_map(|p| p.failing(facts)).collect();
                }
                parts.iter().flat_map(|part| part.failing(facts)).collect()
            }
            Expr::Not(_) | Expr::Is(_) => vec![self],
        }
    }

    /// What its answer depends on.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.predicates().into_iter().map(Predicate::needs).fold(Needs::default(), |a, b| Needs {
            instance: a.instance || b.instance,
            tasks: a.tasks || b.tasks,
        })
    }
}
