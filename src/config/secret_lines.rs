//! Which part of a line must not be shown. A line may hold several values and be broken YAML besides, so that it and those
//! above it are looked at.

use super::plain;
use super::secret::{HEADERS, hidden_in_url, is_secret_key};

/// The byte of line `index` from which on it must not be shown, if there is one. A value that begins at the byte `name` is known
/// to be the name of a header.
pub(super) fn hidden_from(lines: &[&str], index: usize, name: Option<usize>) -> Option<usize> {
    let line = lines.get(index)?;
    let hidden = [hidden_value_from(lines, index, line, name), hidden_in_url(line), plain::key_in(line)];
    hidden.into_iter().flatten().min()
}

fn hidden_value_from(lines: &[&str], index: usize, line: &str, name: Option<usize>) -> Option<usize> {
    // An alias may have led to a value of another key.
    let is_name = |key: &str, after: usize| {
        key == "header"
            && name.and_then(|name| line.get(after..name)).is_some_and(|between| between.trim().is_empty())
    };
    if let Some(secret) = secret_around(lines, index, line) {
        let is_shown = |after| is_shown_as_key(line, after, secret);
        let Some((_, from)) = keys(line).next().filter(|&(_, after)| is_shown(after)) else {
            return Some(indentation(line));
        };
        return (!is_reference(line.get(from..)?)).then_some(from);
    }
    let (key, from) = secret_keys(lines, index).find(|&(key, after)| !is_name(key, after))?;
    if !plain::is_name(key) {
        return line.get(..from)?.rfind(key);
    }
    (!is_reference(line.get(from..)?)).then_some(from)
}

/// The key above, to whose secret line `index` belongs.
fn secret_around<'t>(lines: &[&'t str], index: usize, line: &str) -> Option<&'t str> {
    let is_blank = |above: usize| lines.get(above).is_none_or(|above| above.trim().is_empty());
    let mut above = (0..index).rev().filter(|&above| !is_blank(above)).peekable();
    if let Some(&last) = above.peek()
        && leaves_secret_open(lines, last)
    {
        return secret_keys(lines, last).next().map(|(key, _)| key);
    }
    let mut indent = indentation(line);
    above.find_map(|above| {
        let outer = indentation(lines.get(above)?);
        let is_outer = outer < indent;
        indent = indent.min(outer);
        secret_keys(lines, above).next().filter(|_| is_outer).map(|(key, _)| key)
    })
}

/// Whether what stands in `line` before the colon that ends at `after` is a key that can be shown, below the key `secret`.
fn is_shown_as_key(line: &str, after: usize, secret: &str) -> bool {
    let key = line.get(..after).unwrap_or_default().trim_end_matches(':').trim();
    let key =
        key.trim_start_matches(|c: char| c.is_whitespace() || "{[,-?".contains(c)).trim_matches(['"', '\'']);
    plain::is_name(key) || secret == HEADERS && plain::is_title(key)
}

/// The keys in line `index` under which a secret may stand, each with the end of its colon.
fn secret_keys<'t>(lines: &[&'t str], index: usize) -> impl Iterator<Item = (&'t str, usize)> {
    let line = lines.get(index).copied().unwrap_or_default();
    let found = keys(line).enumerate().filter(move |&(nth, (key, after))| {
        is_secret_key(key) && !is_vendor_name(lines, index, nth, line.get(after..).unwrap_or_default())
    });
    found.map(|(_, found)| found)
}

/// Whether the `nth` key of line `index` is the name of a vendor, which says nothing. `value` is what follows it.
fn is_vendor_name(lines: &[&str], index: usize, nth: usize, value: &str) -> bool {
    let line = lines.get(index).copied().unwrap_or_default();
    let is_section = |line: &str| line.starts_with("vendors:");
    let is_around = |above: &&str| {
        let text = above.trim();
        indentation(above) < indentation(line) && !text.is_empty() && !text.starts_with('#')
    };
    let mut above = lines.iter().take(index).rev().copied();
    let is_mapping = value.trim().is_empty() || value.trim_start().starts_with(['{', '#']);
    is_mapping
        && match nth {
            0 => above.find(is_around).is_some_and(is_section),
            1 => is_section(line),
            _ => false,
        }
}

/// What looks like a key in `line`, each with the byte after its colon.
fn keys(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.match_indices(':').filter_map(|(colon, _)| {
        let before = line.get(..colon)?.trim_end();
        let after = line.get(colon + 1..)?;
        let quoted = before.ends_with(['"', '\'']);
        if !quoted && !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return None;
        }
        let key = before.trim_end_matches(['"', '\'']);
        let begin = key.rfind(|c: char| c.is_whitespace() || "{[,\"'?".contains(c));
        let begin = begin.and_then(|at| Some(at + key.get(at..)?.chars().next()?.len_utf8())).unwrap_or(0);
        Some((key.get(begin..)?, colon + 1))
    })
}

/// Whether `value` only refers to a secret: `${VAR}` or `${file:PATH}`, and nothing else.
pub(super) fn is_reference(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let Some((name, rest)) = value.strip_prefix("${").and_then(|value| value.split_once('}')) else {
        return false;
    };
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    plain::is_expression(name) && (rest.is_empty() || rest.starts_with('#'))
}

