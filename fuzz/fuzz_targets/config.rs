//! The loader on any text at all: it never panics, never tells what is outside, and points into the text.
#![no_main]

use evenkeel::config::{Outside, parse};
use libfuzzer_sys::fuzz_target;
use std::env::VarError;
use std::io;
use std::path::Path;

const SECRET: &str = "s3cr3t-from-outside";

struct Fake;

impl Outside for Fake {
    fn variable(&self, name: &str) -> Result<String, VarError> {
        match name {
            "OPENAI_API_KEY" | "MISTRAL_API_KEY" | "SECRET" => Ok(SECRET.into()),
            "WEIGHT" => Ok("50".into()),
            "EMPTY" => Ok(String::new()),
            _ => Err(VarError::NotPresent),
        }
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/run/credentials/openai") => Ok(format!("{SECRET}\n").into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fuzz_target!(|text: &str| {
    let report = match parse("fuzz.yaml", text, &Fake) {
        Ok(loaded) => loaded.warnings,
        Err(report) => report,
    };
    let shown = format!("{report}{report:?}{}", report.to_json());
    assert!(text.contains(SECRET) || !shown.contains(SECRET), "{shown}");
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<_> = unmarked
        .replace("\r\n", "\n")
        .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        .map(|line| line.chars().count())
        .collect();
    for diagnostic in report.diagnostics() {
        let Some((line, column)) = diagnostic.location else { continue };
        let length = lines.get(line.wrapping_sub(1)).unwrap_or_else(|| panic!("line {line}: {report}"));
        assert!((1..=length + 1).contains(&column), "column {column} of {length}: {report}");
    }
});
