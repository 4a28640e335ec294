//! What is found in forms, and in which words others are refused.

use super::*;
use crate::splice::{ModelToken, splice};

const DISPOSITION: &str = "Content-Disposition: form-data";

fn located(body: &str) -> Result<Place, FormError> {
    locate_in_form(body.as_bytes(), &Boundary::of(b"multipart/form-data; boundary=b").unwrap(), "model")
}

/// A part with these headers and this content.
fn part(headers: &str, content: &str) -> String {
    format!("--b\r\n{headers}\r\n\r\n{content}\r\n")
}

fn field(name: &str, content: &str) -> String {
    part(&format!("{DISPOSITION}; name=\"{name}\""), content)
}

fn file(content: &str) -> String {
    part(&format!("{DISPOSITION}; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg"), content)
}

fn form(parts: &[&str]) -> String {
    parts.concat() + "--b--\r\n"
}

#[test]
fn the_field_is_found_wherever_it_stands() {
    let awkward = file("\r\n--\r\n--bb\r\n--b-\r\n\r\n--b --x\r\n--\u{0}model\r\n-- b\r\n");
    let table = [
        form(&[&field("model", "whisper-1")]),
        form(&[&field("model", "whisper-1"), &file("abc")]),
        form(&[&file("abc"), &field("n", "1"), &field("model", "whisper-1"), &field("Model", "2")]),
        form(&[&awkward, &field("model", "whisper-1"), &awkward]),
        form(&[&file(""), &field("model", "whisper-1")]),
        form(&[&file("").replace("a.mp3", "my \"best\" song; v2.mp3\\"), &field("model", "whisper-1")]),
        form(&[&part("content-disposition:FORM-DATA;NAME=model", "whisper-1")]),
        form(&[&part(
            &format!("X: y\r\n{DISPOSITION};\r\n\tname=\"model\"; x*=y\r\nContent-Type: text/plain"),
            "whisper-1",
        )]),
        form(&[&part(&format!("{DISPOSITION}; name=model\r\nContent-Transfer-Encoding: 8BIT"), "whisper-1")]),
        format!("a preamble\r\n--bb\r\n{}--b-- \t\r\nan epilogue\r\n--b\r\n", field("model", "whisper-1")),
        format!("\r\n{}--b--", field("model", "whisper-1")),
        form(&[&field("model", "whisper-1").replacen("--b\r\n", "--b \t \r\n", 1)]),
        form(&[&field("model", "")]),
        form(&[&field("model", "a\r\nb \u{e9}\u{1f600}")]),
    ];
    for body in table {
        let Ok(Place::Value { span, asked, form: Form::Plain }) = located(&body) else {
            panic!("no model in {body}: {:?}", located(&body));
        };
        assert_eq!(body[span.clone()], *asked, "{body}");
        assert!(["whisper-1", "", "a\r\nb \u{e9}\u{1f600}"].contains(&&*asked), "{body}");
        assert!(
            body[..span.start].ends_with("\r\n\r\n") && body[span.end..].starts_with("\r\n--b"),
            "{body}"
        );
    }
}

#[test]
fn a_form_without_the_field_gains_it() {
    let model = ModelToken::new("whisper-1");
    for body in [form(&[]), form(&[&file("abc")]), form(&[&field("models", "a"), &field("MODEL", "b")])] {
        for preamble in ["", "a preamble\r\n"] {
            let spliced = splice(
                format!("{preamble}{body}").as_bytes(),
                &located(&format!("{preamble}{body}")).unwrap(),
                &model,
            );
            let expected = format!("{preamble}{}{body}", field("model", "whisper-1"));
            assert_eq!(String::from_utf8_lossy(&spliced), expected);
            assert_eq!(located(&expected).unwrap().asked(), Some("whisper-1"));
        }
    }
}

#[test]
fn a_field_without_even_a_line_break_gains_one() {
    let body = form(&[&format!("--b\r\n{DISPOSITION}; name=model\r\n\r\n"), &file("abc")]);
    let spliced = splice(body.as_bytes(), &located(&body).unwrap(), &ModelToken::new("m"));
    let expected = form(&[&part(&format!("{DISPOSITION}; name=model"), "m"), &file("abc")]);
    assert_eq!(String::from_utf8_lossy(&spliced), expected);
}

#[test]
fn a_field_of_an_awkward_name_is_written_as_browsers_write_it() {
    let boundary = Boundary::of(b"multipart/form-data; boundary=b").unwrap();
    let Ok(Place::Absent { before, .. }) = locate_in_form(b"--b--", &boundary, "a\"b\r\n") else {
        panic!("a field is there");
    };
    assert_eq!(before, format!("--b\r\n{DISPOSITION}; name=\"a%22b%0D%0A\"\r\n\r\n"));
}

