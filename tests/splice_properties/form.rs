//! Forms, built so that it is known what stands where.

use evenkeel::splice::{Boundary, Form, FormError, ModelToken, Place, locate_in_form, splice, spliced_len};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::ops::Range;

/// A generated form and what is known of it.
#[derive(Debug, Clone)]
struct Built {
    body: Vec<u8>,
    boundary: String,
    /// Where its first delimiter begins.
    first: usize,
    /// Where its models stand.
    models: Vec<Range<usize>>,
    /// Where its last delimiter ends.
    end: usize,
}

impl Built {
    fn locate(&self) -> Result<Place, FormError> {
        self.locate_in(&self.body)
    }

    /// As [`Built::locate`], in another body of the same boundary.
    fn locate_in(&self, body: &[u8]) -> Result<Place, FormError> {
        let content_type = format!("multipart/form-data; boundary=\"{}\"", self.boundary);
        locate_in_form(body, &Boundary::of(content_type.as_bytes())?, "model")
    }
}

fn boundary() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9]{1,3}", "-{1,20}[a-f0-9]{1,40}", "[a-zA-Z0-9'()+_,./:=? -]{0,68}[a-z]"]
}

/// Bytes that come near to a delimiter, and are none.
fn content(boundary: String) -> impl Strategy<Value = Vec<u8>> {
    let near = [
        "\r\n",
        "\r",
        "\n",
        "--",
        "-",
        "\r\n--",
        &boundary[..boundary.len() - 1],
        "\r\n\r\n",
        "name=\"model\"",
    ];
    let near: Vec<Vec<u8>> = near.iter().map(|text| text.as_bytes().to_vec()).collect();
    let piece = prop_oneof![3 => select(near), 1 => vec(any::<u8>(), 0..40)];
    let delimiter = format!("--{boundary}");
    let pieces = vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let pieces = pieces.prop_filter("a delimiter", move |bytes| {
        !bytes.windows(delimiter.len()).any(|window| window == delimiter.as_bytes())
    });
    // A line that only begins as a delimiter does.
    vec(pieces, 1..4).prop_map(move |pieces| pieces.join(format!("\r\n--{boundary}x").as_bytes()))
}

/// Headers of a part that is not the model.
fn other_headers() -> impl Strategy<Value = String> {
    let name = select(vec!["Model", "models", "file", "", "prompt", "é", "a;name=model", "a\\\"model"]);
    let file = select(vec![
        "",
        "; filename=\"a.mp3\"",
        "; filename*=UTF-8''model",
        "; x=\"name=model\"",
        "; filename=\"my \"best\" model; v2.mp3\"",
        "; filename=\"dir\\\"",
        "; filename=my model; v2.mp3",
    ]);
    let more = select(vec![
        "",
        "\r\nContent-Type: audio/mpeg",
        "\r\nContent-Transfer-Encoding: base64",
        "\r\nX:\r\n y",
    ]);
    // Readers that know no escapes could find another name in such a header: it is refused.
    let clear = |(name, file, _): &(&str, &str, &str)| !(name.contains("\\\"") && file.contains("x=\"name="));
    (name, file, more)
        .prop_filter("two names", clear)
        .prop_map(|(name, file, more)| format!("Content-Disposition: form-data; name=\"{name}\"{file}{more}"))
}

