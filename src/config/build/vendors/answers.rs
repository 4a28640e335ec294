//! What a vendor's answers tell, as a file says it.

use super::super::super::document::Document;
use super::super::super::file::List;
use super::super::super::findings::Spot;
use super::super::super::located::Located;
use super::super::super::tree::NodeId;
use super::super::super::vendor_entry::{AnswerEntry, ErrorsEntry, StreamEntry, VendorEntry};
use crate::answer::{ErrorEvents, Fields, Lists, PathError};

type Given<'f> = Option<&'f List<String>>;

/// The fields that `response` and `stream` have in common.
const FIELDS: [&str; 5] = ["model", "prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens"];

/// The lists of one section, in the order of [`FIELDS`].
struct Section<'f> {
    name: &'static str,
    lists: [Given<'f>; 5],
}

impl<'f> Section<'f> {
    fn whole(entry: &'f AnswerEntry) -> Self {
        let AnswerEntry { model, prompt_tokens, completion_tokens, cached_tokens, total_tokens } = entry;
        let lists = [model, prompt_tokens, completion_tokens, cached_tokens, total_tokens];
        Self { name: "response", lists: lists.map(Option::as_ref) }
    }

    fn streamed(entry: &'f StreamEntry) -> Self {
        let StreamEntry { model, prompt_tokens, completion_tokens, cached_tokens, total_tokens, .. } = entry;
        let lists = [model, prompt_tokens, completion_tokens, cached_tokens, total_tokens];
        Self { name: "stream", lists: lists.map(Option::as_ref) }
    }

    /// Replaces those of `lists` that are given.
    fn apply(&self, lists: &mut Lists) {
        let [model, prompt, completion, cached, total] = self.lists;
        replace(&mut lists.model, model);
        replace(&mut lists.prompt_tokens, prompt);
        replace(&mut lists.completion_tokens, completion);
        replace(&mut lists.cached_tokens, cached);
        replace(&mut lists.total_tokens, total);
    }

    /// The node at which the path of `error` was written, if it was here.
    fn place(&self, error: &PathError) -> Option<NodeId> {
        let field = FIELDS.iter().position(|field| *field == error.field)?;
        let list = self.lists.get(field).filter(|_| error.section == self.name)?;
        place_in(*list, error)
    }
}

/// Replaces what `entry` gives of the lists.
pub(super) fn apply(entry: &VendorEntry, response: &mut Lists, stream: &mut Lists, errors: &mut ErrorEvents) {
    if let Some(given) = entry.response.as_ref().and_then(Located::value) {
        Section::whole(given).apply(response);
    }
    let Some(given) = entry.stream.as_ref().and_then(Located::value) else { return };
    Section::streamed(given).apply(stream);
    if let Some(given) = given.errors.as_ref().and_then(Located::value) {
        replace(&mut errors.events, given.events.as_ref());
        replace(&mut errors.members, given.members.as_ref());
        replace(&mut errors.types, given.types.as_ref());
    }
}

/// What is read from answers by these lists, which `entry` gave some of.
pub(super) fn fields(
    document: &Document,
    entry: &Located<VendorEntry>,
    response: &Lists,
    stream: &Lists,
    errors: &ErrorEvents,
) -> Option<Fields> {
    match Fields::new(response, stream, errors) {
        Ok(fields) => Some(fields),
        Err(error) => {
            // The error has the path as it is when it is filled in.
            let PathError { section, field, reason, .. } = &error;
            match entry.value().and_then(|entry| place(entry, &error)) {
                Some(node) => {
                    let message = format!("`{section}.{field}`: `{}` {reason}", document.shown(node));
                    document.findings.error(Spot::Value(node), message);
                }
                None => {
                    let message = format!("`{section}.{field}`: a path {reason}");
                    document.findings.error(Spot::Value(entry.node()), message);
                }
            }
            None
        }
    }
}

/// The node at which the path stands that `error` is about.
fn place(entry: &VendorEntry, error: &PathError) -> Option<NodeId> {
    let whole = entry.response.as_ref().and_then(Located::value).map(Section::whole);
    let stream = entry.stream.as_ref().and_then(Located::value);
    let streamed = stream.map(Section::streamed);
    let in_section = [whole, streamed].into_iter().flatten().find_map(|section| section.place(error));
    let errors = || {
        let given: &ErrorsEntry = stream?.errors.as_ref()?.value()?;
        [given.members.as_ref(), given.types.as_ref()].into_iter().find_map(|list| place_in(list, error))
    };
    in_section.or_else(errors)
}

/// The item of `list` that `error` is about.
fn place_in(list: Given<'_>, error: &PathError) -> Option<NodeId> {
    let items = list?.value()?;
    let item = items.iter().find(|item| item.value() == Some(&error.path))?;
    Some(item.node())
}

fn replace(list: &mut Vec<String>, given: Given<'_>) {
    if let Some(items) = given.and_then(Located::value) {
        *list = items.iter().filter_map(Located::value).cloned().collect();
    }
}
