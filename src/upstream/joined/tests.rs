use super::*;
use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

/// A connection, and the vendor's end of it.
fn connection() -> (Joined, DuplexStream) {
    let (inner, vendor) = duplex(1024 * 1024);
    (Joined::new(Box::new(inner)).unwrap(), vendor)
}

/// What has come to the vendor.
fn come(vendor: &mut DuplexStream) -> Vec<u8> {
    let mut came = Vec::new();
    while let Some(Ok(1..)) = tokio::task::unconstrained(vendor.read_buf(&mut came)).now_or_never() {}
    came
}

async fn send(joined: &mut Joined, bytes: &[u8]) {
    joined.write_all(bytes).await.unwrap();
    joined.flush().await.unwrap();
}

#[tokio::test]
async fn a_header_waits_for_its_body() {
    let (mut joined, mut vendor) = connection();
    for length in [1, 100, 100_000] {
        let body = vec![b'b'; length];
        joined.holder.hold();
        send(&mut joined, b"header").await;
        assert_eq!(come(&mut vendor), b"");
        send(&mut joined, &body).await;
        assert_eq!(come(&mut vendor), [b"header", &body[..]].concat());
        // Nothing is kept of it.
        send(&mut joined, b"more").await;
        assert_eq!(come(&mut vendor), b"more");
    }
}

#[tokio::test]
async fn nothing_waits_unasked() {
    let (mut joined, mut vendor) = connection();
    send(&mut joined, b"header").await;
    assert_eq!(come(&mut vendor), b"header");
    let slices = [IoSlice::new(b"one "), IoSlice::new(b"two")];
    assert_eq!(joined.write_vectored(&slices).await.unwrap(), 7);
    assert_eq!(come(&mut vendor), b"one two");
}

#[tokio::test]
async fn a_header_whose_body_never_comes_is_not_lost() {
    let (mut joined, mut vendor) = connection();
    joined.holder.hold();
    send(&mut joined, b"header").await;
    joined.flush().await.unwrap();
    assert_eq!(come(&mut vendor), b"header");
}

#[tokio::test]
async fn a_body_in_slices_comes_after_its_header() {
    let (mut joined, mut vendor) = connection();
    joined.holder.hold();
    send(&mut joined, b"header ").await;
    let mut slices = &mut [IoSlice::new(b""), IoSlice::new(b"one "), IoSlice::new(b"two")][..];
    while !slices.is_empty() {
        let written = joined.write_vectored(slices).await.unwrap();
        IoSlice::advance_slices(&mut slices, written);
    }
    assert_eq!(come(&mut vendor), b"header one two");
}

#[tokio::test]
async fn a_connection_that_takes_little_at_a_time_gets_all() {
    let (inner, mut vendor) = duplex(3);
    let mut joined = Joined::new(Box::new(inner)).unwrap();
    let reading = tokio::spawn(async move {
        let mut came = Vec::new();
        vendor.read_to_end(&mut came).await.unwrap();
        came
    });
    joined.holder.hold();
    send(&mut joined, b"a header").await;
    send(&mut joined, b" and a body").await;
    drop(joined);
    assert_eq!(reading.await.unwrap(), b"a header and a body");
}

#[tokio::test]
async fn it_is_told_by_its_digest() {
    let (joined, _vendor) = connection();
    let mut digest = Digest::default();
    assert!(Holder::of(None).is_none() && Holder::of(Some(&digest)).is_none());
    digest.proxy_digest = joined.get_proxy_digest();
    Holder::of(Some(&digest)).unwrap().hold();
    assert!(joined.holder.take() && !joined.holder.take());
}
