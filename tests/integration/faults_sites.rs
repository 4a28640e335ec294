//! What stands where the gateway looks for a vendor.

use crate::support::{Gateway, Prepared, RawVendor, Running, Step, vendor};
use evenkeel::mock::{Fault, MockVendor};
use socket2::{Domain, Socket, Type};
use std::any::Any;
use std::fs;
use std::net::{SocketAddr, TcpStream};

/// What a faulty endpoint's URL leads to.
pub enum Place {
    /// The mock vendor, its switch set when the request is about to be sent: some faults hold a time of day.
    Mock(fn() -> Fault),
    /// A vendor that takes these steps.
    Raw(Vec<Step>),
    /// A port that nobody listens on.
    Closed,
    /// A listener that takes no more connections.
    FullQueue,
    /// A vendor without TLS, at an `https` URL.
    NoTls,
    /// A vendor whose certificate nobody has signed.
    Untrusted,
    /// A name that nobody has.
    NoName,
}

/// A place that is there as long as this.
pub struct Site {
    /// Where it is.
    pub url: String,
    mock: Option<(MockVendor, fn() -> Fault)>,
    /// Whatever must stay open.
    _open: Option<Box<dyn Any + Send>>,
}

impl Site {
    /// Opens `place`.
    pub async fn open(place: &Place) -> Self {
        match place {
            Place::Mock(fault) => {
                let vendor = vendor().await;
                Self { url: http(vendor.address()), mock: Some((vendor, *fault)), _open: None }
            }
            Place::Raw(steps) => {
                let vendor = RawVendor::start(steps).await;
                Self::with(http(vendor.address()), vendor)
            }
            Place::Closed => {
                let (socket, address) = bound();
                Self::with(http(address), socket)
            }
            Place::FullQueue => {
                let (socket, address) = bound();
                socket.listen(0).unwrap();
                let queued = TcpStream::connect(address).unwrap();
                Self::with(http(address), (socket, queued))
            }
            Place::NoTls => {
                let vendor = vendor().await;
                Self::with(format!("https://{}/v1", vendor.address()), vendor)
            }
            Place::Untrusted => untrusted().await,
            Place::NoName => {
                Self { url: "http://does-not-exist.invalid/v1".to_owned(), mock: None, _open: None }
            }
        }
    }

    /// Sets the mock vendor's switch, if it is one.
    pub fn switch(&self) {
        if let Some((vendor, fault)) = &self.mock {
            vendor.faults().set_all(fault());
        }
    }

    fn with(url: String, open: impl Any + Send) -> Self {
        Self { url, mock: None, _open: Some(Box::new(open)) }
    }
}

fn http(address: SocketAddr) -> String {
    format!("http://{address}/v1")
}

/// Bound and not listening: nobody else gets the port.
fn bound() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A gateway that offers TLS is the vendor of the one under test.
async fn untrusted() -> Site {
    let vendor = vendor().await;
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (directory.path().join("certificate.pem"), directory.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.key_pair.serialize_pem()).unwrap();
    let prepared: Prepared = Gateway::prepare_file(&format!(
        "
listeners: [{{ address: '127.0.0.1:0', tls: {{ certificate: '{}', key: '{}' }} }}]
apis:
  - name: Vendor
    context: /v1
    vendor: openai
    authentication: none
    endpoints: {{ production: [{{ name: Primary, url: 'http://{}/v1' }}] }}
    operations: [{{ method: POST, path: /chat/completions }}]
",
        certificate.display(),
        key.display(),
        vendor.address()
    ));
    let running: Running = prepared.start();
    let url = format!("https://{}/v1", running.address());
    Site::with(url, (running, vendor, directory))
}
