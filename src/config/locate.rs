//! Where a node stands in the text.
//!
//! The YAML parser tells no positions with its values, but its errors have one: that of the event at which they arose.
//! So the text is read once more along the node's path, and the reading fails on purpose at its end. That costs a pass
//! over the text, and only an error that is shown needs it.

use super::tree::Step;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
}

impl From<serde_yaml::Location> for Location {
    fn from(location: serde_yaml::Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// Which part of a mapping's entry is looked for; a list's item and the document are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
}

/// The place of the node at the end of `steps`. A value behind an alias is where its anchor is.
pub(super) fn locate(text: &str, steps: &[&Step], part: Part) -> Option<Location> {
    let walk = Walk { steps, part };
    let stop = walk.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    stop.location().map(Location::from)
}

#[derive(Clone, Copy)]
struct Walk<'s> {
    steps: &'s [&'s Step],
    part: Part,
}

impl Walk<'_> {
    fn stop<T, E: Error>(self) -> Result<T, E> {
        Err(E::custom("here"))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value looked for")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.stop()
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.stop()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.stop()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.stop()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.stop()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.stop()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.stop()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.stop()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.stop()
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.stop()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(index), rest)) = self.steps.split_first() else {
            return self.stop();
        };
        for _ in 0..*index {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Walk { steps: rest, part: self.part })?;
        self.stop()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key { entry, .. }, rest)) = self.steps.split_first() else {
            return self.stop();
        };
        for _ in 0..*entry {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if rest.is_empty() && self.part == Part::Key {
            entries.next_key_seed(Walk { steps: &[], part: Part::Value })?;
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Walk { steps: rest, part: self.part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::findings::Findings;
    use crate::config::parse::parse;
    use crate::config::tree::{NodeId, Tree};

    fn find(tree: &Tree, path: &str) -> NodeId {
        tree.ids().find(|&node| tree.path(node) == path).unwrap()
    }

    #[test]
    fn keys_and_values_are_found() {
        let text = concat!(
            "a: 1\n",
            "äö: { b: x, \"ü\": [1,  zwei] } # 2\n",
            "list:\n",
            "  - plain\n",
            "  -   - \"quoted\"\n",
            "      - c: |\n",
            "          block\n",
            "        d:\n",
            "        e: !tag 7\n",
            "other: &anchor\n",
            "  f: 1\n",
            "alias: *anchor\n",
            "last: []",
        );
        let table = [
            ("", Part::Value, (1, 1)),
            ("a", Part::Key, (1, 1)),
            ("a", Part::Value, (1, 4)),
            ("äö", Part::Value, (2, 5)),
            ("äö.b", Part::Value, (2, 10)),
            ("äö.ü", Part::Key, (2, 13)),
            ("äö.ü", Part::Value, (2, 18)),
            ("äö.ü[1]", Part::Value, (2, 23)),
            ("list", Part::Value, (4, 3)),
            ("list[0]", Part::Value, (4, 5)),
            ("list[1]", Part::Value, (5, 7)),
            ("list[1][0]", Part::Value, (5, 9)),
            ("list[1][1]", Part::Value, (6, 9)),
            ("list[1][1].c", Part::Key, (6, 9)),
            ("list[1][1].c", Part::Value, (6, 12)),
            ("list[1][1].d", Part::Key, (8, 9)),
            ("list[1][1].d", Part::Value, (8, 11)),
            ("list[1][1].e", Part::Value, (9, 12)),
            ("other", Part::Value, (10, 8)),
            ("alias", Part::Key, (12, 1)),
            ("alias.f", Part::Value, (11, 6)),
            ("last", Part::Value, (13, 7)),
        ];
        let tree = parse(text, &Findings::default()).unwrap();
        for (path, part, (line, column)) in table {
            let found = locate(text, &tree.steps(find(&tree, path)), part);
            assert_eq!(found, Some(Location { line, column }), "{part:?} of `{path}`");
        }
    }

    #[test]
    fn line_ends_of_every_kind_are_counted() {
        for text in ["a: 1\nb: 2", "a: 1\r\nb: 2", "a: 1\rb: 2"] {
            let tree = parse(text, &Findings::default()).unwrap();
            let place = |path| locate(text, &tree.steps(find(&tree, path)), Part::Value);
            assert_eq!(place("a"), Some(Location { line: 1, column: 4 }), "{text:?}");
            assert_eq!(place("b"), Some(Location { line: 2, column: 4 }), "{text:?}");
        }
    }

    #[test]
    fn an_empty_text_has_a_place_too() {
        let tree = parse("", &Findings::default()).unwrap();
        let root = tree.ids().next().unwrap();
        assert_eq!(locate("", &tree.steps(root), Part::Value), Some(Location { line: 1, column: 1 }));
    }
}
