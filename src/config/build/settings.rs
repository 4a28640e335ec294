//! What concerns the process: addresses, files, the log.

use super::super::document::Document;
use super::super::file::{AccessLogFormat, AdminSection, File, ListenerEntry, MetricConventions, TlsSection};
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::outside::Outside;
use super::super::server::{self, ServerSection};
use super::super::tree::NodeId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the admin address is unless a file says otherwise: reachable from this machine alone.
pub(in crate::config) const DEFAULT_ADMIN: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);

/// A token of the management API with fewer characters could be guessed.
const SHORT_TOKEN: usize = 16;

/// Where the keys are kept unless a file says otherwise.
const DEFAULT_STATE_DIR: &str = "/var/lib/evenkeel";

/// What concerns the process.
#[derive(Debug)]
pub struct Settings {
    /// Pingora's settings, as given.
    pub server: ServerSection,
    /// The addresses that clients connect to, at least one.
    pub listeners: Vec<Listener>,
    /// The address for health, metrics and the management API, and who may call it.
    pub admin: AdminSettings,
    /// The directory of `keys.yaml`.
    pub state_dir: PathBuf,
    /// How the access log is written.
    pub access_log: AccessLogFormat,
    /// Whose names metrics have.
    pub metric_conventions: MetricConventions,
    /// Whether the file is loaded again when it has changed.
    pub watch: bool,
}

/// The admin address.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// The address; port 0 is one that the system chooses.
    pub address: SocketAddr,
    /// What callers of the management API present; `None` if whoever is on this machine may call it.
    pub token: Option<String>,
}

impl fmt::Debug for AdminSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("AdminSettings").field("address", &self.address).field("token", &token).finish()
    }
}

/// An address that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address; port 0 is one that the system chooses.
    pub address: SocketAddr,
    /// The files of its TLS; `None` if it is spoken to in the clear.
    pub tls: Option<TlsFiles>,
}

/// The files that TLS is served with. They could be read when the configuration was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The settings of `file`, unless something is wrong with them.
pub(super) fn build(document: &Document, file: File, outside: &dyn Outside) -> Option<Settings> {
    let mut taken = Addresses { document, taken: Vec::new() };
    let entries = file.listeners.value();
    if entries.is_some_and(Vec::is_empty) {
        let message = "there is no listener: clients could not connect";
        let help = "name an address, such as `- address: 0.0.0.0:8080`";
        document.findings.error_with_help(Spot::Value(file.listeners.node()), message, help);
    }
    let entries = entries.into_iter().flatten().filter_map(Located::value);
    let listeners: Vec<_> = entries.map(|entry| listener(&mut taken, entry, outside)).collect();
    let admin = admin(&mut taken, file.admin.as_ref());
    let conventions = file.metrics.as_ref().and_then(|metrics| metrics.value()?.conventions.as_ref());
    let watch = file.reload.as_ref().and_then(|reload| reload.value()?.watch.as_ref());
    let format = file.access_log.as_ref().and_then(|log| log.value()?.format.as_ref());
    let access_log = format.and_then(Located::value).copied().unwrap_or_default();
    let state_dir = match file.state_dir {
        Some(given) => path(document, &given),
        None => Some(DEFAULT_STATE_DIR.into()),
    };
    let server = file.server.and_then(Located::into_value).unwrap_or_default();
    server::check(document, &server);
    Some(Settings {
        server,
        listeners: listeners.into_iter().collect::<Option<_>>()?,
        admin: admin?,
        state_dir: state_dir?,
        access_log,
        metric_conventions: conventions.and_then(Located::value).copied().unwrap_or_default(),
        watch: watch.and_then(Located::value).copied().unwrap_or_default(),
    })
}

fn admin(taken: &mut Addresses<'_>, section: Option<&Located<AdminSection>>) -> Option<AdminSettings> {
    let document = taken.document;
    let section = section.and_then(Located::value);
    let given = section.and_then(|section| section.address.as_ref());
    let address = match given {
        Some(given) => taken.parse(given),
        None => Some(DEFAULT_ADMIN),
    };
    let token = section.and_then(|section| section.token.as_ref());
    let token = match token {
        Some(given) => Some(admin_token(document, given)?),
        None => None,
    };
    if let (Some(given), Some(address), None) = (given, address, &token)
        && !address.ip().is_loopback()
    {
        let message = "the admin address can be reached from elsewhere, and there is no `admin.token`";
        let help = "add `token: ${EVENKEEL_ADMIN_TOKEN}`, or use a loopback address such as `127.0.0.1:9901`";
        document.findings.error_with_help(Spot::Value(given.node()), message, help);
        return None;
    }
    Some(AdminSettings { address: address?, token })
}