#[test]
fn refusals_say_what_and_where() {
    let long = part(&format!("{DISPOSITION}; name=n\r\nX: {}", "x".repeat(17_000)), "");
    let twice = form(&[&field("model", "a"), &file("abc"), &field("model", "a")]);
    let second = twice.rfind("--b\r\n").unwrap();
    let twice_message = format!("the field \"model\" is given twice, at bytes 0 and {second}: send it once");
    let table = [
        (String::new(), "the body nowhere has the boundary that its Content-Type names"),
        ("{\"model\":\"a\"}".into(), "the body nowhere has the boundary"),
        (form(&[&field("model", "a")]).replace("--b", "--c"), "the body nowhere has the boundary"),
        (form(&[&field("model", "a")]).replace("\r\n", "\n"), "the body nowhere has the boundary"),
        (field("model", "a"), "the part that begins at byte 0 does not end"),
        (field("n", "1") + &field("model", "a") + "--b-", "the part that begins at byte 52 does not end"),
        ("--b\r\n".into(), "the headers at byte 5 do not end"),
        (format!("--b\r\n{DISPOSITION}; name=model\r\n--b--"), "the headers at byte 5 do not end"),
        (
            form(&[&long]),
            "the headers at byte 5 do not end: an empty line must follow them within 16384 bytes",
        ),
        (form(&["--b\r\n\r\na\r\n"]), "the part with the headers at byte 5 has no name"),
        (form(&[&part("Content-Type: text/plain", "a")]), "the part with the headers at byte 5 has no name"),
        (form(&[&part(DISPOSITION, "a")]), "the part with the headers at byte 5 has no name"),
        (
            form(&[&part(&format!("{DISPOSITION}; name*=utf-8''model"), "a")]),
            "the part with the headers at byte 5 has no name",
        ),
        (
            form(&[&part("Content-Disposition: attachment; name=model", "a")]),
            "the part with the headers at byte 5 has no name",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=\"model"), "a")]),
            "the Content-Disposition at byte 5 cannot be read from its `name` on",
        ),
        (
            form(&[&part(&format!("X: y\r\n{DISPOSITION}; filename=\"a\"b\"; name=model"), "a")]),
            "the Content-Disposition at byte 11 cannot be read from its `filename` on",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=model; filename=\"a\"b\""), "a")]),
            "the field \"model\" at byte 5 is a file",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=a; name=model"), "a")]),
            "the Content-Disposition at byte 5 gives a `name` more than once",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=a; filename=\"\\\"; name=\"model\""), "a")]),
            "the Content-Disposition at byte 5 gives a `name` more than once",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=a; name*=utf-8''model"), "a")]),
            "the Content-Disposition at byte 5 gives a `name` more than once",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=\"mod\\el\""), "a")]),
            "the Content-Disposition at byte 5 gives a `name` that not every reader decodes alike",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=a\r\n{DISPOSITION}; name=model"), "a")]),
            "the header at byte 45 is the part's second Content-Disposition",
        ),
        (
            form(&[&part(&format!("X: y\r\nnonsense\r\n{DISPOSITION}; name=a"), "a")]),
            "the header at byte 11 cannot be read",
        ),
        (
            form(&[&part(&format!("{DISPOSITION} ; name=a\nX: y"), "a")]),
            "the header at byte 5 cannot be read",
        ),
        (
            form(&[&part("Content-Disposition : form-data; name=a", "a")]),
            "the header at byte 5 cannot be read",
        ),
        (twice, &twice_message),
        (
            form(&[&part(&format!("{DISPOSITION}; name=model; filename=\"\""), "a")]),
            "the field \"model\" at byte 5 is a file",
        ),
        (
            form(&[&part(&format!("{DISPOSITION}; name=model; filename*=utf-8''x"), "a")]),
            "the field \"model\" at byte 5 is a file",
        ),
        (
            form(&[&part(
                &format!("{DISPOSITION}; name=model\r\nContent-Transfer-Encoding: base64"),
                "YQ==",
            )]),
            "the field \"model\" at byte 5 is encoded",
        ),
    ];
    for (body, message) in table {
        let error = located(&body).expect_err(&body).to_string();
        assert!(error.starts_with(message), "{error}\n{body}");
    }
    let mut body = form(&[&field("model", "ab_c")]).into_bytes();
    let at = body.iter().position(|byte| *byte == b'_').unwrap() - 1;
    body[at + 1] = 0xff;
    let boundary = Boundary::of(b"multipart/form-data; boundary=b").unwrap();
    let error = locate_in_form(&body, &boundary, "model").unwrap_err();
    assert_eq!(error, FormError::InvalidUtf8 { field: "model".into(), at: at + 1 });
}

#[test]
fn parts_of_any_number_and_any_content_are_passed() {
    let many: String = (0..10_000).map(|number| field(&format!("n{number}"), "1")).collect();
    let body = form(&[&many, &field("model", "m"), &many]);
    assert_eq!(located(&body).unwrap().asked(), Some("m"));
    // What a search could stumble over again and again.
    for content in ["\r\n--", "\r", "\r\n", "--b", "\r\n--b x", "\r\n--b-", "\r\n--b\t\t\t x"] {
        let body = form(&[&file(&content.repeat(200_000)), &field("model", "m")]);
        assert_eq!(located(&body).unwrap().asked(), Some("m"), "{content:?}");
    }
}
