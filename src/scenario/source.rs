//! A scenario file in memory: its cases, and the effective scenario of each.

use std::path::{Path, PathBuf};

use super::decode::{Ctx, Decode, Map, Spanned};
use super::diagnostic::{Diagnostics, Sources, Span, quote};
use super::leaf::RelPath;
use super::model::{Case, Scenario};
use super::patch::{self, Assignments};
use super::rightsize::Rightsize;
use super::sweep::Sweep;
use super::tree::{self, Key, MAX_BYTES, Node, Value};
use crate::error::{Error, Result};

/// The name of the only case of a file without `cases`.
pub const BASE_CASE: &str = "base";

/// A scenario file that was read and is valid YAML.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    sources: Sources,
    /// Everything but `cases` and `sweep`.
    tree: Node,
    cases: Map<Case>,
    sweep: Option<Sweep>,
    overrides: Vec<Assignments>,
}

/// One case, typed.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Name of the case.
    pub case: String,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// How its requests are fitted to usage, if they are.
    pub rightsize: Option<Spanned<Box<Rightsize>>>,
    /// The model.
    pub scenario: Scenario,
    /// The effective tree, for [`tree::effective_yaml`].
    pub tree: Node,
}

/// The bytes of a file, one more than [`MAX_BYTES`] at most: enough to tell
/// that it is too large; a device file has no length.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e: &std::io::Error| Error::read(path, e);
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, limit), &mut bytes)
        .map_err(|e| failed(&e))?;
    Ok(bytes)
}

/// Bytes as text, without a byte order mark.
pub(super) fn text_of<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        Error::input(format!("{name}:{line}: the file is not UTF-8 text"))
    })
}

impl Source {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8, too large, not valid YAML, or
    /// its `cases` are malformed; all such mistakes at once.
    pub fn load(path: &Path) -> Result<Source> {
        Source::parse(path, &read(path)?)
    }

