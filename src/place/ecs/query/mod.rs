//! The cluster query language of Amazon ECS: which container instances a
//! `memberOf` constraint means.
//!
//! Rules: Amazon ECS developer guide, "Cluster query language" (2023-06).
//!
//! ```text
//! expr      := and { ("or" | "||") and }
//! and       := unary { ("and" | "&&") unary }
//! unary     := ("not" | "!") unary | "(" expr ")" | predicate
//! predicate := subject operator [ argument ]
//! ```
//!
//! A text is read into an [`Expr`] ([`parse`]), whose `Display` writes it in
//! one way that reads back as the same [`Expr`]. What the guide leaves open is
//! decided so:
//!
//! - `not` binds closer than `and`, and that closer than `or`.
//! - A pattern must match the whole value.
//! - An instance without the attribute satisfies the negated operators (`!=`,
//!   `!in`, `!~`, `!exists`) and no others.
//! - Versions are compared number by number, missing ones as 0; a date without
//!   a zone is UTC, and one without a time is midnight.
//! - `task:group` asks whether any task on the instance is of such a group, its
//!   negated operators whether none is.

mod eval;
mod lexer;
mod parser;
mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;

pub use eval::{Facts, Needs};
pub use parser::{SyntaxError, parse};
pub use pattern::Pattern;

/// What a predicate looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// `agentConnected`: whether the agent is connected, `true` or `false`.
    AgentConnected,
    /// `agentVersion`.
    AgentVersion,
    /// `attribute:NAME`.
    Attribute(String),
    /// `ec2InstanceId`.
    Ec2InstanceId,
    /// `registeredAt`.
    RegisteredAt,
    /// `runningTasksCount`.
    RunningTasksCount,
    /// `task:group`.
    TaskGroup,
}

/// Words that are a subject by themselves.
const SUBJECTS: [(&str, Subject); 6] = [
    ("agentConnected", Subject::AgentConnected),
    ("agentVersion", Subject::AgentVersion),
    ("ec2InstanceId", Subject::Ec2InstanceId),
    ("registeredAt", Subject::RegisteredAt),
    ("runningTasksCount", Subject::RunningTasksCount),
    ("task:group", Subject::TaskGroup),
];

/// What stands before the name of an attribute.
const ATTRIBUTE: &str = "attribute:";
/// Longest name of an attribute.
const LONGEST_NAME: usize = 128;

/// Whether a text may be the name of an attribute.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./\\:".contains(c))
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Attribute(name) => write!(f, "{ATTRIBUTE}{name}"),
            other => {
                let word = SUBJECTS.iter().find(|(_, s)| s == other).map_or("", |(word, _)| word);
                f.write_str(word)
            }
        }
    }
}

/// How a predicate compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `==`
    Equals,
    /// `!=`
    NotEquals,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `in`
    In,
    /// `!in`
    NotIn,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    /// `exists`
    Exists,
    /// `!exists`
    NotExists,
}

/// Every operator: as it is written, and by its other name.
const OPS: [(Op, &str, &str); 12] = [
    (Op::Equals, "==", "equals"),
    (Op::NotEquals, "!=", "not_equals"),
    (Op::Greater, ">", "greater_than"),
    (Op::GreaterEqual, ">=", "greater_than_equal"),
    (Op::Less, "<", "less_than"),
    (Op::LessEqual, "<=", "less_than_equal"),
    (Op::In, "in", "in"),
    (Op::NotIn, "!in", "not_in"),
    (Op::Matches, "=~", "matches"),
    (Op::NotMatches, "!~", "not_matches"),
    (Op::Exists, "exists", "exists"),
    (Op::NotExists, "!exists", "not_exists"),
];

/// Operators on texts.
const ON_TEXT: [Op; 6] =
    [Op::Equals, Op::NotEquals, Op::In, Op::NotIn, Op::Matches, Op::NotMatches];
/// Operators on versions, dates and numbers.
const ON_ORDER: [Op; 6] =
    [Op::Equals, Op::NotEquals, Op::Greater, Op::GreaterEqual, Op::Less, Op::LessEqual];
/// Operators on attributes.
const ON_ATTRIBUTE: [Op; 8] = [
    Op::Equals,
    Op::NotEquals,
    Op::In,
    Op::NotIn,
    Op::Matches,
    Op::NotMatches,
    Op::Exists,
    Op::NotExists,
];

impl Op {
    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        OPS.iter().find(|(op, ..)| *op == self).map_or("", |(_, symbol, _)| symbol)
    }
}

impl Subject {
    /// The operators it takes.
    #[must_use]
    pub fn operators(&self) -> &'static [Op] {
        match self {
            Subject::AgentConnected | Subject::Ec2InstanceId | Subject::TaskGroup => &ON_TEXT,
            Subject::AgentVersion | Subject::RegisteredAt | Subject::RunningTasksCount => &ON_ORDER,
            Subject::Attribute(_) => &ON_ATTRIBUTE,
        }
    }
}

/// What a subject is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Nothing, for `exists`.
    Nothing,
    /// A text.
    Text(String),
    /// One of several texts.
    List(Vec<String>),
    /// A pattern.
    Pattern(Pattern),
    /// A version, by its numbers.
    Version(Vec<u64>),
    /// A time, milliseconds since 1970 UTC.
    Time(i64),
    /// A number of tasks.
    Count(u64),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// What is looked at.
    pub subject: Subject,
    /// How it is compared.
    pub op: Op,
    /// With what; of the kind that subject and operator take.
    pub argument: Argument,
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// One of at least two holds.
    Or(Vec<Expr>),
    /// All of at least two hold.
    And(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A comparison.
    Is(Predicate),
}

impl Expr {
    /// Its comparisons, in the order written.
    pub fn predicates(&self) -> Vec<&Predicate> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect<'a>(&'a self, into: &mut Vec<&'a Predicate>) {
        match self {
            Expr::Or(parts) | Expr::And(parts) => parts.iter().for_each(|p| p.collect(into)),
            Expr::Not(inner) => inner.collect(into),
            Expr::Is(predicate) => into.push(predicate),
        }
    }

    /// The parts that must all hold: those of an `and`, of which each may be one
    /// again, or the whole.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<&Expr> {
        match self {
            Expr::And(parts) => parts.iter().flat_map(Expr::conjuncts).collect(),
            other => vec![other],
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, and: bool| {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Expr::Or(_) => write!(f, "({part})")?,
                    Expr::And(_) if and => write!(f, "({part})")?,
                    _ => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Expr::Or(parts) => joined(f, parts, "or", false),
            Expr::And(parts) => joined(f, parts, "and", true),
            Expr::Not(inner) => write!(f, "not({inner})"),
            Expr::Is(predicate) => predicate.fmt(f),
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.op.symbol())?;
        match &self.argument {
            Argument::Nothing => Ok(()),
            Argument::Text(text) => write!(f, " {}", lexer::Literal(text)),
            Argument::Pattern(pattern) => write!(f, " {}", lexer::Literal(pattern.as_str())),
            Argument::List(list) => {
                f.write_str(" [")?;
                for (i, text) in list.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, lexer::Literal(text))?;
                }
                f.write_str("]")
            }
            Argument::Version(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
                write!(f, " {}", numbers.join("."))
            }
            Argument::Time(ms) => match jiff::Timestamp::from_millisecond(*ms) {
                Ok(time) => write!(f, " {time}"),
                Err(_) => write!(f, " {ms}"),
            },
            Argument::Count(count) => write!(f, " {count}"),
        }
    }
}
