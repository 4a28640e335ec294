//! The name that a misspelt one was meant to be.

/// The candidate nearest to `name`, if one is near enough to be what was meant: about one slip in three letters, where
/// case and the choice of `-` or `_` are no slips.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(name);
    // The distance is quadratic, and nobody misspells a novel.
    if wanted.len() > 256 {
        return None;
    }
    let distance = |candidate: &str| strsim::osa_distance(&wanted, &plain(candidate));
    let with_distance = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let (distance, candidate) = with_distance.min_by_key(|&(distance, _)| distance)?;
    let letters = wanted.chars().count().max(candidate.chars().count());
    (distance <= (letters / 3).max(1) && distance < letters).then_some(candidate)
}

/// ``did you mean `candidate`?`` for the nearest candidate.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let keys = ["model", "endpoint", "weight"];
        let table = [
            ("wieght", Some("weight")),
            ("Weight", Some("weight")),
            ("weights", Some("weight")),
            ("end-point", Some("endpoint")),
            ("modle", Some("model")),
            ("priority", None),
            ("x", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(nearest(name, keys), expected, "{name}");
        }
        assert_eq!(nearest("anything", []), None);
    }
}
