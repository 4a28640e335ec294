//! Answers that come before the client has sent its whole body, over HTTP/2: the rest is taken for a while, so that a client
//! that looks at the answer only then finds it, and is not told of a stream that was reset.

use crate::support::{Gateway, Running, Scripted};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::{Request, StatusCode};
use std::future::poll_fn;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const PART: usize = 16 * 1024;
/// Far more than anything here needs on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn gateway() -> (Scripted, Running) {
    let vendor = Scripted::start().await;
    let gateway = Gateway::start(&format!(
        "
  - name: Smart
    context: /smart
    vendor: openai
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{}' }}] }}
    operations:
      - {{ method: POST, path: /chat/completions, policy: {{ type: model_round_robin, production: [{{ model: m }}] }} }}",
        vendor.address()
    ));
    (vendor, gateway)
}

async fn connect(gateway: &Running) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn begin(
    sender: &SendRequest<Bytes>,
    path: &str,
    length: Option<usize>,
) -> (ResponseFuture, SendStream<Bytes>) {
    let mut request = Request::post(format!("http://gateway.test{path}"));
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    let mut sender = sender.clone().ready().await.unwrap();
    sender.send_request(request.body(()).unwrap(), false).unwrap()
}

/// The status of the answer, which is whole.
async fn answered(response: ResponseFuture) -> StatusCode {
    let (parts, mut body) = timeout(PATIENCE, response).await.expect("no answer").unwrap().into_parts();
    while let Some(part) = body.data().await {
        let length = part.unwrap().len();
        body.flow_control().release_capacity(length).unwrap();
    }
    parts.status
}

/// Sends so many bytes; `None` if the gateway has reset the stream.
async fn send(stream: &mut SendStream<Bytes>, mut length: usize) -> Option<()> {
    while length > 0 {
        let part = length.min(PART);
        stream.reserve_capacity(part);
        let granted = poll_fn(|cx| stream.poll_capacity(cx)).await?.ok()?.min(part);
        stream.send_data(Bytes::from(vec![b'x'; granted]), false).ok()?;
        length -= granted;
    }
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_refused_body_is_taken() {
    let (vendor, gateway) = gateway().await;
    let sender = connect(&gateway).await;
    let (too_large, much) = (Some((20 << 20) + 1), 4 << 20);
    for (path, length, status) in [
        ("/nowhere", None, 404),
        ("/nowhere", Some(much + 1), 404),
        ("/smart/chat/completions", too_large, 413),
    ] {
        let (response, mut stream) = begin(&sender, path, length).await;
        send(&mut stream, 1).await.unwrap();
        assert_eq!(answered(response).await, status, "{path}");
        let rest = length.unwrap_or(much) - 1;
        timeout(PATIENCE, send(&mut stream, rest)).await.expect(path).expect("the stream was reset");
        stream.send_data(Bytes::new(), true).expect("the stream was reset");
    }
    assert!(vendor.take().is_empty());
}

/// Only found to be too large as it comes.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_body_of_untold_length_is_taken() {
    let (_vendor, gateway) = gateway().await;
    let sender = connect(&gateway).await;
    let (response, mut stream) = begin(&sender, "/smart/chat/completions", None).await;
    send(&mut stream, 30 << 20).await.expect("the stream was reset");
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(answered(response).await, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_reset() {
    let (_vendor, gateway) = gateway().await;
    let sender = connect(&gateway).await;
    // One that sends nothing more, and one that does not stop.
    let (response, mut silent) = begin(&sender, "/nowhere", None).await;
    assert_eq!(answered(response).await, 404);
    let began = Instant::now();
    let reason = timeout(PATIENCE, poll_fn(|cx| silent.poll_reset(cx))).await.expect("no reset").unwrap();
    assert_eq!(reason, Reason::NO_ERROR);
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    let (response, mut endless) = begin(&sender, "/nowhere", None).await;
    assert_eq!(answered(response).await, 404);
    let sent = timeout(PATIENCE, send(&mut endless, usize::MAX)).await.expect("no reset");
    assert_eq!(sent, None);
    // The connection goes on.
    let (response, mut stream) = begin(&sender, "/nowhere", None).await;
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(answered(response).await, 404);
}
