//! `evenkeel demo`

use super::{Failure, begin_log, print};
use crate::config;
use crate::mock::{MockVendor, Options};
use crate::server::{Addresses, Start, serve};
use std::env::VarError;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use tokio::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// The admin address.
    #[arg(long, default_value = "127.0.0.1:9901")]
    admin: SocketAddr,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    begin_log();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let vendor = start_vendor(&runtime)?;
    // Gone with the demo: a gateway of this machine has its keys and its upgrade socket where the default is.
    let state = tempfile::tempdir()?;
    let text = configuration(args, vendor.address(), state.path());
    let loaded = config::parse("demo", &text, &Nothing).map_err(|report| {
        // The text is our own: an error in it is ours, too.
        Failure::Internal(report.to_string())
    })?;
    serve(loaded, None, Start::default(), Box::new(tell))?;
    runtime.block_on(vendor.stop());
    Ok(())
}

fn start_vendor(runtime: &Runtime) -> Result<MockVendor, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(runtime.block_on(MockVendor::start(listener, Options::default()))?)
}

fn configuration(args: &Args, vendor: SocketAddr, state: &Path) -> String {
    let (address, admin) = (args.address, args.admin);
    format!(
        r#"
server: {{ grace_period_seconds: 0 }}
listeners: [ {{ address: "{address}" }} ]
admin: {{ address: "{admin}" }}
state_dir: '{state}'
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: Default Production Endpoint, url: "http://{vendor}/v1", credential: demo }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: gpt-4o, weight: 50 }}
            - {{ model: gpt-4o-mini, weight: 50 }}
          suspend_duration: 30
      - {{ method: GET, path: /models }}
"#,
        state = state.display()
    )
}

/// The demo's configuration takes nothing from outside.
struct Nothing;

impl config::Outside for Nothing {
    fn variable(&self, _name: &str) -> Result<String, VarError> {
        Err(VarError::NotPresent)
    }

    fn file(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn tell(addresses: &Addresses) {
    let Some((address, _)) = addresses.listeners.first() else {
        return;
    };
    let text = format!(
        r#"
Evenkeel balances http://{address}/smartchat over gpt-4o and gpt-4o-mini, half and half, at a built-in mock vendor.
Ask for any model, and see in the answer which one served:

  curl -s http://{address}/smartchat/chat/completions -H 'content-type: application/json' -d '{{"model":"o3-mini","messages":[{{"role":"user","content":"Hello"}}]}}'

Readiness: http://{admin}/readyz    Ctrl-C ends it.
"#,
        admin = addresses.admin
    );
    let _ = print(&text);
}