    /// As [`Source::load`], from the bytes of a file at `path`.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Source> {
        let name = path.display().to_string();
        let text = text_of(&name, bytes)?;
        let mut sources = Sources::default();
        let file = sources.add(name, if text.len() > MAX_BYTES { "" } else { text });
        let mut diags = Diagnostics::new(sources.clone());
        let Some(mut tree) = tree::parse(text, file, 0, &mut diags) else {
            return Err(failed(diags));
        };
        if tree.value == Value::Null {
            let end = Span { file, start: 0, end: 0 };
            diags
                .error(end, "the scenario is empty")
                .help("`plimsoll init` writes one to start from");
            return Err(failed(diags));
        }
        let cases = take(&mut tree, "cases", &mut diags);
        let sweep = take(&mut tree, "sweep", &mut diags);
        match (cases, sweep) {
            (Some(cases), Some(sweep)) if !diags.has_errors() => Ok(Source {
                path: path.to_owned(),
                sources,
                tree,
                cases,
                sweep,
                overrides: Vec::new(),
            }),
            _ => Err(failed(diags)),
        }
    }

    /// Applies `path=value` settings of the command line after every case.
    ///
    /// # Errors
    /// When one has no `=`, a malformed path, or a value that is not YAML.
    pub fn with_overrides<S: AsRef<str>>(mut self, settings: &[S]) -> Result<Source> {
        let mut texts = Vec::new();
        for setting in settings {
            let file = self.sources.add("--set", setting.as_ref());
            texts.push((file, setting.as_ref()));
        }
        let mut diags = Diagnostics::new(self.sources.clone());
        for (file, text) in texts {
            self.overrides.extend(parse_override(file, text, &mut diags));
        }
        if diags.has_errors() { Err(failed(diags)) } else { Ok(self) }
    }

    /// Adds a case that is `like` another, with its requests fitted to usage:
    /// `rules` is what `rightsize` would hold, `set` are `path=value` settings
    /// on top. A file without cases keeps its own as [`BASE_CASE`].
    ///
    /// # Errors
    /// When there is no such case, the name is taken, or rules or settings are
    /// no good.
    pub fn with_rightsized(
        mut self,
        like: &str,
        name: &str,
        rules: &str,
        set: &[String],
    ) -> Result<Source> {
        if self.cases.is_empty() {
            self.cases.push(BASE_CASE, Case::default());
        }
        let Some(mut case) = self.cases.get(like).cloned() else {
            return Err(Error::input(format!("there is no case {}", quote(like))));
        };
        if self.cases.get(name).is_some() {
            return Err(Error::input(format!("there is a case {} already", quote(name))));
        }
        let file = self.sources.add("rightsize", rules);
        let set: Vec<(u32, &String)> =
            set.iter().map(|text| (self.sources.add("--set", text), text)).collect();
        let mut diags = Diagnostics::new(self.sources.clone());
        case.rightsize = tree::parse(rules, file, 0, &mut diags)
            .and_then(|node| Decode::decode(&node, &mut Ctx::new(&mut diags)));
        case.title = None;
        for (file, text) in set {
            if let Some(setting) = parse_override(file, text, &mut diags) {
                case.set.append(setting);
            }
        }
        if diags.has_errors() {
            return Err(failed(diags));
        }
        self.cases.push(name, case);
        Ok(self)
    }

    /// The file as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that relative paths start from.
    #[must_use]
    pub fn base_dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        }
    }

    /// Where an input file lies.
    #[must_use]
    pub fn locate(&self, path: &RelPath) -> PathBuf {
        self.base_dir().join(path.as_path())
    }

    /// An empty collection of findings about this file and its overrides.
    #[must_use]
    pub fn diagnostics(&self) -> Diagnostics {
        Diagnostics::new(self.sources.clone())
    }

    /// The cases in the order written; the first is the baseline. A file
    /// without cases has one, [`BASE_CASE`].
    #[must_use]
    pub fn case_names(&self) -> Vec<&str> {
        if self.cases.is_empty() { vec![BASE_CASE] } else { self.cases.names().collect() }
    }

    /// The `sweep` block, if there is one.
    #[must_use]
    pub fn sweep(&self) -> Option<&Sweep> {
        self.sweep.as_ref()
    }

    /// What the command line sets.
    pub fn overridden(&self) -> impl Iterator<Item = &patch::Path> {
        self.overrides.iter().flat_map(Assignments::paths)
    }

    /// The effective tree of a case; `None` when a patch does not apply.
    ///
    /// Order: the case's `remove`, `replace`, `set`, then the values of axes,
    /// then `--set`.
    pub fn effective(
        &self,
        case: &str,
        axes: &Assignments,
        diags: &mut Diagnostics,
    ) -> Option<Node> {
        let mut findings = Diagnostics::new(self.sources.clone());
        let mut tree = self.tree.clone();
        match self.cases.get(case) {
            Some(case) => {
                patch::remove(&mut tree, &case.remove, &mut findings);
                patch::replace(&mut tree, &case.replace, &mut findings);
                patch::set(&mut tree, &case.set, &mut findings);
            }
            None if self.cases.is_empty() && case == BASE_CASE => {}
            None => {
                findings
                    .error_anywhere(format!("there is no case {}", quote(case)))
                    .suggest(case, self.case_names());
            }
        }
        for setting in std::iter::once(axes).chain(&self.overrides) {
            patch::set(&mut tree, setting, &mut findings);
        }
        let fine = !findings.has_errors();
        diags.append(findings);
        fine.then_some(tree)
    }

    /// The typed scenario of a case; `None` after reporting every mistake.
    pub fn resolve(&self, case: &str, diags: &mut Diagnostics) -> Option<Resolved> {
        self.resolve_with(case, &Assignments::default(), diags)
    }

    /// As [`Source::resolve`] with the values of a sweep's axes.
    pub fn resolve_with(
        &self,
        case: &str,
        axes: &Assignments,
        diags: &mut Diagnostics,
    ) -> Option<Resolved> {
        let tree = self.effective(case, axes, diags)?;
        let scenario = Scenario::decode(&tree, &mut Ctx::new(diags))?;
        let own = self.cases.get(case);
        let title = own.and_then(|c| c.title.as_ref()).map(|t| t.value.clone());
        let rightsize = own.and_then(|c| c.rightsize.clone());
        Some(Resolved { case: case.to_owned(), title, rightsize, scenario, tree })
    }

    /// Every case, typed, with warnings so far.
    ///
    /// # Errors
    /// With every mistake of every case, each once.
    pub fn resolve_all(&self) -> Result<(Vec<Resolved>, Diagnostics)> {
        let mut diags = self.diagnostics();
        let resolved: Vec<Option<Resolved>> =
            self.case_names().into_iter().map(|case| self.resolve(case, &mut diags)).collect();
        match resolved.into_iter().collect::<Option<Vec<_>>>() {
            Some(all) if !diags.has_errors() => Ok((all, diags)),
            _ => Err(failed(diags)),
        }
    }
}

/// Everything that was found, as an error.
fn failed(diags: Diagnostics) -> Error {
    diags.into_result().err().unwrap_or_else(|| Error::failed("a scenario was refused unexplained"))
}

/// Takes an entry out of the tree; its default where there is none.
fn take<T: Decode + Default>(tree: &mut Node, name: &str, diags: &mut Diagnostics) -> Option<T> {
    let Value::Map(entries) = &mut tree.value else {
        return Some(T::default());
    };
    let Some(index) = entries.iter().position(|(k, _)| k.name == name) else {
        return Some(T::default());
    };
    let (key, node): (Key, Node) = entries.remove(index);
    Ctx::new(diags).under(&key, &node)
}

fn parse_override(file: u32, text: &str, diags: &mut Diagnostics) -> Option<Assignments> {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let whole = Span { file, start: 0, end: narrow(text.len()) };
    // The first `=` outside quotes ends the path.
    let mut quoted = false;
    let split = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '=' && !quoted
    });
    let Some((at, _)) = split else {
        diags.error(whole, "a setting needs the form `path=value`");
        return None;
    };
    let (path, value) = (text.get(..at)?, text.get(at + 1..)?);
    let path = match patch::Path::parse(path, Span { end: narrow(at), ..whole }, true) {
        Ok(path) => Some(path),
        Err(problem) => {
            let message = format!("invalid path {}: {problem}", quote(path));
            diags.error(Span { end: narrow(at), ..whole }, message);
            None
        }
    };
    let value = tree::parse(value, file, at + 1, diags)?;
    Some(Assignments::one(path?, value))
}