fn admin_token(document: &Document, given: &Located<String>) -> Option<String> {
    let token = given.value()?;
    let help = "`openssl rand -hex 32` makes one";
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "a token is visible ASCII characters without spaces, which a header can hold";
        document.findings.error_with_help(Spot::Value(given.node()), message, help);
        return None;
    }
    if token.len() < SHORT_TOKEN {
        let message = format!("the token has fewer than {SHORT_TOKEN} characters, and could be guessed");
        document.findings.warning(Spot::Value(given.node()), message, help);
    }
    Some(token.clone())
}

fn listener(taken: &mut Addresses<'_>, entry: &ListenerEntry, outside: &dyn Outside) -> Option<Listener> {
    let document = taken.document;
    let address = taken.parse(&entry.address);
    let tls = match entry.tls.as_ref() {
        Some(section) => Some(section.value().and_then(|section| tls_files(document, section, outside))?),
        None => None,
    };
    Some(Listener { address: address?, tls })
}

fn tls_files(document: &Document, section: &TlsSection, outside: &dyn Outside) -> Option<TlsFiles> {
    let readable = |file: &Located<PathBuf>| {
        let path = path(document, file)?;
        match outside.file(&path) {
            Ok(_) => Some(path),
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", document.shown(file.node()));
                document.findings.error(Spot::Value(file.node()), message);
                None
            }
        }
    };
    let (certificate, key) = (readable(&section.certificate), readable(&section.key));
    Some(TlsFiles { certificate: certificate?, key: key? })
}

fn path(document: &Document, path: &Located<PathBuf>) -> Option<PathBuf> {
    let value = path.value()?;
    if value.as_os_str().is_empty() {
        document.findings.error(Spot::Value(path.node()), "expected a path, found an empty text");
        return None;
    }
    Some(value.clone())
}

/// The addresses that the process is to listen on.
struct Addresses<'d> {
    document: &'d Document,
    taken: Vec<(SocketAddr, NodeId)>,
}

impl Addresses<'_> {
    fn parse(&mut self, given: &Located<String>) -> Option<SocketAddr> {
        let (document, spot) = (self.document, Spot::Value(given.node()));
        let text = given.value()?;
        let Some(address) = socket_address(text) else {
            let found = document.found(given.node());
            let message =
                format!("expected an IP address and a port, such as `127.0.0.1:8080`, found {found}");
            let port = text.strip_prefix("*:").or(text.strip_prefix(':')).unwrap_or(text);
            match port.parse::<u16>() {
                Ok(port) if !document.is_interpolated(given.node()) => {
                    let help = format!("for every IPv4 address of the machine: `0.0.0.0:{port}`");
                    document.findings.error_with_help(spot, message, help);
                }
                _ => document.findings.error(spot, message),
            }
            return None;
        };
        if let Some((_, first)) = self.taken.iter().find(|(taken, _)| overlap(*taken, address)) {
            let first = document.tree.path(*first);
            let message = format!("`{}` cannot be listened on twice", document.shown(given.node()));
            document.findings.error_with_help(spot, message, format!("it is the address of {first} already"));
            return None;
        }
        self.taken.push((address, given.node()));
        Some(address)
    }
}

/// The address that a file writes as `text`.
pub(in crate::config) fn socket_address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse::<u16>().ok()?).into()),
        None => text.parse().ok(),
    }
}

/// Whether the second of two addresses could not be listened on.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (ip, other_ip) = (one.ip(), other.ip());
    let same_family = ip.is_ipv4() == other_ip.is_ipv4();
    let any = same_family && (ip.is_unspecified() || other_ip.is_unspecified());
    one.port() != 0 && one.port() == other.port() && (ip == other_ip || any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:0", "127.0.0.1:0"),
            ("[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(socket_address(text), Some(expected.parse().unwrap()), "{text}");
        }
        for text in
            ["", ":8080", "8080", "localhost", "localhost:x", "example.com:80", "127.0.0.1", "1.2.3.4:65536"]
        {
            assert_eq!(socket_address(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_that_overlap() {
        let table = [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("0.0.0.0:80", "[::1]:80", false),
        ];
        for (one, other, expected) in table {
            assert_eq!(overlap(one.parse().unwrap(), other.parse().unwrap()), expected, "{one} {other}");
        }
    }
}
