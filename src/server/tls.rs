//! TLS of a listener.
//!
//! Pingora would load the files on a thread of its own and panic there if they cannot be used; they are loaded here, so
//! that the start fails with an error that says why.

use super::StartError;
use crate::config::{Listener, TlsFiles};
use arc_swap::ArcSwap;
use pingora_core::listeners::tls::TlsSettings;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// The certificates that the listeners present, each by the address that the file has for it. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Certificates(Arc<Vec<(SocketAddr, Arc<Presented>)>>);

/// What one listener presents to the clients that come next.
#[derive(Debug)]
struct Presented(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Presented {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificates {
    /// Loads those of all listeners.
    pub fn load(listeners: &[Listener]) -> Result<Self, StartError> {
        let mut all = Vec::new();
        for listener in listeners {
            let error = |reason: String| StartError::Tls { address: listener.address, reason };
            if let Some(files) = &listener.tls {
                let certified = load(files).map_err(error)?;
                all.push((listener.address, Arc::new(Presented(ArcSwap::from_pointee(certified)))));
            }
        }
        Ok(Self(Arc::new(all)))
    }

    /// Loads those of the listeners that were there from the beginning again. All are exchanged, or none.
    ///
    /// # Errors
    /// What is wrong with the files of the first that cannot be used.
    pub fn renew(&self, listeners: &[Listener]) -> Result<(), String> {
        let mut renewed = Vec::new();
        for listener in listeners {
            let presented = self.0.iter().find(|(address, _)| *address == listener.address);
            if let (Some(files), Some((address, presented))) = (&listener.tls, presented) {
                let certified = load(files)
                    .map_err(|reason| format!("the listener on {address} cannot use TLS: {reason}"))?;
                renewed.push((presented, certified));
            }
        }
        renewed.into_iter().for_each(|(presented, certified)| presented.0.store(Arc::new(certified)));
        Ok(())
    }

    /// The TLS settings of a listener, HTTP/2 offered; `None` if it speaks in the clear.
    pub fn settings(&self, listener: &Listener) -> Result<Option<TlsSettings>, StartError> {
        let presented = self.0.iter().find(|(address, _)| *address == listener.address);
        let (Some(files), Some((_, presented))) = (&listener.tls, presented) else {
            return Ok(None);
        };
        let (certificate, key) = (files.certificate.to_string_lossy(), files.key.to_string_lossy());
        let mut settings = TlsSettings::intermediate(&certificate, &key)
            .map_err(|error| StartError::Tls { address: listener.address, reason: error.to_string() })?;
        // What was checked is what is served, though the files may change.
        settings.set_cert_resolver(Arc::clone(presented) as Arc<dyn ResolvesServerCert>);
        settings.enable_h2();
        Ok(Some(settings))
    }
}

/// The certificate chain and its key, which belong together.
fn load(files: &TlsFiles) -> Result<CertifiedKey, String> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| in_file(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(in_file(&files.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| in_file(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        format!("certificate {certificate} with key {key}: {error}")
    })
}

fn in_file(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn files(certificate: &str, key: &str) -> (tempfile::TempDir, TlsFiles) {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let files = TlsFiles { certificate: path("cert.pem"), key: path("key.pem") };
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        (directory, files)
    }

    fn certified() -> rcgen::CertifiedKey {
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
    }

    #[test]
    fn a_certificate_and_its_key() {
        let made = certified();
        let (_directory, files) = files(&made.cert.pem(), &made.key_pair.serialize_pem());
        assert_eq!(load(&files).unwrap().cert.len(), 1);
    }

    #[test]
    fn files_that_cannot_be_used_are_told_apart() {
        let (made, other) = (certified(), certified());
        let (cert, key) = (made.cert.pem(), made.key_pair.serialize_pem());
        let others = other.key_pair.serialize_pem();
        let table = [
            ("", key.as_str(), "cert.pem: there is no certificate in it"),
            (cert.as_str(), "", "key.pem: no items found"),
            (cert.as_str(), others.as_str(), "key"),
        ];
        for (certificate, key, expected) in table {
            let (_directory, files) = files(certificate, key);
            let error = load(&files).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
