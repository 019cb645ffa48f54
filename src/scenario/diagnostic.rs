//! What is wrong with a scenario, where, and what to write instead.
//!
//! Every reader of a scenario pushes into one [`Diagnostics`] and goes on, so
//! that a person sees all mistakes at once. `plan` uses the same type for
//! names that do not resolve and values that make no sense together. Text
//! from files is untrusted: the renderer replaces control characters, and
//! quoted values are cut.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level as Title, Origin, Renderer, Snippet};

use crate::error::{Error, Result};
use crate::names::nearest;

/// A range of bytes in one source of a scenario. Small and `Copy`, so that
/// every leaf of the model can carry one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Which source: an index into [`Sources`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From the start of this span to the end of `other`, in one file.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { end: other.end.max(self.end), ..self }
    }
}

/// The texts that spans point into: the scenario file and `--set` values.
/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Arc<SourceText>>);

#[derive(Debug)]
struct SourceText {
    name: String,
    text: String,
}

/// A place as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was given, or `--set`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Sources {
    /// Adds a text and returns its index.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.0.push(Arc::new(SourceText { name: name.into(), text: text.into() }));
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    /// The text under a span; empty where the span points nowhere.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.0
            .get(span.file as usize)
            .and_then(|s| s.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// File, line and column of a span's start.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        self.line_of(span)
            .map_or_else(|| Place { file: String::new(), line: 1, column: 1 }, |line| line.place)
    }

    /// The line a span starts in, and where in it.
    fn line_of(&self, span: Span) -> Option<Line<'_>> {
        let source = self.0.get(span.file as usize)?;
        let text = source.text.as_str();
        let start = floor_boundary(text, span.start as usize);
        let end = floor_boundary(text, span.end as usize).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let line_text = text[line_start..line_end].trim_end_matches('\r');
        let from = (start - line_start).min(line_text.len());
        Some(Line {
            place: Place {
                file: source.name.clone(),
                line: text[..line_start].bytes().filter(|b| *b == b'\n').count() + 1,
                column: text[line_start..start].chars().count() + 1,
            },
            text: line_text,
            from,
            to: (end - line_start).min(line_text.len()).max(from),
        })
    }
}

/// One line of a source with the marked range in it.
struct Line<'a> {
    place: Place,
    text: &'a str,
    from: usize,
    to: usize,
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The scenario cannot be used.
    Error,
    /// It can, but the reader should know; carries a stable code such as
    /// `unused-pool` for `--deny-warnings` and searches.
    Warning(&'static str),
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    level: Level,
    message: String,
    span: Option<Span>,
    label: Option<String>,
    help: Option<String>,
    /// The case in which it was found.
    case: Option<String>,
}

impl Diagnostic {
    /// Whether it says the same, in whatever case.
    fn is_same(&self, other: &Diagnostic) -> bool {
        self.span == other.span && self.message == other.message && self.level == other.level
    }

    /// A short remark beside the caret, as in "did you mean `m7i.xlarge`?".
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = Some(text.into());
        self
    }

    /// A line of advice below the excerpt.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    /// Suggests the candidate nearest to `name` beside the caret, if one is
    /// near, else lists the candidates below when there are few.
    pub fn suggest<'a>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> &mut Self {
        let all: Vec<&str> = candidates.into_iter().collect();
        match nearest(name, all.iter().copied()) {
            Some(near) => self.label(format!("did you mean `{near}`?")),
            None if (1..=MAX_LISTED).contains(&all.len()) => {
                self.help(format!("expected {}", alternatives(&all)))
            }
            None => self,
        }
    }

    /// Error or warning.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The one-sentence message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it is, if it is anywhere.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

/// More candidates than this are not listed in a message.
const MAX_LISTED: usize = 24;
/// More findings than this are counted instead of shown.
const MAX_SHOWN: usize = 50;
/// Longer lines are cut around the marked range.
const MAX_LINE: usize = 240;

