//! The configuration file: from its text to a validated [`Gateway`].
//!
//! [`load`] reads a file in these steps, each a module, and finds all that is wrong with it in one go:
//! 1. `parse`: the YAML as a `tree` of nodes; `interpolate` fills in `${…}` from what is [`Outside`];
//! 2. `reader`: the tree as the types of `file`, which say what keys there are and what a value looks like;
//! 3. `build`: what the values mean together, as [`Settings`] and a [`Gateway`] that can only be valid;
//! 4. `locate` and `snippet`: where in the text the findings are, for a [`Report`].
//!
//! The types of the file end here: what serves requests never sees them.

mod access;
mod admin_access;
mod build;
mod credential_entry;
mod document;
mod file;
mod findings;
mod flaw;
mod interpolate;
mod locate;
mod located;
mod nearest;
mod outside;
mod parse;
mod plain;
mod reader;
mod report;
mod scalars;
mod schema;
mod secret;
mod secret_lines;
mod server;
mod snippet;
mod syntax;
mod tree;
mod units;
mod vendor_entry;

pub use admin_access::AdminAccess;
pub use build::{AdminSettings, Listener, Settings, TlsFiles};
pub use file::{AccessLogFormat, MetricConventions};
pub use located::Located;
pub use outside::{Outside, Process};
pub use report::{Diagnostic, Report, Severity};
pub use schema::schema;
pub use server::{HistogramScale, ServerSection};
pub use units::{DurationError, parse_duration};

use crate::gateway::Gateway;
use crate::stamp::Stamped;
use crate::vendor::Vendor;
use document::Document;
use outside::{Noting, StandIns};
use reader::Reader;
use std::path::Path;
use std::sync::Arc;

/// A configuration that can be served.
#[derive(Debug)]
pub struct Loaded {
    /// What concerns the process.
    pub settings: Settings,
    /// What concerns requests.
    pub gateway: Gateway,
    /// What is probably not as it was meant. Holds warnings only, and often nothing.
    pub warnings: Report,
}

/// The built-in vendor of this name, as a configuration that says nothing of it has it.
pub fn built_in_vendor(name: &str) -> Option<Arc<Vendor>> {
    build::built_in_vendor(name)
}

/// Loads the file at `path` with the environment of this process.
///
/// # Errors
/// A [`Report`] of all that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Report> {
    load_noting(path, &mut Vec::new())
}

/// The settings of the process in the file at `path`, for a command that speaks to the process that serves it: what that
/// one can read and this one cannot, such as a vendor's key, does not keep it from being found.
///
/// # Errors
/// A [`Report`] of all that is wrong with the file.
pub fn load_settings(path: &Path) -> Result<Settings, Report> {
    load_among(path, &StandIns(path)).map(|loaded| loaded.settings)
}

/// The same as [`load`], noting the files that were looked at, whether they could be read or not, as they were then.
///
/// # Errors
/// A [`Report`] of all that is wrong with it.
pub fn load_noting(path: &Path, files: &mut Vec<Stamped>) -> Result<Loaded, Report> {
    let outside = Noting::new(Process);
    let loaded = load_among(path, &outside);
    *files = outside.files();
    loaded
}

fn load_among(path: &Path, outside: &dyn Outside) -> Result<Loaded, Report> {
    let name = path.display().to_string();
    let bytes = outside
        .file(path)
        .map_err(|error| Report::of_file(&name, format!("cannot read the file: {error}"), None))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(&name, text, outside),
        Err(error) => {
            let message = format!("the file is not UTF-8 text: the byte at {} is wrong", error.valid_up_to());
            Err(Report::of_file(&name, message, Some("save it as UTF-8")))
        }
    }
}

/// Reads a configuration from `text`, which messages call `name`.
///
/// # Errors
/// A [`Report`] of all that is wrong with it.
pub fn parse(name: &str, text: &str, outside: &dyn Outside) -> Result<Loaded, Report> {
    // Some editors begin a file with a byte order mark, which the parser takes for a document of its own.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(name, text, outside)?;
    // A value that cannot be read is reported and left out, and the rest of it is looked at all the same.
    let file: Located<file::File> = Located::read(Reader::new(&document, tree::ROOT));
    let built = file.into_value().and_then(|file| build::build(&document, file, outside));
    let failed = document.failed();
    let report = document.into_report(name, text);
    match built {
        Some((settings, gateway)) if !failed => Ok(Loaded { settings, gateway, warnings: report }),
        _ => Err(report),
    }
}
