//! What was found wrong with a file, as people and machines read it.

use super::snippet::Snippet;
use serde_json::{Value, json};
use std::fmt;

/// What was found wrong with one file, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    file: String,
    diagnostics: Vec<Diagnostic>,
    omitted: usize,
}

/// One thing that is wrong, or worth a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file can be used in spite of it.
    pub severity: Severity,
    /// The path of the key it is about: `apis[0].operations[0].policy`. Empty for the file as a whole.
    pub path: String,
    /// The line and the column in characters, both from 1; `None` if it is not about a place in the text.
    pub location: Option<(usize, usize)>,
    /// What was found, and what was expected. Holds no secret.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub(super) snippet: Option<Snippet>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and probably does not do what was meant.
    Warning,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Report {
    pub(super) fn new(file: &str, mut diagnostics: Vec<Diagnostic>, omitted: usize) -> Self {
        // What is not about a place in the text comes first.
        diagnostics.sort_by_key(|diagnostic| diagnostic.location);
        Self { file: file.to_owned(), diagnostics, omitted }
    }

    /// A report of one error that is not about a place in the text.
    pub(super) fn of_file(file: &str, message: String, help: Option<&str>) -> Self {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            path: String::new(),
            location: None,
            message,
            help: help.map(str::to_owned),
            snippet: None,
        };
        Self::new(file, vec![diagnostic], 0)
    }

    /// The name of the file, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// All that was found, in the order of the text. There may be more: no more than a hundred are kept.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The report for machines: `{"file", "diagnostics": [{"severity", "path", "line", "column", "message", "help"}],
    /// "omitted"}`, where `line`, `column` and `help` can be null.
    pub fn to_json(&self) -> Value {
        let diagnostic = |diagnostic: &Diagnostic| {
            json!({
                "severity": diagnostic.severity.name(),
                "path": diagnostic.path,
                "line": diagnostic.location.map(|(line, _)| line),
                "column": diagnostic.location.map(|(_, column)| column),
                "message": diagnostic.message,
                "help": diagnostic.help,
            })
        };
        let diagnostics: Vec<_> = self.diagnostics.iter().map(diagnostic).collect();
        json!({ "file": self.file, "diagnostics": diagnostics, "omitted": self.omitted })
    }

    fn count(&self, severity: Severity) -> Option<String> {
        let count = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", severity.name()))
    }
}

impl std::error::Error for Report {}

/// As compilers write it: each diagnostic with its line, and how many there were.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            write_diagnostic(f, &self.file, diagnostic)?;
            writeln!(f)?;
        }
        let counts = [self.count(Severity::Error), self.count(Severity::Warning)];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        write!(f, "{}: {}", self.file, counts.join(", "))?;
        match self.omitted {
            0 => Ok(()),
            omitted => write!(f, ", and {omitted} more"),
        }
    }
}

fn write_diagnostic(f: &mut fmt::Formatter<'_>, file: &str, diagnostic: &Diagnostic) -> fmt::Result {
    let Diagnostic { severity, path, location, message, help, snippet } = diagnostic;
    writeln!(f, "{}: {message}", severity.name())?;
    let gutter = location.map_or(1, |(line, _)| line.to_string().len());
    match location {
        Some((line, column)) => writeln!(f, "{:gutter$}--> {file}:{line}:{column}", "")?,
        None => writeln!(f, "{:gutter$}--> {file}", "")?,
    }
    if let (Some((number, _)), Some(Snippet { line, start, width })) = (location, snippet) {
        let marker = "^".repeat(*width);
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{number} | {line}")?;
        writeln!(f, "{:gutter$} | {:start$}{marker}", "", "")?;
    }
    if !path.is_empty() {
        writeln!(f, "{:gutter$} = at: {path}", "")?;
    }
    if let Some(help) = help {
        writeln!(f, "{:gutter$} = help: {help}", "")?;
    }
    Ok(())
}
