//! One vendor's clients, the gateway and the vendor, and what each of them sees.

use crate::support::{Asked, Body, Client, Reply, Running, Scripted, post};
use crate::vendors_rows::{Audio, Credential, Has, Name, Spoken};
use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;
use std::fs;

/// The credential of every endpoint, and the token that a service account gets.
pub const SECRET: &str = "sk-of-the-endpoint";
const MODEL: &[u8] = b"{model}";

/// The file `name` in `tests/vendors/`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/vendors/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `template` with `model` in each of its places.
pub fn fill(template: &[u8], model: &str) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = template;
    while let Some(at) = memchr::memmem::find(rest, MODEL) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(model.as_bytes());
        rest = &rest[at + MODEL.len()..];
    }
    filled.extend_from_slice(rest);
    filled
}

/// A request with places for its model.
#[derive(Clone)]
pub struct Call {
    pub path: &'static str,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Call {
    /// One with this file as its body.
    pub fn json(path: &'static str, file: &str) -> Self {
        Self { path, content_type: "application/json", body: fixture(&format!("requests/{file}.json")) }
    }

    /// Where the model stands in it.
    pub fn places(&self) -> Vec<&'static str> {
        let in_body = memchr::memmem::find(&self.body, MODEL).is_some();
        let body = if self.content_type == "application/json" { "JSON" } else { "form" };
        let there = [(self.path.contains("{model}"), "path"), (in_body, body)];
        there.into_iter().filter(|(is_there, _)| *is_there).map(|(_, place)| place).collect()
    }
}

/// The requests of a vendor's clients.
impl Spoken {
    pub fn chat_call(&self) -> Call {
        Call::json(self.chat, &format!("{}/chat", self.dialect))
    }

    pub fn stream_call(&self) -> Call {
        Call::json(self.stream.unwrap_or(self.chat), &format!("{}/stream", self.dialect))
    }

    pub fn tools_call(&self) -> Call {
        Call::json(self.chat, &format!("{}/tools", self.dialect))
    }

    pub fn embeddings_call(&self) -> Has<Call> {
        self.embeddings.map(|(path, dialect)| Call::json(path, &format!("{dialect}/embeddings")))
    }

    /// The model before the file and after it, where there is a form.
    pub fn audio_calls(&self) -> Has<Vec<Call>> {
        let path = match self.audio? {
            Audio::File(path) => return Ok(vec![Call { path, content_type: "audio/wav", body: file() }]),
            Audio::Form(path) => path,
        };
        let part = |head: &str, content: &[u8]| {
            [
                b"------b0undary\r\nContent-Disposition: form-data; ",
                head.as_bytes(),
                b"\r\n\r\n",
                content,
                b"\r\n",
            ]
            .concat()
        };
        let field = part("name=\"model\"", MODEL);
        let file = part("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", &file());
        let call = |parts: [&[u8]; 2]| {
            let body = [&parts.concat(), b"------b0undary--\r\n".as_slice()].concat();
            Call { path, content_type: "multipart/form-data; boundary=----b0undary", body }
        };
        Ok(vec![call([&field, &file]), call([&file, &field])])
    }
}

/// A file of audio in which a form's reader could lose its way.
fn file() -> Vec<u8> {
    let mut file =
        b"RIFF\0\0\0\0WAVE\r\n------b0undar\r\nname=\"model\"\r\n\r\n\"model\": \"x\"\r\n".to_vec();
    file.extend(0..=255);
    file
}

/// What came of a call.
pub struct Came {
    /// The line of the access log.
    pub line: Value,
    pub served: String,
    pub asked: Asked,
}

/// A vendor's client before the gateway, and the vendor behind it.
pub struct Play<'g> {
    pub spoken: Spoken,
    pub gateway: &'g Running,
    pub vendor: Scripted,
    pub key: &'g str,
}

