//! The table of `docs/vendors.md`, made of what the vendors are held to.

use crate::support::hold_document;
use crate::vendors_play::fixture;
use crate::vendors_rows::{Audio, Credential, Has, Spoken, all};
use std::fmt::Write as _;
use std::fs;

const BEGIN: &str = "<!-- The table is made by tests/integration/vendors_document.rs. -->\n";
const END: &str = "\n## Limits\n";
const COLUMNS: [&str; 11] = [
    "vendor",
    "credential",
    "chat",
    "stream",
    "embeddings",
    "audio",
    "tools",
    "error shape",
    "usage whole",
    "usage streamed",
    "quota header",
];
const LEGEND: &str = "
Each cell is a run of the binary between a client and a vendor on loopback, which ask and answer as that vendor's do: once for
each of two pairs.

- **credential**: how the endpoint's credential was seen; the client's key was nowhere. SigV4 was verified by its description. A second
  header is one that was set where the request had none, and passed where it had.
- **chat**, **stream**, **embeddings**, **audio**: where the vendor saw the pair's model in the place of the one asked for. All
  other bytes of the path, the query and the body were as they had been sent; the client got the vendor's answer byte for byte. A form
  was sent with its model before the file and after it.
- **tools**: a request and an answer with calls of tools passed, and a `model` within schemas and arguments stayed.
- **error shape**: a status 400 reached the client byte for byte and suspended nothing. An event of the kind named reached the client
  and suspended its pair for `stream`; the other pair served on.
- **usage**: where the access log's prompt, completion and total tokens came from, and whether cached tokens and the answering model
  were there. The same answers were read compressed with gzip.
- **quota header**: with a value of 0 in this header the pair was suspended for `quota`. Of a vendor without one,
  `x-ratelimit-remaining-tokens: 0` suspended nothing.
";

/// What is not there is marked by a number, and told of below the table.
#[derive(Default)]
struct Reasons(Vec<String>);

impl Reasons {
    fn cell(&mut self, column: &str, cell: Has<String>) -> String {
        let reason = match cell {
            Ok(cell) => return cell,
            Err(reason) => format!("{column}: {reason}."),
        };
        let known = self.0.iter().position(|known| *known == reason);
        let number = known.unwrap_or_else(|| {
            self.0.push(reason);
            self.0.len() - 1
        });
        format!("– ({})", number + 1)
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn credential(spoken: &Spoken) -> String {
    match spoken.credential {
        Credential::ServiceAccount => "OAuth2".to_owned(),
        Credential::Header("authorization", _) if spoken.vendor == "aws-bedrock" => {
            "SigV4, Bearer".to_owned()
        }
        Credential::Header("authorization", _) => "Bearer".to_owned(),
        Credential::Header(header, _) => match spoken.default_header {
            Some((default, _)) => format!("`{header}`, `{default}`"),
            None => code(header),
        },
    }
}

fn audio(spoken: &Spoken) -> Has<String> {
    let mut words = spoken.audio_calls()?[0].places();
    if let Ok(Audio::File(_)) = spoken.audio {
        words.push("the file is the body");
    }
    Ok(words.join(", "))
}

/// The kind of the event with which the stream of the fixture fails.
fn error_event(spoken: &Spoken) -> String {
    let text = String::from_utf8(fixture(&format!("{}/stream-error.txt", spoken.vendor))).unwrap();
    if let Some((_, exception)) = text.split_once("exception ") {
        return code(exception.split(' ').next().unwrap());
    }
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let name = last.lines().find(|line| line.starts_with("event: "));
    code(name.unwrap_or_else(|| {
        assert!(last.contains("\"error\":"), "{last}");
        "\"error\": …"
    }))
}

fn usage(spoken: &Spoken, file: &str, members: &[&str]) -> String {
    let text = String::from_utf8(fixture(&format!("{}/{file}", spoken.vendor))).unwrap();
    for name in members.iter().flat_map(|member| member.split('.')) {
        assert!(text.contains(&format!("\"{name}\"")), "{} {file}: {name}", spoken.vendor);
    }
    let mut words: Vec<_> = members.iter().map(|member| code(member)).collect();
    words.extend(spoken.cached.then(|| "cached".to_owned()));
    words.extend(spoken.response_model.map(|_| "model".to_owned()));
    words.join(", ")
}

fn row(spoken: &Spoken, reasons: &mut Reasons) -> [String; 11] {
    let framing = if spoken.dialect == "bedrock" { "AWS event stream" } else { "SSE" };
    [
        code(spoken.vendor),
        credential(spoken),
        spoken.chat_call().places().join(", "),
        format!("{}; {framing}", spoken.stream_call().places().join(", ")),
        reasons.cell("embeddings", spoken.embeddings_call().map(|call| call.places().join(", "))),
        reasons.cell("audio", audio(spoken)),
        "unchanged".to_owned(),
        format!("400; {}", error_event(spoken)),
        usage(spoken, "chat.json", spoken.usage),
        usage(spoken, "stream.txt", spoken.usage_streamed),
        reasons.cell("quota header", spoken.quota.map(code)),
    ]
}

fn table() -> String {
    let mut reasons = Reasons::default();
    let mut text = format!("{BEGIN}\n| {} |\n|{}\n", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len()));
    for spoken in all() {
        let _ = writeln!(text, "| {} |", row(&spoken, &mut reasons).join(" | "));
    }
    text.push('\n');
    for (number, reason) in reasons.0.iter().enumerate() {
        let _ = writeln!(text, "{}. {reason}", number + 1);
    }
    text + LEGEND
}

#[test]
fn the_document_has_the_table_of_vendors() {
    hold_document("vendors", BEGIN, Some(END), &table());
}

#[test]
fn every_vendor_is_in_the_table() {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/vendors")).unwrap();
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let mut vendors: Vec<_> = all().iter().map(|spoken| spoken.vendor.to_owned()).collect();
    files.sort();
    vendors.sort();
    assert_eq!(vendors, files);
}
