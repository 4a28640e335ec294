//! Verifying a signature of AWS as its receiver does, by the description of Signature Version 4 and none of its libraries.

use crate::support::Asked;
use sha2::{Digest, Sha256};

/// The signature of a request is that of `secret`, for `region` and `service`, and covers `signed`.
pub fn assert_signed(
    asked: &Asked,
    key_id: &str,
    secret: &str,
    region: &str,
    service: &str,
    signed: &[&str],
) {
    let authorization = asked.header("authorization");
    let moment = asked.header("x-amz-date");
    let scope = format!("{}/{region}/{service}/aws4_request", &moment[..8]);
    let rest =
        authorization.strip_prefix(&format!("AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders="));
    let (names, signature) = rest.and_then(|rest| rest.split_once(", Signature=")).expect(authorization);
    for name in signed {
        assert!(names.split(';').any(|known| known == *name), "{name} is not signed: {authorization}");
    }
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hash(canonical(asked, names).as_bytes()));
    let mut derived = format!("AWS4{secret}").into_bytes();
    for part in [&moment[..8], region, service, "aws4_request", &to_sign] {
        derived = hmac(&derived, part.as_bytes());
    }
    assert_eq!(hex(&derived), signature, "{asked:?}");
}

fn canonical(asked: &Asked, names: &str) -> String {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    // All services but S3 encode the path that was sent once more.
    let path = path.replace('%', "%25");
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", asked.header(name).trim())).collect();
    format!("{}\n{path}\n{query}\n{headers}\n{names}\n{}", asked.method, hash(&asked.body))
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// RFC 2104, for keys of a block at most.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let with = |pad: u8, text: &[u8]| {
        let mut all: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
        all.extend_from_slice(text);
        Sha256::digest(&all).to_vec()
    };
    with(0x5c, &with(0x36, text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
