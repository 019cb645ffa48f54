//! From text to expression, by recursive descent.

use std::ops::Range;

use super::lexer::{Found, Join, Lexer, is_joining};
use super::{ATTRIBUTE, Argument, Expr, OPS, Op, Pattern, Predicate, SUBJECTS, Subject};
use crate::names::nearest;

/// Deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 64;

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Bytes of the text that it is about; empty at its end.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

type Parsed<T> = Result<T, SyntaxError>;

fn fail<T>(span: Range<usize>, message: impl Into<String>, help: Option<String>) -> Parsed<T> {
    Err(SyntaxError { span, message: message.into(), help })
}

/// Reads an expression.
///
/// # Errors
/// The first mistake, and where it is.
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { lexer: Lexer::new(text), depth: 0 };
    if parser.lexer.is_done() {
        let help = "write one, such as `attribute:ecs.instance-type =~ m5.*`".to_owned();
        return fail(0..text.len(), "an empty expression", Some(help));
    }
    let expr = parser.or()?;
    if parser.lexer.is_done() {
        return Ok(expr);
    }
    let at = parser.lexer.next_at();
    if parser.lexer.take(')') {
        return fail(at..at + 1, "`)` without `(`", None);
    }
    let (word, span) = parser.lexer.word();
    let span = parser.lexer.char_or(span);
    let lower = word.to_ascii_lowercase();
    let help = if is_joining(&lower) && lower != word {
        format!("write `{lower}`")
    } else {
        "a literal with blanks or signs is written in single quotes".to_owned()
    };
    fail(span, "expected `and`, `or` or the end of the expression", Some(help))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Parsed<Expr> {
        let parts = self.joined(Join::Or, Self::and)?;
        Ok(one_or(parts, Expr::Or))
    }

    fn and(&mut self) -> Parsed<Expr> {
        let parts = self.joined(Join::And, Self::unary)?;
        Ok(one_or(parts, Expr::And))
    }

    fn joined(&mut self, by: Join, part: fn(&mut Self) -> Parsed<Expr>) -> Parsed<Vec<Expr>> {
        let mut parts = vec![part(self)?];
        loop {
            let before = self.lexer;
            if self.lexer.join() != Some(by) {
                self.lexer = before;
                return Ok(parts);
            }
            parts.push(part(self)?);
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let start = self.lexer.next_at();
        let before = self.lexer;
        match self.lexer.join() {
            Some(Join::Not) => {
                self.deeper(start)?;
                let inner = self.unary()?;
                self.depth -= 1;
                Ok(Expr::Not(Box::new(inner)))
            }
            Some(Join::Open) => {
                self.deeper(start)?;
                let inner = self.or()?;
                self.depth -= 1;
                let at = self.lexer.next_at();
                if !self.lexer.take(')') {
                    if self.lexer.is_done() {
                        return fail(start..start + 1, "`(` without `)`", None);
                    }
                    let (_, span) = self.lexer.word();
                    let span = self.lexer.char_or(at..span.end);
                    return fail(span, "expected `and`, `or` or `)`", None);
                }
                Ok(inner)
            }
            Some(_) => {
                self.lexer = before;
                let span = self.lexer.char_or(start..start);
                fail(span, "expected a comparison, such as `runningTasksCount < 5`", None)
            }
            None => self.predicate().map(Expr::Is),
        }
    }

    fn deeper(&mut self, at: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(at..at + 1, format!("nested more than {MAX_DEPTH} deep"), None);
        }
        Ok(())
    }

    fn predicate(&mut self) -> Parsed<Predicate> {
        let (word, span) = self.lexer.word();
        let subject = subject(word, self.lexer.char_or(span))?;
        let (op, span) = self.operator(&subject)?;
        let argument = self.argument(&subject, op, &span)?;
        Ok(Predicate { subject, op, argument })
    }

    fn operator(&mut self, subject: &Subject) -> Parsed<(Op, Range<usize>)> {
        let allowed = subject.operators();
        let list = || {
            let symbols: Vec<String> =
                allowed.iter().map(|op| format!("`{}`", op.symbol())).collect();
            format!("it takes {}", symbols.join(", "))
        };
        if let Some((op, span)) = self.lexer.operator() {
            if allowed.contains(&op) {
                return Ok((op, span));
            }
            let message = format!("`{subject}` does not take `{}`", op.symbol());
            return fail(span, message, Some(list()));
        }
        let start = self.lexer.next_at();
        if self.lexer.is_at_join() {
            return fail(start..start, format!("`{subject}` needs an operator"), Some(list()));
        }
        let before = self.lexer;
        let span = self.lexer.not_an_operator();
        let found = before.text_of(&span);
        let help = match found {
            "=" => "equality is written `==`".to_owned(),
            _ => match nearest(found, OPS.iter().map(|(_, _, name)| *name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => list(),
            },
        };
        fail(span, format!("expected an operator after `{subject}`"), Some(help))
    }

    fn argument(&mut self, subject: &Subject, op: Op, at: &Range<usize>) -> Parsed<Argument> {
        match op {
            Op::Exists | Op::NotExists => Ok(Argument::Nothing),
            Op::In | Op::NotIn => self.list(subject, op, at).map(Argument::List),
            Op::Matches | Op::NotMatches => {
                let found = self.literal(op, at, true)?;
                match Pattern::new(&found.text) {
                    Ok(pattern) => Ok(Argument::Pattern(pattern)),
                    Err(cause) => {
                        let help = "a pattern is a regular expression that matches the whole \
                                    value, such as `m5.*`";
                        fail(found.span, format!("bad pattern: {cause}"), Some(help.to_owned()))
                    }
                }
            }
            _ => {
                let found = self.literal(op, at, false)?;
                value(subject, found)
            }
        }
    }

    fn literal(&mut self, op: Op, at: &Range<usize>, pattern: bool) -> Parsed<Found> {
        let start = self.lexer.next_at();
        let found = match self.lexer.literal(pattern) {
            Err(span) => return fail(span, "a single quote without its other", None),
            Ok(Some(found)) if found.quoted || !is_joining(&found.text) => found,
            Ok(_) => {
                let end = self.lexer.next_at();
                return match self.lexer.peek() {
                    Some('"') => {
                        let help = "quote literals with single quotes".to_owned();
                        fail(start..start + 1, "expected a literal", Some(help))
                    }
                    Some('[') if end == start => {
                        let help = "use `in` or `!in` for a list".to_owned();
                        let message = format!("`{}` takes one literal, not a list", op.symbol());
                        fail(start..start + 1, message, Some(help))
                    }
                    _ => {
                        let help = "a literal that is such a word is written in single quotes";
                        let message = format!("`{}` needs a literal", op.symbol());
                        fail(at.clone(), message, (end > start).then(|| help.to_owned()))
                    }
                };
            }
        };
        if found.text.is_empty() {
            let message = "an empty literal: values have 1 to 128 characters";
            return fail(found.span, message, None);
        }
        if self.lexer.touches('(') {
            let help = "a literal with parentheses is written in single quotes".to_owned();
            let at = self.lexer.next_at();
            return fail(at..at + 1, "a comparison cannot contain parentheses", Some(help));
        }
        Ok(found)
    }

    fn list(&mut self, subject: &Subject, op: Op, at: &Range<usize>) -> Parsed<Vec<String>> {
        let open = self.lexer.next_at();
        if !self.lexer.take('[') {
            let message = format!("`{}` needs a list", op.symbol());
            let help = format!("write `{subject} {} [one, another]`", op.symbol());
            return fail(at.clone(), message, Some(help));
        }
        let mut list = Vec::new();
        loop {
            let found = self.literal(op, &(open..open + 1), false)?;
            if let Argument::Text(text) = value(subject, found)? {
                list.push(text);
            }
            if self.lexer.take(']') {
                return Ok(list);
            }
            let next = self.lexer.next_at();
            if !self.lexer.take(',') {
                if self.lexer.is_done() {
                    return fail(open..open + 1, "`[` without `]`", None);
                }
                let span = self.lexer.char_or(next..next);
                return fail(span, "expected `,` or `]` in a list", None);
            }
        }
    }
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn subject(word: &str, span: Range<usize>) -> Parsed<Subject> {
    if let Some((_, subject)) = SUBJECTS.iter().find(|(name, _)| *name == word) {
        return Ok(subject.clone());
    }
    if let Some(name) = word.strip_prefix(ATTRIBUTE) {
        if super::is_attribute_name(name) {
            return Ok(Subject::Attribute(name.to_owned()));
        }
        let help = "1 to 128 letters, digits, `-`, `_`, `.`, `/`, `\\` or `:`".to_owned();
        return fail(span, "not the name of an attribute", Some(help));
    }
    if word.is_empty() {
        let message = "expected what to compare, such as `attribute:ecs.instance-type`";
        return fail(span, message, None);
    }
    let known = || SUBJECTS.iter().map(|(name, _)| *name).chain([ATTRIBUTE]);
    let help = if let Some(near) = nearest(word, known()) {
        format!("did you mean `{near}`?")
    } else if crate::place::ecs::is_built_in(word) {
        format!("did you mean `{ATTRIBUTE}{word}`?")
    } else {
        let all: Vec<String> = known().map(|k| format!("`{k}`")).collect();
        format!("known are {}", all.join(", "))
    };
    fail(span, format!("unknown subject `{}`", shown(word)), Some(help))
}

/// A literal as its subject takes it.
fn value(subject: &Subject, found: Found) -> Parsed<Argument> {
    let Found { text, span, .. } = found;
    let bad = |what: &str, help: &str| {
        let message = format!("`{}` is no {what}", shown(&text));
        fail(span, message, Some(help.to_owned()))
    };
    match subject {
        Subject::AgentConnected if !["true", "false"].contains(&text.as_str()) => {
            bad("state of a connection", "write `true` or `false`")
        }
        Subject::Attribute(_)
        | Subject::Ec2InstanceId
        | Subject::TaskGroup
        | Subject::AgentConnected => Ok(Argument::Text(text)),
        Subject::AgentVersion => {
            let numbers: Option<Vec<u64>> =
                text.split('.').map(|n| digits(n).then(|| n.parse().ok()).flatten()).collect();
            match numbers {
                Some(numbers) => Ok(Argument::Version(numbers)),
                None => bad("version", "write numbers and dots, such as `1.14.5`"),
            }
        }
        Subject::RegisteredAt => match time(&text) {
            Some(ms) => Ok(Argument::Time(ms)),
            None => bad(
                "date",
                "write `2018-06-18`, `2018-06-18T22:28:28`, `2018-06-18T22:28:28Z` or \
                 `2018-06-18T22:28:28+00:00`",
            ),
        },
        Subject::RunningTasksCount => match text.parse() {
            Ok(count) if digits(&text) => Ok(Argument::Count(count)),
            _ => bad("number of tasks", "write a whole number"),
        },
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A date or a time of a date, milliseconds since 1970 UTC.
fn time(text: &str) -> Option<i64> {
    let written = |c: char| c.is_ascii_digit() || "-:TZ+.".contains(c);
    if !text.chars().all(written) {
        return None;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    // One with a zone is not read without it.
    if text.contains(['Z', '+']) {
        return None;
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let time = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(time.timestamp().as_millisecond())
}

/// A word of a message, cut where it is long.
fn shown(word: &str) -> String {
    const LONGEST: usize = 40;
    if word.chars().count() <= LONGEST {
        return word.to_owned();
    }
    word.chars().take(LONGEST).chain(['…']).collect()
}
