//! The line of a file that a message is about, with a marker under it.

use super::locate::Location;
use super::secret_lines;

/// How wide a shown line is at most, in columns of a terminal.
const MAX_WIDTH: usize = 100;

/// How much of a long line is shown before the marker.
const LEAD: usize = 40;

/// How wide a tab is shown.
const TAB: usize = 4;

/// A text by lines, as the YAML parser counts them.
pub(super) struct Source<'t> {
    lines: Vec<&'t str>,
    /// From where on lines must not be shown, besides what they tell themselves: their number, and a byte.
    veils: Vec<(usize, usize)>,
}

/// What kind of thing begins at a location, which tells how far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// A key.
    Key,
    /// A value that is no mapping or list.
    Value,
    /// A value that must not be shown.
    Secret,
    /// A mapping or list.
    Start,
    /// A place where the text stops being YAML.
    Point,
}

/// One line of a text, fit to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The line, or the part of it that matters.
    pub(super) line: String,
    /// Where the marker begins, in columns of a terminal from 0.
    pub(super) start: usize,
    /// How wide the marker is, at least 1.
    pub(super) width: usize,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut lines = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            let (line, after) = rest.split_at(at);
            lines.push(line);
            let mut characters = after.chars();
            characters.next();
            rest = if after.starts_with("\r\n") { after.get(2..).unwrap_or("") } else { characters.as_str() };
        }
        lines.push(rest);
        Self { lines, veils: Vec::new() }
    }

    /// The location, moved into the text where the parser's is beyond it: it may be after the last newline.
    pub(super) fn clamp(&self, at: Location) -> Location {
        let line = at.line.clamp(1, self.lines.len().max(1));
        let length = self.line(line).chars().count();
        Location { line, column: at.column.clamp(1, length + 1) }
    }

    /// The line numbered `line`, from 1.
    pub(super) fn line(&self, line: usize) -> &'t str {
        self.lines.get(line.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// The number of the last line that begins with `prefix`, from 1.
    pub(super) fn last_line_with(&self, prefix: &str) -> Option<usize> {
        Some(self.lines.iter().rposition(|line| line.starts_with(prefix))? + 1)
    }

    /// Keeps what follows the key at `at` from being shown in any message about its line.
    pub(super) fn veil(&mut self, at: Location) {
        let (line, begin) = self.begin(at);
        let (before, rest) = line.split_at(begin);
        let end = begin + extent(before, rest, Marked::Key);
        let colon = usize::from(line.get(end..).is_some_and(|after| after.starts_with(':')));
        self.veils.push((at.line, end + colon));
    }

    /// The line at `at`, and the byte of it that is meant.
    fn begin(&self, at: Location) -> (&'t str, usize) {
        let line = self.line(at.line);
        (line, line.char_indices().nth(at.column - 1).map_or(line.len(), |(byte, _)| byte))
    }

    /// The line at `at` with what begins there marked, or the first `focus` from there on.
    pub(super) fn snippet(&self, at: Location, marked: Marked, focus: Option<&str>) -> Option<Snippet> {
        let (line, begin) = self.begin(at);
        if line.trim().is_empty() {
            return None;
        }
        let rest = line.get(begin..)?;
        let (mut begin, mut length) = match focus.and_then(|focus| Some((rest.find(focus)?, focus.len()))) {
            Some((offset, length)) => (begin + offset, length),
            None => (begin, extent(line.get(..begin)?, rest, marked)),
        };

        let mut hidden =
            secret_lines::hidden_from(&self.lines, at.line - 1, (marked == Marked::Value).then_some(begin));
        let veils = self.veils.iter().filter(|(line, _)| *line == at.line).map(|&(_, from)| from);
        hidden = hidden.into_iter().chain(veils).min();
        if marked == Marked::Secret && !secret_lines::is_reference(rest) {
            hidden = Some(hidden.map_or(begin, |hidden| hidden.min(begin)));
        }
        let Some(hidden) = hidden else {
            return Some(fit(line, begin, length));
        };
        let mut shown = line.get(..hidden)?.to_owned();
        if begin + length > hidden {
            let visible = if marked == Marked::Key { line.get(begin..begin + length)? } else { "" };
            shown.push_str(if visible.is_empty() { " " } else { " … " });
            (begin, length) = (shown.len(), visible.len().max('…'.len_utf8()));
            shown.push_str(visible);
        }
        shown.push_str(if begin + length > shown.len() { "…" } else { " …" });
        Some(fit(&shown, begin, length))
    }
}

/// How many bytes of `rest` the thing at its beginning has.
fn extent(before: &str, rest: &str, marked: Marked) -> usize {
    if marked == Marked::Point {
        return rest.chars().next().map_or(0, char::len_utf8);
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let inner = rest.get(1..).unwrap_or_default();
        return inner.find(quote).map_or(rest.len(), |at| at + 2);
    }
    let in_flow = before.contains(['{', '[']);
    let end = match marked {
        Marked::Start if rest.starts_with(['{', '[']) => rest.rfind(['}', ']']).map(|at| at + 1),
        Marked::Start => rest.find([':', ' ', '\t', ',']).or(Some(rest.len())),
        Marked::Key if in_flow => rest.find([':', ',', '}']),
        Marked::Key => rest.find(':'),
        Marked::Value | Marked::Secret if in_flow => rest.find([',', '}', ']']),
        Marked::Value | Marked::Secret | Marked::Point => None,
    };
    let end = end.or_else(|| rest.find(" #")).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest).trim_end().len()
}

