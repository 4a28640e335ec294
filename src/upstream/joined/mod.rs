//! A request's header and its body, sent together.
//!
//! Pingora sends a request's header to the vendor by itself, and then the body: two segments, two wake-ups of the vendor,
//! two runs through the kernel, which are the dearest part of a small request (`docs/performance.md`). A body that is to
//! have its model replaced is whole before its header goes, so the two can go as one. Pingora asks a connector of ours for
//! the connection of every HTTP/1 endpoint, and goes on with it as with its own: it pools it, and speaks HTTP/1 on it. What
//! it gets is a [`Joined`], which keeps the next header back until its body comes, if it is told to by [`Holder::hold`].

use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::connectors::http::custom::{Connection, Connector};
use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::tls::{CustomALPN, SslDigest, TlsRef};
use pingora_core::protocols::{
    Digest, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use pingora_core::upstreams::peer::{ALPN, Peer};
use pingora_http::ResponseHeader;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a peer has in the place of its protocols to be connected by [`Joining`]. It is never offered to a vendor.
const NAME: &[u8] = b"evenkeel/joined";

/// The mark of a peer that is to be connected by [`Joining`].
pub(super) fn protocol() -> ALPN {
    ALPN::Custom(CustomALPN::new(NAME.to_vec()))
}

/// Connects to the endpoints that speak HTTP/1.
pub struct Joining {
    transport: TransportConnector,
}

impl Joining {
    /// A connector with these options.
    pub fn new(options: ConnectorOptions) -> Self {
        Self { transport: TransportConnector::new(Some(options)) }
    }
}

#[async_trait]
impl Connector for Joining {
    /// There are none: what is made here are connections, on which Pingora speaks HTTP/1.
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        peer: &P,
    ) -> Result<(Connection<()>, bool)> {
        let mut peer = peer.clone();
        if let Some(options) = peer.get_mut_peer_options() {
            options.alpn = ALPN::H1;
        }
        let stream = self.transport.new_stream(&peer).await?;
        Ok((Connection::Stream(Box::new(Joined::new(stream)?)), false))
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _peer: &P) -> Option<()> {
        None
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        _session: (),
        _peer: &P,
        _idle_timeout: Option<Duration>,
    ) {
    }
}

/// What a connection is told by.
#[derive(Debug, Clone, Default)]
pub struct Holder(Arc<AtomicBool>);

impl Holder {
    /// That of the connection that has this digest, if it was made by [`Joining`].
    pub fn of(digest: Option<&Digest>) -> Option<&Self> {
        digest?.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref()
    }

    /// What is written next is a request's header, and is to wait for its body, which is there.
    pub fn hold(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        // Both are called by the one request that has the connection.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// A connection that can keep a header back until its body comes.
#[derive(Debug)]
struct Joined {
    inner: Stream,
    holder: Holder,
    digest: Arc<ProxyDigest>,
    /// What has been kept back.
    held: Vec<u8>,
    /// Whether the next flush is the header's own, which is left out.
    skip_flush: bool,
}

impl Joined {
    fn new(inner: Stream) -> Result<Self> {
        let holder = Holder::default();
        // Pingora has no other place in which a connection can keep something for those who use it.
        let response = Box::new(ResponseHeader::build(200, Some(0))?);
        let digest = Arc::new(ProxyDigest::new(response, Some(Box::new(holder.clone()))));
        Ok(Self { inner, holder, digest, held: Vec::new(), skip_flush: false })
    }

    /// Writes what has been kept back, and as much of `next` as goes with it. Returns how much of `next` was written.
    fn poll_write_held(&mut self, cx: &mut Context<'_>, next: &[u8]) -> Poll<io::Result<usize>> {
        while !self.held.is_empty() {
            let both = [IoSlice::new(&self.held), IoSlice::new(next)];
            let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, &both))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some(of_next) = written.checked_sub(self.held.len()) {
                self.held.clear();
                if of_next > 0 {
                    return Poll::Ready(Ok(of_next));
                }
            } else {
                self.held.drain(..written);
            }
        }
        Poll::Ready(Ok(0))
    }
}

impl AsyncRead for Joined {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Joined {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.holder.take() {
            this.held.extend_from_slice(bytes);
            this.skip_flush = true;
            return Poll::Ready(Ok(bytes.len()));
        }
        match ready!(this.poll_write_held(cx, bytes))? {
            0 => Pin::new(&mut this.inner).poll_write(cx, bytes),
            written => Poll::Ready(Ok(written)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.held.is_empty() && !self.holder.0.load(Ordering::Relaxed) {
            return Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(cx, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.held.is_empty() {
            if std::mem::take(&mut this.skip_flush) {
                return Poll::Ready(Ok(()));
            }
            // No body came.
            ready!(this.poll_write_held(cx, &[]))?;
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Joined {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for Joined {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Joined {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Joined {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Joined {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl GetSocketDigest for Joined {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

impl Peek for Joined {}

#[cfg(test)]
mod tests;
