//! The least that a Pingora proxy is: it passes every request on to one address, and changes nothing. What Evenkeel does
//! is measured against it.
//!
//! `pingora-bare LISTEN UPSTREAM THREADS`

#![forbid(unsafe_code)]

use async_trait::async_trait;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorType, Result};
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};
use std::net::SocketAddr;

struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, threads] = arguments.as_slice() else {
        return Error::e_explain(ErrorType::InternalError, "usage: pingora-bare LISTEN UPSTREAM THREADS");
    };
    let invalid = |what: &str| Error::explain(ErrorType::InternalError, format!("not a valid {what}"));
    let upstream = upstream.parse().map_err(|_| invalid("upstream address"))?;
    let threads = threads.parse().map_err(|_| invalid("number of threads"))?;
    let conf = ServerConf { threads, upstream_keepalive_pool_size: 1024, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare(upstream));
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever()
}