/// Makes `line` printable and cuts it to a width, with `length` bytes from `begin` on marked.
fn fit(line: &str, begin: usize, length: usize) -> Snippet {
    let part = |from: usize, to: usize| line.get(from..to).map(printable).unwrap_or_default();
    let (before, marked, after) =
        (part(0, begin), part(begin, begin + length), part(begin + length, line.len()));
    let width_of = |text: &str| text.chars().map(width).sum::<usize>();

    let mut shown = String::new();
    if width_of(&before) + width_of(&marked) + width_of(&after) > MAX_WIDTH && width_of(&before) > LEAD {
        let mut skip = width_of(&before) - LEAD;
        let rest = before.chars().skip_while(|&c| {
            let skipped = skip > 0;
            skip = skip.saturating_sub(width(c));
            skipped
        });
        shown.push('…');
        shown.extend(rest);
    } else {
        shown.push_str(&before);
    }
    let start = width_of(&shown);
    let mut room = MAX_WIDTH.saturating_sub(start);
    let mut marked_width = 0;
    for (index, c) in marked.chars().chain(after.chars()).enumerate() {
        if width(c) > room {
            shown.push('…');
            break;
        }
        room -= width(c);
        shown.push(c);
        if index < marked.chars().count() {
            marked_width += width(c);
        }
    }
    Snippet { line: shown.trim_end().to_owned(), start, width: marked_width.max(1) }
}

/// `text` with spaces for tabs, and nothing in it that would move a terminal's cursor or turn its direction.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.extend(std::iter::repeat_n(' ', TAB)),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.push('\u{fffd}');
            }
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// How many columns of a terminal a character takes, nearly: the wide scripts and emoji two, combining marks none.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f => 2,
        0x1f900..=0x1f9ff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, line: usize, column: usize, marked: Marked) -> (String, String) {
        let snippet = Source::new(text).snippet(Location { line, column }, marked, None).unwrap();
        (snippet.line, " ".repeat(snippet.start) + &"^".repeat(snippet.width))
    }

    #[test]
    fn the_marker_is_under_what_is_meant() {
        let table = [
            ("a: 12 # x", 4, Marked::Value, "   ^^"),
            ("a: b c, d", 4, Marked::Value, "   ^^^^^^"),
            ("- { a: b c, d: 1 }", 8, Marked::Value, "       ^^^"),
            ("- { a: b, long: 1 }", 11, Marked::Key, "          ^^^^"),
            ("a: \"b # c\" # d", 4, Marked::Value, "   ^^^^^^^"),
            ("a: [1, 2] # x", 4, Marked::Start, "   ^^^^^^"),
            ("abc: 1", 1, Marked::Start, "^^^"),
            ("größe: 1", 8, Marked::Value, "       ^"),
            ("\ta: 12", 5, Marked::Value, "       ^^"),
            ("漢字: 12", 5, Marked::Value, "      ^^"),
            ("a:", 3, Marked::Value, "  ^"),
        ];
        for (text, column, marked, marker) in table {
            assert_eq!(show(text, 1, column, marked).1, marker, "{text}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_marker() {
        let text = format!("- {{ {}a: here, {}}}", "x: 1, ".repeat(40), "y: 2, ".repeat(40));
        let column = text.find("here").unwrap() + 1;
        let (line, marker) = show(&text, 1, column, Marked::Value);
        assert!(line.starts_with('…') && line.ends_with('…'), "{line}");
        assert!(line.chars().count() <= MAX_WIDTH + 1, "{line}");
        let at = marker.find('^').unwrap();
        assert_eq!(line.chars().skip(at).take(4).collect::<String>(), "here");
        assert_eq!(marker.trim(), "^^^^");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let (line, marker) = show("credential: sk-1", 1, 13, Marked::Secret);
        assert_eq!((line.as_str(), marker.as_str()), ("credential: …", "            ^"));
        let (line, marker) = show("{ name: a, credential: sk-1, wieght: 5 }", 1, 30, Marked::Key);
        assert_eq!(line, "{ name: a, credential: … wieght …");
        assert_eq!(marker.trim_start(), "^^^^^^");
    }

    #[test]
    fn what_follows_a_veiled_key_is_never_shown() {
        let mut source = Source::new("{ name: a, key: sk-1, url: b }");
        source.veil(Location { line: 1, column: 12 });
        let snippet = source.snippet(Location { line: 1, column: 23 }, Marked::Key, None).unwrap();
        assert_eq!(snippet.line, "{ name: a, key: … url …");
        let snippet = source.snippet(Location { line: 1, column: 3 }, Marked::Key, None).unwrap();
        assert_eq!(snippet.line, "{ name: a, key: …");
    }

    #[test]
    fn lines_end_as_yaml_ends_them() {
        let source = Source::new("a\r\nb\rc\u{2028}d\u{85}e\n");
        assert_eq!(source.lines, ["a", "b", "c", "d", "e", ""]);
        let beyond = Location { line: 9, column: 7 };
        assert_eq!(source.clamp(beyond), Location { line: 6, column: 1 });
    }
}