/// Whether line `index` begins a secret that goes on in the next one.
fn leaves_secret_open(lines: &[&str], index: usize) -> bool {
    let after = secret_keys(lines, index).next();
    let Some(value) = after.and_then(|(_, from)| lines.get(index)?.get(from..)) else {
        return false;
    };
    let value = value.trim();
    match value.chars().next() {
        None | Some('|' | '>' | '&' | '#') => true,
        Some('{' | '[') => !is_closed(value),
        Some(quote @ ('"' | '\'')) => !is_quote_closed(value.get(1..).unwrap_or_default(), quote),
        Some(_) => false,
    }
}

/// Whether the quote that begins before `rest` ends in it.
fn is_quote_closed(rest: &str, quote: char) -> bool {
    let escaped = if quote == '"' { ["\\\\", "\\\""] } else { ["''", "''"] };
    escaped.iter().fold(rest.to_owned(), |rest, escaped| rest.replace(escaped, "")).contains(quote)
}

/// Whether the bracket at the beginning of `value` is closed in it.
fn is_closed(value: &str) -> bool {
    let (mut quote, mut depth) = (None, 0_usize);
    value.chars().any(|c| {
        match (quote, c) {
            (Some(begun), _) if begun == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        depth == 0
    })
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_a_line_is_shown() {
        let table = [
            ("name: a", 0, "name: a"),
            ("credential: sk-1", 0, "credential:"),
            ("- { name: a, credental: sk-1, url: x }", 0, "- { name: a, credental:"),
            ("{\"credential\":\"sk-1\"}", 0, "{\"credential\":"),
            ("credential: ${KEY} # ours", 0, "credential: ${KEY} # ours"),
            ("credential: \"${file:/run/key}\"", 0, "credential: \"${file:/run/key}\""),
            ("credential: ${KEY:-sk-1}", 0, "credential:"),
            ("credential: x${KEY}", 0, "credential:"),
            ("credential: ${KEY} sk-1", 0, "credential:"),
            ("headers:\n  X-Org: org-1", 1, "  X-Org:"),
            ("headers:\n  a: 1\n\n  X-Org:\n    - org-1", 4, "    "),
            ("- { url: \"https://u:p@a/v1\", x: 1 }", 0, "- { url: \"https://"),
            ("url: https://a/v1?key=sk-1", 0, "url: https://a/v1?"),
            ("url: https://a/v1@x", 0, "url: https://a/v1@x"),
            ("credential: |\n  sk-1", 1, "  "),
            ("headers: {\n  X-Key: sk-1, token: ${KEY} }", 1, "  X-Key:"),
            ("- { credential: \"sk-1\" }\nname: a", 1, "name: a"),
            ("credential: \"sk-\\\"\nname: a", 1, "name:"),
            ("credential: 'sk-''\nname: a", 1, "name:"),
            ("credential: { bearer: \"}\" }\nname: a", 1, "name: a"),
            ("credential: { bearer: \"}\",\nname: a", 1, "name:"),
            ("- { name: a, key: sk-proj-0123456789, b: c }", 0, "- { name: a, key: "),
            ("credential: ${sk-1}", 0, "credential:"),
            ("credential: ${file:/run/hf_token}", 0, "credential: ${file:/run/hf_token}"),
            ("credential: ${file:sk-proj-abc123def456}", 0, "credential:"),
            ("credential:\n  bearer:sk-1: x", 1, "  "),
            ("headers:\n  - \"a\": sk-1", 1, "  - \"a\":"),
            ("headers:\n  \"Authorization: Bearer sk-1\":", 1, "  \"Authorization:"),
            ("headers:\n  Authorization Bearer sk-1: x", 1, "  "),
            ("credential: \"sk-1\nsk-2\"", 1, ""),
            ("{\"credential\":\n\"sk-1\"}", 1, ""),
            ("  credential: sk-1\n  name: x", 1, "  name: x"),
            ("headers:\n  Open AI: x", 1, "  Open AI:"),
            ("credential:\n  Open AI: x", 1, "  "),
            ("vendors:\n  secretai:\n    models: 5", 2, "    models: 5"),
            ("vendors:\n\n# ours\n  secretai: # ours\n    models: 5", 4, "    models: 5"),
            ("vendors:\n  secretai: { models: 5, token: a }", 1, "  secretai: { models: 5, token:"),
            ("vendors: { secretai: { models: 5, token: a } }", 0, "vendors: { secretai: { models: 5, token:"),
            ("vendors:\n  secretai: sk-1", 1, "  secretai:"),
            ("vendors:\n  own:\n    token-cloud:\n      a: b", 3, "      a:"),
            ("vendors:\n  token-cloud:\n    credential:\n      a: b", 3, "      a:"),
            ("headers:\n  token-cloud:\n    a: b", 2, "    a:"),
        ];
        for (text, index, expected) in table {
            let lines: Vec<_> = text.split('\n').collect();
            let from = hidden_from(&lines, index, None).unwrap_or(lines[index].len());
            assert_eq!(lines[index].get(..from), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_header_is_no_secret() {
        let table = [
            ("{ path: a, header: x-y }", "x-y", "{ path: a, header: x-y }"),
            ("{ path: a, header: \"x y\", token: z }", "\"x", "{ path: a, header: \"x y\", token:"),
            ("{ path: a, header: x-y }", "a,", "{ path: a, header:"),
            ("credential: &a x-y", "&a", "credential:"),
        ];
        for (line, name, expected) in table {
            let from = hidden_from(&[line], 0, line.find(name)).unwrap_or(line.len());
            assert_eq!(line.get(..from), Some(expected), "{line}");
        }
    }
}
