//! The one error type: opaque outside, kinds inside.
//!
//! A message is complete when it reaches this type: place, cause and remedy
//! are in its text, so the command line only prints it and maps the kind to
//! an exit code.

use std::fmt;
use std::path::Path;

/// Everything that can go wrong, with its text ready for a person.
#[derive(Debug, Clone)]
pub struct Error(Box<Kind>);

#[derive(Debug, Clone)]
enum Kind {
    /// The user's files or flags are wrong: exit code 2.
    Input(String),
    /// The run itself failed (disk full, a broken invariant): exit code 1.
    Failed(String),
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wrong input: a file or flag must change before this can work.
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Error(Box::new(Kind::Input(message.into())))
    }

    /// A failure that is not the input's fault.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Error(Box::new(Kind::Failed(message.into())))
    }

    /// A file that cannot be read.
    #[must_use]
    pub fn read(path: &Path, cause: &std::io::Error) -> Self {
        Error::input(format!("cannot read `{}`: {cause}", path.display()))
    }

    /// A file or directory that cannot be written.
    #[must_use]
    pub fn write(path: &Path, cause: &std::io::Error) -> Self {
        Error::failed(format!("cannot write `{}`: {cause}", path.display()))
    }

    /// Whether the user's input is at fault.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(*self.0, Kind::Input(_))
    }

    /// This error with one more line before it, as in `case fargate: …`.
    #[must_use]
    pub fn context(self, prefix: impl fmt::Display) -> Self {
        match *self.0 {
            Kind::Input(m) => Error::input(format!("{prefix}: {m}")),
            Kind::Failed(m) => Error::failed(format!("{prefix}: {m}")),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Input(m) | Kind::Failed(m) => f.write_str(m),
        }
    }
}

impl std::error::Error for Error {}
