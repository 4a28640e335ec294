//! `compat/libz-ng-sys`, through the crate that calls it: docs/adr/0002-zlib-without-cmake.md.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong panics where it goes wrong")]

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder, ZlibDecoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Read;

fn all_of(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(
        part in proptest::collection::vec(any::<u8>(), 0..500),
        times in 0usize..200,
        level in 0u32..=9,
    ) {
        let plain = part.repeat(times);
        let level = Compression::new(level);
        let zlib = all_of(ZlibEncoder::new(plain.as_slice(), level));
        prop_assert_eq!(&all_of(ZlibDecoder::new(zlib.as_slice())), &plain);
        let gzip = all_of(GzEncoder::new(plain.as_slice(), level));
        prop_assert_eq!(&all_of(GzDecoder::new(gzip.as_slice())), &plain);
    }
}

#[test]
fn text_becomes_smaller() {
    let plain = b"a level keel ".repeat(100);
    let compressed = all_of(ZlibEncoder::new(plain.as_slice(), Compression::default()));
    assert!(compressed.len() < plain.len() / 10, "{} bytes", compressed.len());
}

#[test]
fn what_is_not_compressed_is_an_error() {
    let mut bytes = Vec::new();
    assert!(ZlibDecoder::new(b"no zlib here".as_slice()).read_to_end(&mut bytes).is_err());
}
