//! How a running process is reached, as far as its file tells.
//!
//! Who asks a process to load its file again has to reach it though the file is broken: that is what the process is to
//! notice. So the address and the token are looked for in whatever can still be read.

use super::build::{DEFAULT_ADMIN, socket_address};
use super::document::Document;
use super::outside::Outside;
use super::report::Report;
use super::tree::{Kind, NodeId, ROOT};
use super::{Process, load};
use std::net::SocketAddr;
use std::path::Path;

/// Where a process that serves a file takes orders, and what it asks for.
#[derive(Debug)]
pub struct AdminAccess {
    /// The admin address; `None` where the file is too broken to tell. Where it leaves it out, the default.
    pub address: Option<SocketAddr>,
    /// The token of the management API.
    pub token: Option<String>,
    /// What is wrong with the file, so that the above may not be what it should be.
    pub problem: Option<Report>,
}

impl AdminAccess {
    /// What the file at `path` tells.
    ///
    /// # Errors
    /// If the file cannot be read at all.
    pub fn of_file(path: &Path) -> Result<Self, Report> {
        let problem = match load(path) {
            Ok(loaded) => {
                let admin = loaded.settings.admin;
                return Ok(Self { address: Some(admin.address), token: admin.token, problem: None });
            }
            Err(report) => report,
        };
        let Ok(bytes) = Process.file(path) else {
            return Err(problem);
        };
        let text = String::from_utf8_lossy(&bytes);
        let (address, token) = look(text.strip_prefix('\u{feff}').unwrap_or(&text), &Process);
        Ok(Self { address, token, problem: Some(problem) })
    }
}

type Found = (Option<SocketAddr>, Option<String>);

fn look(text: &str, outside: &dyn Outside) -> Found {
    if let Some(document) = parsed(text, outside) {
        let (address, token) = (address_of(&document), member(&document, "token"));
        let is_left_out = address.is_none() && matches!(document.tree.kind(ROOT), Kind::Mapping(_));
        return (address.unwrap_or_else(|| is_left_out.then_some(DEFAULT_ADMIN)), token);
    }
    // What breaks the rest of the file may not be in the section itself.
    let mut lines = section(text);
    while !lines.is_empty() {
        if let Some(document) = parsed(&lines.join("\n"), outside) {
            return (address_of(&document).flatten(), member(&document, "token"));
        }
        lines.pop();
    }
    // One that leaves the section out is as broken as any, and its process as well.
    let leaves_it_out = section(text).is_empty() && text.lines().any(is_of_a_configuration);
    (leaves_it_out.then_some(DEFAULT_ADMIN), None)
}

fn is_of_a_configuration(line: &str) -> bool {
    ["listeners:", "apis:"].iter().any(|key| line.starts_with(key))
}

/// The lines of the section `admin`.
fn section(text: &str) -> Vec<&str> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("admin:"));
    let first = lines.next();
    let rest = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t', '#']));
    first.into_iter().chain(rest).collect()
}

fn parsed(text: &str, outside: &dyn Outside) -> Option<Document> {
    Document::parse("", text, outside).ok()
}

/// The admin address: `Some(None)` if something stands in its place that is none.
fn address_of(document: &Document) -> Option<Option<SocketAddr>> {
    let admin = document.tree.child(ROOT, "admin")?;
    match document.tree.kind(admin) {
        Kind::Null => None,
        Kind::Mapping(_) => {
            let address = document.tree.child(admin, "address")?;
            match document.tree.kind(address) {
                Kind::Null => None,
                _ => Some(value(document, address).and_then(|address| socket_address(&address))),
            }
        }
        _ => Some(None),
    }
}

fn member(document: &Document, key: &str) -> Option<String> {
    let admin = document.tree.child(ROOT, "admin")?;
    value(document, document.tree.child(admin, key)?)
}

fn value(document: &Document, node: NodeId) -> Option<String> {
    match document.tree.kind(node) {
        Kind::Text(text) => Some(text.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env::VarError;
    use std::io;

    struct Nowhere;

    impl Outside for Nowhere {
        fn variable(&self, name: &str) -> Result<String, VarError> {
            if name == "TOKEN" { Ok("from outside".to_owned()) } else { Err(VarError::NotPresent) }
        }

        fn file(&self, _: &Path) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn a_broken_file_still_tells_where_its_process_is() {
        let (there, default, token) = (Some("127.0.0.1:7"), Some("127.0.0.1:9901"), Some("from outside"));
        let table = [
            ("admin: { address: '127.0.0.1:7' }\nlisteners: wrong", there, None),
            ("admin:\n  address: localhost:7\n  token: ${TOKEN}\nnonsense: [1]", there, token),
            ("admin: { address: '127.0.0.1:7', token: '${NOT_SET}' }", there, None),
            ("apis: [\nadmin: { address: '127.0.0.1:7', token: '${TOKEN}' }\nx: }", there, token),
            ("\"\nadmin:\n  # ours\n  address: \"127.0.0.1:7\"\n  token: \"from\n", there, None),
            ("apis: [\nadmin:\n  addr", None, None),
            ("apis: [\nadmin:\n  token: ${TOKEN}", None, token),
            ("admin: { address: 7 }", None, None),
            ("admin: { address: nonsense, token: '${TOKEN}' }", None, token),
            ("admin: { address: '${NOT_SET}' }", None, None),
            ("admin: { address: ['127.0.0.1:7'] }", None, None),
            ("other:\n  admin: { address: '127.0.0.1:7' }\n  x: [", None, None),
            ("admin: 127.0.0.1:7", None, None),
            ("apis: [", default, None),
            ("listeners: []\napis:\n - x: [", default, None),
            ("- admin", None, None),
            ("nonsense", None, None),
            ("\0\u{1}", None, None),
            ("\t", None, None),
            ("", None, None),
            ("admin: { token: '${TOKEN}' }\nlisteners: wrong", default, token),
            ("admin:\n  address:\n", default, None),
            ("admin:\nlisteners: wrong", default, None),
            ("amdin: { address: '127.0.0.1:7' }", default, None),
        ];
        for (text, address, token) in table {
            let address = address.map(|address: &str| address.parse().unwrap());
            assert_eq!(look(text, &Nowhere), (address, token.map(str::to_owned)), "{text}");
        }
    }
}