impl Play<'_> {
    /// A request of a vendor's client to `api`.
    pub fn request(&self, api: &str, call: &Call, asked: Name) -> Request<Body> {
        let path = String::from_utf8(fill(call.path.as_bytes(), asked.in_path)).unwrap();
        let mut request = post(&format!("/{api}{path}"), None, fill(&call.body, asked.plain));
        let (header, prefix) = self.spoken.key;
        let headers = request.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(call.content_type));
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        headers.insert(
            HeaderName::from_static(header),
            HeaderValue::try_from(format!("{prefix}{}", self.key)).unwrap(),
        );
        request
    }

    /// Sends `call` to `api`, and checks what the vendor saw and what the client got of `reply`.
    pub async fn call(&self, client: &mut Client, api: &str, call: &Call, reply: &Reply) -> Came {
        self.vendor.always(reply.clone());
        let answer = client.send(self.request(api, call, self.spoken.asked)).await;
        let about = format!("{api} {}", call.path);
        let line = self.gateway.access_line();
        let asked = self.vendor.take().pop().unwrap_or_else(|| panic!("{about}: {answer:?}"));
        let served = answer.header("x-evenkeel-model").to_owned();
        self.assert_asked(&about, call, &served, &asked);
        assert_eq!(answer.status.as_u16(), reply.status, "{about}");
        assert_eq!(answer.body, reply.body, "{about}: the client's answer");
        for (name, value) in &reply.headers {
            assert_eq!(answer.header(name), *value, "{about}");
        }
        assert!(!call.places().is_empty(), "{about}");
        assert_eq!(line["asked_model"], self.spoken.asked.plain, "{about}: {line}");
        assert_eq!((&line["model"], &line["status"]), (&served.as_str().into(), &reply.status.into()));
        Came { line, served, asked }
    }

    /// The vendor saw the served model in the asked one's place, and all else as it was.
    fn assert_asked(&self, about: &str, call: &Call, served: &str, asked: &Asked) {
        let name = self.spoken.pairs.iter().find(|pair| pair.plain == served);
        let name = name.unwrap_or_else(|| panic!("{about}: {served:?} is no pair's"));
        let path = String::from_utf8(fill(call.path.as_bytes(), name.in_path)).unwrap();
        assert_eq!(asked.target, format!("{}{path}", self.spoken.base), "{about}: the path");
        assert_eq!(asked.method, "POST");
        let body = fill(&call.body, name.plain);
        assert!(asked.body == body, "{about}: {:?} instead of {:?}", asked.body, bytes::Bytes::from(body));
        assert_eq!(asked.header("content-length"), asked.body.len().to_string(), "{about}");
        assert_eq!(asked.header("content-type"), call.content_type, "{about}");
        assert_eq!(asked.header("accept-encoding"), "gzip", "{about}");
        assert_eq!(asked.header("host"), self.vendor.address().to_string(), "{about}");
        self.assert_credential(about, asked);
        if let Some((name, value)) = self.spoken.default_header {
            assert_eq!(asked.header(name), value, "{about}");
        }
    }

    /// The endpoint's credential is there in the vendor's own way, and the client's key nowhere.
    fn assert_credential(&self, about: &str, asked: &Asked) {
        let shown = format!("{asked:?}");
        assert!(!shown.contains(self.key), "{about}: the client's key in {shown}");
        if about.split(' ').next().is_some_and(|api| api.ends_with("-signed")) {
            return;
        }
        let (header, prefix) = match self.spoken.credential {
            Credential::Header(header, prefix) => (header, prefix),
            Credential::ServiceAccount => ("authorization", "Bearer "),
        };
        assert_eq!(asked.header(header), format!("{prefix}{SECRET}"), "{about}");
        for other in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "apikey"] {
            assert!(other == header || !asked.headers.contains_key(other), "{about}: {other} in {shown}");
        }
    }

    /// Makes one call for each of the pairs, which take turns.
    pub async fn each(&self, client: &mut Client, api: &str, call: &Call, reply: &Reply) -> [Came; 2] {
        let both = [self.call(client, api, call, reply).await, self.call(client, api, call, reply).await];
        assert_ne!(both[0].served, both[1].served, "{api} {}", call.path);
        both
    }
}
