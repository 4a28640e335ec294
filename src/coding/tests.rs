use super::*;
use flate2::Compression;
use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write as _;

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fn all_of(mut reader: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn encoded(coding: Coding, plain: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => all_of(GzEncoder::new(plain, Compression::default())),
        Coding::Deflate => all_of(ZlibEncoder::new(plain, Compression::default())),
        Coding::Brotli => all_of(brotli::CompressorReader::new(plain, 4096, 5, 18)),
        Coding::Zstd => zstd::encode_all(plain, 3).unwrap(),
    }
}

/// What comes of a body in chunks of `size`, and whether it is whole.
fn decoded(coding: Coding, body: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::new();
    let mut decoder = Decoder::new(coding);
    for chunk in body.chunks(size) {
        let flow = decoder.feed(chunk, &mut |piece| {
            assert!(piece.len() <= PIECE);
            plain.extend_from_slice(piece);
            ControlFlow::<()>::Continue(())
        })?;
        assert!(flow.is_continue());
    }
    decoder.finish().map(|()| plain)
}

#[test]
fn codings_have_their_names() {
    for (values, expected) in [
        (vec![], Ok(None)),
        (vec![""], Ok(None)),
        (vec!["identity"], Ok(None)),
        (vec![" Identity , "], Ok(None)),
        (vec!["gzip"], Ok(Some(Coding::Gzip))),
        (vec!["X-GZIP"], Ok(Some(Coding::Gzip))),
        (vec!["identity, br"], Ok(Some(Coding::Brotli))),
        (vec!["identity", "zstd"], Ok(Some(Coding::Zstd))),
        (vec!["deflate"], Ok(Some(Coding::Deflate))),
        (vec!["gzip, gzip"], Err("more than one content coding")),
        (vec!["gzip", "br"], Err("more than one content coding")),
        (vec!["compress"], Err("the content coding `compress` is not known")),
        (vec!["a\u{1}"], Err("the content coding `a\\x01` is not known")),
    ] {
        let found = Coding::of(values.iter().map(|value| value.as_bytes()));
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{values:?}");
    }
    for coding in ALL {
        assert_eq!(Coding::of([coding.name().as_bytes()]), Ok(Some(coding)));
    }
}

#[test]
fn deflate_without_its_header() {
    let plain = b"a level keel ".repeat(1000);
    let bare = all_of(DeflateEncoder::new(plain.as_slice(), Compression::default()));
    for size in [1, 2, 3, bare.len()] {
        assert_eq!(decoded(Coding::Deflate, &bare, size).as_ref(), Ok(&plain));
    }
    // The smallest there is: one empty block, shorter than a header and what it is told by.
    let empty = all_of(DeflateEncoder::new([].as_slice(), Compression::default()));
    assert_eq!(decoded(Coding::Deflate, &empty, 1), Ok(Vec::new()));
}

#[test]
fn members_and_frames_in_a_row_are_one_body() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let body = [encoded(coding, b"one "), encoded(coding, b""), encoded(coding, b"body")].concat();
        for size in [1, 5, 1000] {
            assert_eq!(decoded(coding, &body, size), Ok(b"one body".to_vec()), "{coding:?}");
        }
    }
}

#[test]
fn what_follows_the_end_is_an_error() {
    for coding in ALL {
        let body = encoded(coding, b"a body");
        for after in [&b"\0"[..], b"more", b"[1,2,3]"] {
            let body = [&body, after].concat();
            for size in [1, 1000] {
                let found = decoded(coding, &body, size);
                let expected = match (coding, after.len()) {
                    // It could be the beginning of another frame.
                    (Coding::Zstd, ..4) => DecodeError::Truncated("zstd"),
                    _ => DecodeError::Trailing(coding.name()),
                };
                assert_eq!(found, Err(expected), "{after:?} {size}");
            }
        }
    }
}

#[test]
fn what_is_cut_off_is_an_error() {
    for coding in ALL {
        let body = encoded(coding, b"a body that is cut off somewhere");
        for length in 0..body.len() {
            let found = decoded(coding, &body[..length], 7);
            assert_eq!(found, Err(DecodeError::Truncated(coding.name())), "{coding:?} {length}");
        }
    }
}

#[test]
fn what_is_of_no_coding_is_an_error_and_stays_one() {
    for coding in ALL {
        let mut decoder = Decoder::new(coding);
        let mut take = |_: &[u8]| ControlFlow::<()>::Continue(());
        let body = b"{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\"}]}";
        let error = decoder.feed(body, &mut take).unwrap_err();
        assert_eq!(decoder.feed(b"", &mut take).unwrap_err(), error);
        assert_eq!(decoder.finish(), Err(error));
        assert!(error.to_string().contains(coding.name()));
    }
}

#[test]
fn a_checksum_that_is_wrong_is_an_error() {
    let mut body = encoded(Coding::Gzip, b"a body");
    let at = body.len() - 5;
    body[at] ^= 1;
    assert_eq!(decoded(Coding::Gzip, &body, 1000), Err(DecodeError::Invalid("gzip")));
}

#[test]
fn a_bomb_is_stopped_where_it_is_enough() {
    for coding in ALL {
        let bomb = encoded(coding, &vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000, "{coding:?}");
        let mut taken = 0;
        let flow = Decoder::new(coding).feed(&bomb, &mut |piece| {
            taken += piece.len();
            if taken > 1 << 20 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        });
        assert_eq!(flow, Ok(ControlFlow::Break("enough")));
        assert!(taken <= (1 << 20) + PIECE);
    }
}

#[test]
fn zstd_has_no_larger_window_than_eight_mebibytes() {
    let windowed = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(log)).unwrap();
        encoder.write_all(b"a body").unwrap();
        encoder.flush().unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(decoded(Coding::Zstd, &windowed(23), 1000), Ok(b"a body".to_vec()));
    assert_eq!(decoded(Coding::Zstd, &windowed(24), 1000), Err(DecodeError::Invalid("zstd")));
}

#[test]
fn zstd_frames_that_are_to_be_skipped_are_and_older_formats_are_none() {
    let skipped = [&[0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let body = [skipped.clone(), encoded(Coding::Zstd, b"a body"), skipped].concat();
    assert_eq!(decoded(Coding::Zstd, &body, 1), Ok(b"a body".to_vec()));
    let older = [0x27, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0];
    assert_eq!(decoded(Coding::Zstd, &older, 8), Err(DecodeError::Invalid("zstd")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn wherever_a_body_is_cut_it_comes_back(
        part in prop::collection::vec(any::<u8>(), 0..300),
        times in 0usize..300,
        size in 1usize..2000,
    ) {
        let plain = part.repeat(times);
        for coding in ALL {
            let body = encoded(coding, &plain);
            let found = decoded(coding, &body, size);
            prop_assert_eq!(found.as_ref(), Ok(&plain), "{:?}", coding);
        }
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..300, at in 0usize..50) {
        for coding in ALL {
            let _ = decoded(coding, &bytes, size);
            // Something that begins well.
            let mut body = encoded(coding, &bytes);
            let at = at % body.len();
            body[at] = body[at].wrapping_add(1);
            let _ = decoded(coding, &body, size);
        }
    }
}