/// All findings of a run so far, with the texts they point into.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    sources: Sources,
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// No findings yet, about these texts.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Diagnostics { sources, items: Vec::new() }
    }

    /// The texts that spans point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// An error at a place.
    pub fn error(&mut self, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Level::Error, Some(span), message.into())
    }

    /// An error about the scenario as a whole.
    pub fn error_anywhere(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Level::Error, None, message.into())
    }

    /// A warning at a place, with a stable code.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Level::Warning(code), Some(span), message.into())
    }

    fn push(&mut self, level: Level, span: Option<Span>, message: String) -> &mut Diagnostic {
        self.items.push(Diagnostic { level, message, span, label: None, help: None, case: None });
        self.items.last_mut().expect("one was pushed")
    }

    /// Takes over the findings of another collection about the same texts.
    pub fn append(&mut self, other: Diagnostics) {
        self.items.extend(other.items);
    }

    /// How many findings there are so far, equal ones among them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// What was found after the first so many was found in this case.
    pub fn of_case(&mut self, from: usize, case: &str) {
        for item in self.items.iter_mut().skip(from) {
            item.case.get_or_insert_with(|| case.to_owned());
        }
    }

    /// The cases in which a finding was made, in the order of linking; none
    /// where it is about no single case.
    #[must_use]
    pub fn cases(&self, of: &Diagnostic) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for item in self.items.iter().filter(|d| d.is_same(of)) {
            match item.case.as_deref() {
                None => return Vec::new(),
                Some(case) if !cases.contains(&case) => cases.push(case),
                Some(_) => {}
            }
        }
        cases
    }

    /// Whether anything is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.level == Level::Error)
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The findings in the order of their places, each once: cases share
    /// most of their text, so the same mistake is found once per case.
    #[must_use]
    pub fn items(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.items.iter().collect();
        all.sort_by(|a, b| (a.span, a.level, &a.message).cmp(&(b.span, b.level, &b.message)));
        all.dedup_by(|a, b| a.is_same(b));
        all
    }

    /// The warnings, rendered, or an error with everything rendered.
    ///
    /// # Errors
    /// When any finding is an error.
    pub fn into_result(self) -> Result<String> {
        let text = self.render(false);
        if self.has_errors() { Err(Error::input(strip_title(&text))) } else { Ok(text) }
    }

    /// All findings as excerpts with carets, a blank line between two.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let items = self.items();
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out: Vec<String> =
            items.iter().take(MAX_SHOWN).map(|d| self.render_one(d, &renderer)).collect();
        if items.len() > MAX_SHOWN {
            out.push(format!("… and {} more", items.len() - MAX_SHOWN));
        }
        out.join("\n\n")
    }

    fn render_one(&self, item: &Diagnostic, renderer: &Renderer) -> String {
        let title = match item.level {
            Level::Error => Title::ERROR.primary_title(item.message.as_str()),
            Level::Warning(code) => Title::WARNING.primary_title(item.message.as_str()).id(code),
        };
        let mut group = annotate_snippets::Group::with_title(title);
        if let Some(line) = item.span.and_then(|span| self.sources.line_of(span)) {
            let (text, from, to) = cut(&line);
            let marked = AnnotationKind::Primary.span(from..to).label(item.label.as_deref());
            let snippet = Snippet::source(text).line_start(line.place.line).annotation(marked);
            group = if text.len() == line.text.len() {
                group.element(snippet.path(line.place.file))
            } else {
                // The cut line cannot tell its own column.
                group
                    .element(
                        Origin::path(line.place.file)
                            .line(line.place.line)
                            .char_column(line.place.column),
                    )
                    .element(snippet)
            };
        }
        if let Some(help) = &item.help {
            group = group.element(Title::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// The command line prints `error: ` before an error's text; the first
/// finding must not say it twice.
fn strip_title(text: &str) -> &str {
    text.strip_prefix("error: ").unwrap_or(text)
}

/// A window of the line around the marked range when the line is long.
fn cut<'a>(line: &Line<'a>) -> (&'a str, usize, usize) {
    if line.text.len() <= MAX_LINE {
        return (line.text, line.from, line.to);
    }
    let start = floor_boundary(line.text, line.from.saturating_sub(MAX_LINE / 4));
    let end = floor_boundary(line.text, start + MAX_LINE);
    (&line.text[start..end], line.from - start, line.to.min(end) - start)
}

/// `a`, `b` or `c`.
#[must_use]
pub fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// A user's text for a message: in backquotes, on one line, cut when long.
#[must_use]
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Diagnostics, Span) {
        let mut sources = Sources::default();
        let text = "pools:\n  web:\n    type: m7i.xlrage\n";
        let file = sources.add("s.yaml", text);
        let start = u32::try_from(text.find("m7i").expect("there")).expect("small");
        (Diagnostics::new(sources), Span { file, start, end: start + 10 })
    }

    #[test]
    fn an_error_shows_place_caret_and_suggestion() {
        let (mut diags, span) = sample();
        diags
            .error(span, "unknown instance type `m7i.xlrage`")
            .suggest("m7i.xlrage", ["m7i.large", "m7i.xlarge", "t3.micro"]);
        assert_eq!(
            diags.render(false),
            "error: unknown instance type `m7i.xlrage`\n \
             --> s.yaml:3:11\n  |\n\
             3 |     type: m7i.xlrage\n  |           ^^^^^^^^^^ did you mean `m7i.xlarge`?"
        );
        let err = diags.into_result().expect_err("an error");
        assert!(err.is_input());
        assert!(err.to_string().starts_with("unknown instance type"));
    }

    #[test]
    fn equal_findings_show_once_and_in_order() {
        let (mut diags, span) = sample();
        diags.error(span, "second");
        diags.error(Span { start: 0, end: 5, ..span }, "first").help("look here");
        diags.error(span, "second");
        diags.warning("odd", span, "third");
        let items: Vec<&str> = diags.items().iter().map(|d| d.message()).collect();
        assert_eq!(items, ["first", "second", "third"]);
        assert!(diags.render(false).contains("warning[odd]: third"));
        assert!(diags.render(false).contains("help: look here"));
        assert!(diags.render(true).contains('\u{1b}'));
    }

    #[test]
    fn hostile_text_is_tamed() {
        let mut sources = Sources::default();
        let long = format!("{}\u{1b}[31m é {}", "x".repeat(5000), "y".repeat(5000));
        let file = sources.add("s.yaml", long);
        let mut diags = Diagnostics::new(sources);
        diags.error(Span { file, start: 5000, end: 9000 }, "here \u{1b}[2J");
        diags.error(Span { file: 7, start: 1, end: 0 }, "nowhere");
        diags.error(Span { file, start: u32::MAX, end: 0 }, "past the end");
        let text = diags.render(false);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.len() < 2500, "{text}");
        assert!(text.contains("s.yaml:1:5001"), "{text}");
    }

    #[test]
    fn alternatives_are_listed_as_people_list_them() {
        assert_eq!(alternatives(&["a"]), "`a`");
        assert_eq!(alternatives(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
