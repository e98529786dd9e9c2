use serde::Serialize;
use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    path::Path,
};

/// One thing that is wrong with valet.yaml. It holds no text of the file but the names of what is declared there.
///
/// Serialises as `valet check --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which key, e.g. `routes[1].sources[0]`; empty for the file as a whole. A key that is neither known nor a plain name shows as `?`.
    pub path: String,
    /// The line, from 1, where the mistake is written; `None` where the file cannot be read at all.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub hint: Cow<'static, str>,
    /// Whether Valet starts all the same.
    pub severity: Severity,
}

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but hardly does what was meant.
    Warning,
}

impl Problem {
    /// An error.
    pub(super) fn new(
        path: impl Into<String>,
        line: Option<usize>,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { path: path.into(), line, message: message.into(), hint: hint.into(), severity: Severity::Error }
    }

    #[must_use]
    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

impl fmt::Display for Problem {
    /// In one line, without the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Every problem of one file, by line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    problems: Vec<Problem>,
}

impl Problems {
    /// Sorts them by line; equal lines keep their order.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.line);
        Self { problems }
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.problems.iter()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many are errors; the others are warnings.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// For people: `FILE:LINE: PATH: MESSAGE`, hints below, and a count as the last line. Ends with a line break unless there is no problem.
    pub fn render(&self, file: &Path) -> String {
        let mut out = String::new();
        for problem in &self.problems {
            let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            let severity = if problem.severity == Severity::Warning { "warning: " } else { "" };
            let path = if problem.path.is_empty() { String::new() } else { format!("{}: ", problem.path) };
            let _ = writeln!(
                out,
                "{}{line}: {severity}{path}{}\n  hint: {}",
                file.display(),
                problem.message,
                problem.hint
            );
        }
        let counted = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{count} {what}s")),
        };
        let errors = self.errors();
        let counts = [counted(errors, "error"), counted(self.problems.len() - errors, "warning")];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        if !counts.is_empty() {
            let _ = writeln!(out, "{}", counts.join(", "));
        }
        out
    }
}
