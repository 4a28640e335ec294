//! What is changed over the admin address, and by whom: lines of the process's log.
//!
//! Each is one line whatever a client has sent, and has no place for a key or a token.

use std::fmt;
use std::net::SocketAddr;

/// A text of a client's for a line of the log: what could begin another line, or hide what stands in this one, is escaped.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\'' | '"' => write!(f, "{c}"),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

/// Who sent a request.
pub(super) struct From(pub(super) Option<SocketAddr>);

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(peer) => write!(f, "from {peer}"),
            None => f.write_str("from an unknown address"),
        }
    }
}

/// `what` was changed.
pub(super) fn changed(peer: Option<SocketAddr>, what: fmt::Arguments<'_>) {
    log::info!("audit: {what} ({})", From(peer));
}

/// A request was not let in, or changed nothing, for `why`.
pub(super) fn refused(peer: Option<SocketAddr>, what: fmt::Arguments<'_>, why: &dyn fmt::Display) {
    log::warn!("audit: refused {what}: {} ({})", Shown(&why.to_string()), From(peer));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_and_shows_what_it_holds() {
        for (text, shown) in [
            ("vendor's outage, \"p1\"", "vendor's outage, \"p1\""),
            ("a\nINFO audit: forged", "a\\nINFO audit: forged"),
            ("a\r\u{1b}[2K\0", "a\\r\\u{1b}[2K\\0"),
            ("\u{202e}\u{2028}\u{85}", "\\u{202e}\\u{2028}\\u{85}"),
            ("\\n é 模型", "\\\\n é 模型"),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }
}