fn model_headers() -> impl Strategy<Value = String> {
    let disposition = select(vec![
        "Content-Disposition: form-data; name=\"model\"",
        "content-disposition:form-data;name=model",
        "CONTENT-DISPOSITION: Form-Data ;\r\n\tNAME = \"model\"; x*=y",
        "Content-Disposition: form-data; names*=x; name=\"model\"",
    ]);
    let more =
        select(vec!["", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: Binary"]);
    (disposition, more, any::<bool>()).prop_map(|(disposition, more, first)| match (more, first) {
        ("", _) => disposition.to_owned(),
        (_, true) => format!("{more}\r\n{disposition}"),
        (_, false) => format!("{disposition}\r\n{more}"),
    })
}

/// Forms with so many models.
fn form(count: Range<usize>) -> impl Strategy<Value = Built> {
    boundary().prop_flat_map(move |boundary| {
        let others = vec((other_headers(), content(boundary.clone()), any::<bool>()), 0..5);
        let models = vec((model_headers(), "\\PC{0,30}", any::<Index>()), count.clone());
        let preamble = option::of(content(boundary.clone()));
        let epilogue = option::of(vec(any::<u8>(), 0..50));
        (Just(boundary), others, models, preamble, epilogue).prop_map(
            |(boundary, others, models, before, after)| {
                let mut parts: Vec<_> = others
                    .into_iter()
                    .map(|(headers, content, padded)| (headers, content, padded, false))
                    .collect();
                for (headers, name, index) in models {
                    parts.insert(index.index(parts.len() + 1), (headers, name.into_bytes(), false, true));
                }
                build(boundary, &parts, before, after)
            },
        )
    })
}

fn build(
    boundary: String,
    parts: &[(String, Vec<u8>, bool, bool)],
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
) -> Built {
    let mut body = before.map(|before| [&before[..], b"\r\n"].concat()).unwrap_or_default();
    let (first, mut models) = (body.len(), Vec::new());
    for (headers, content, padded, is_model) in parts {
        let padding = if *padded { " \t" } else { "" };
        body.extend(format!("--{boundary}{padding}\r\n{headers}\r\n\r\n").into_bytes());
        if *is_model {
            models.push(body.len()..body.len() + content.len());
        }
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--").into_bytes());
    let end = body.len();
    body.extend(after.map(|after| [b"\r\n", &after[..]].concat()).unwrap_or_default());
    Built { body, boundary, first, models, end }
}

proptest! {
    #[test]
    fn only_the_models_bytes_differ(form in form(0..2), name in "\\PC{0,30}") {
        let (body, token) = (&form.body, ModelToken::new(&name));
        let place = form.locate().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let asked = form.models.first().map(|span| std::str::from_utf8(&body[span.clone()]).unwrap());
        prop_assert_eq!(place.asked(), asked);
        let spliced = splice(body, &place, &token);
        prop_assert_eq!(spliced.len(), spliced_len(body.len(), &place, &token));
        let (before, written, after) = match form.models.first() {
            Some(span) => (span.start, name.clone(), span.end),
            None => {
                let part = format!("--{}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{name}\r\n", form.boundary);
                (form.first, part, form.first)
            }
        };
        prop_assert_eq!(&spliced[..], [&body[..before], written.as_bytes(), &body[after..]].concat());
        // What was written is what the next reader finds.
        let again = form.locate_in(&spliced);
        let again = again.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(again.asked(), Some(name.as_str()));
    }

    #[test]
    fn two_models_are_refused(form in form(2..4)) {
        let refused = form.locate();
        let Err(FormError::Twice { first, second, .. }) = refused else {
            return Err(TestCaseError::fail(format!("{refused:?}")));
        };
        let delimiter = format!("--{}\r\n", form.boundary);
        for (at, model) in [first, second].into_iter().zip(&form.models) {
            prop_assert!(form.body[at..model.start].starts_with(delimiter.as_bytes()));
        }
    }

    #[test]
    fn a_form_cut_short_is_refused(form in form(0..2)) {
        // Every cut of a small form; of a large one some hundreds, and those near the end.
        let spread = (0..form.end).step_by(1 + form.end / 256);
        for end in spread.chain(form.end.saturating_sub(32)..form.end) {
            prop_assert!(form.locate_in(&form.body[..end]).is_err(), "{}", end);
        }
    }

    #[test]
    fn another_boundary_is_refused(form in form(0..2)) {
        let other = Built { boundary: form.boundary.clone() + "Z", ..form };
        prop_assert_eq!(other.locate(), Err(FormError::BoundaryNotFound));
    }

    /// Whatever is sent: nothing panics, and what is found is there.
    #[test]
    fn any_bytes_are_judged(
        form in form(0..2),
        bends in vec((any::<Index>(), any::<u8>()), 0..5),
        content_type in vec(any::<u8>(), 0..60),
    ) {
        let mut bent = form.clone();
        for (index, byte) in bends {
            let at = index.index(bent.body.len());
            bent.body[at] = byte;
        }
        if let Ok(Place::Value { span, asked, form: Form::Plain }) = bent.locate() {
            prop_assert_eq!(&bent.body[span], asked.as_bytes());
        }
        let _ = Boundary::of(&content_type);
        let _ = Boundary::of(&[b"multipart/form-data;", &content_type[..]].concat());
        let _ = Boundary::of(&[b"multipart/form-data; boundary=", &content_type[..]].concat());
    }
}
