//! The vendors that are built in: the files in `conf/vendors/`, read as a configuration's `vendors` are.

use super::super::super::document::Document;
use super::super::super::located::Located;
use super::super::super::outside::Outside;
use super::super::super::reader::Reader;
use super::super::super::tree::ROOT;
use super::super::super::vendor_entry::VendorEntry;
use super::draft::Draft;
use std::collections::BTreeMap;
use std::env::VarError;
use std::io;
use std::path::Path;

/// The vendors' names and files, in alphabetical order.
static FILES: [(&str, &str); 15] = [
    ("anthropic", include_str!("../../../../conf/vendors/anthropic.yaml")),
    ("aws-bedrock", include_str!("../../../../conf/vendors/aws-bedrock.yaml")),
    ("azure-ai-foundry", include_str!("../../../../conf/vendors/azure-ai-foundry.yaml")),
    ("azure-openai", include_str!("../../../../conf/vendors/azure-openai.yaml")),
    ("cohere", include_str!("../../../../conf/vendors/cohere.yaml")),
    ("deepseek", include_str!("../../../../conf/vendors/deepseek.yaml")),
    ("gemini", include_str!("../../../../conf/vendors/gemini.yaml")),
    ("groq", include_str!("../../../../conf/vendors/groq.yaml")),
    ("huggingface", include_str!("../../../../conf/vendors/huggingface.yaml")),
    ("mistral", include_str!("../../../../conf/vendors/mistral.yaml")),
    ("openai", include_str!("../../../../conf/vendors/openai.yaml")),
    ("openrouter", include_str!("../../../../conf/vendors/openrouter.yaml")),
    ("together", include_str!("../../../../conf/vendors/together.yaml")),
    ("vertex-ai", include_str!("../../../../conf/vendors/vertex-ai.yaml")),
    ("vllm", include_str!("../../../../conf/vendors/vllm.yaml")),
];

/// The names of all built-in vendors, in alphabetical order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// What is known of the built-in vendor of this name; `None` if there is none.
pub(super) fn draft(name: &str) -> Option<Draft> {
    let (_, text) = FILES.iter().find(|(built_in, _)| *built_in == name)?;
    // A file with something wrong in it would not have passed the tests.
    read(name, text).ok()
}

/// The vendor `name` in the file `text`.
fn read(name: &str, text: &str) -> Result<Draft, String> {
    let document = Document::parse(name, text, &Nothing).map_err(|report| report.to_string())?;
    let entries: Located<BTreeMap<String, Located<VendorEntry>>> =
        Located::read(Reader::new(&document, ROOT));
    let mut draft = Draft::new();
    match entries.value().and_then(|entries| entries.get(name)) {
        Some(entry) => draft.apply(&document, entry),
        None if !document.failed() => return Err(format!("the file has no vendor `{name}`")),
        None => {}
    }
    match document.failed() {
        true => Err(document.into_report(name, text).to_string()),
        false => Ok(draft),
    }
}

/// A vendor's file refers to nothing.
struct Nothing;

impl Outside for Nothing {
    fn variable(&self, _: &str) -> Result<String, VarError> {
        Err(VarError::NotPresent)
    }

    fn file(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_right() {
        for (name, text) in FILES {
            if let Err(report) = read(name, text) {
                panic!("conf/vendors/{name}.yaml: {report}");
            }
        }
        assert!(FILES.is_sorted(), "names are shown in this order");
    }

    #[test]
    fn every_file_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/vendors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<_> =
            files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        found.sort();
        assert_eq!(found, names().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, message) in [
            ("openai: { requests: [ { path: \"**\" } ] }", "nothing says where the model stands"),
            ("openai: { requests: [] }", "no policy could name a model"),
            ("openai: { header: x }", "unknown key `header`"),
            ("openai: { mount: { query: { a: b } } }", "these come with a prefix, and there is none"),
            ("other: {}", "the file has no vendor `openai`"),
        ] {
            let error = read("openai", text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_mount_is_replaced_as_a_whole_and_dropped_where_it_has_no_prefix() {
        let prefixes = |entry: &str| {
            let document = Document::parse("a", &format!("a: {entry}"), &Nothing).unwrap();
            let entries: Located<BTreeMap<String, Located<VendorEntry>>> =
                Located::read(Reader::new(&document, ROOT));
            let mut inherits = draft("azure-openai").unwrap();
            inherits.apply(&document, &entries.value().unwrap()["a"]);
            assert!(!document.failed(), "{entry}: {}", document.into_report("a", entry));
            inherits.finish("a").mount.as_ref().map(|mount| mount.prefixes.len())
        };
        assert!(prefixes("{}").is_some_and(|number| number > 0));
        assert_eq!(prefixes("{ mount: { prefixes: [/a, /b, /c] } }"), Some(3));
        for none in ["{ prefixes: [] }", "{ prefixes: }", "{}", "", "{ prefixes: [], query: {} }"] {
            assert_eq!(prefixes(&format!("{{ mount: {none} }}")), None, "{none}");
        }
    }
}
