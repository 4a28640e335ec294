//! The documentation, the dashboard and the alert rules name what is served.

use super::super::{FAMILIES, Kind};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of metrics in a text of queries, as a family has them.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_name(c));
    let ours =
        words.filter(|word| ["evenkeel_", "gen_ai_client_", "process_"].iter().any(|p| word.starts_with(p)));
    ours.map(family_of).collect()
}

/// A histogram's series have suffixes of their own.
fn family_of(name: &str) -> String {
    let histograms = FAMILIES.iter().filter(|family| family.kind == Kind::Histogram);
    let is_of =
        |family: &str| ["_bucket", "_sum", "_count"].iter().any(|s| name.strip_suffix(s) == Some(family));
    let family = histograms.into_iter().find(|family| is_of(family.name));
    family.map_or(name, |family| family.name).to_owned()
}

#[test]
fn the_documentation_describes_what_is_served_and_nothing_else() {
    let page = read("docs/metrics.md");
    let described: Vec<_> = page
        .split("\n### ")
        .skip(1)
        .map(|section| {
            let mut lines = section.lines();
            (lines.next().unwrap().to_owned(), lines.next().unwrap().to_owned())
        })
        .collect();
    let served: Vec<_> = FAMILIES
        .iter()
        .map(|family| {
            let kind = match family.kind {
                Kind::Counter => "Counter",
                Kind::Gauge => "Gauge",
                Kind::Histogram => "Histogram",
            };
            let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = match labels.as_slice() {
                [] => "No labels.".to_owned(),
                labels => format!("Labels: {}.", labels.join(", ")),
            };
            (family.name.to_owned(), format!("{kind}. {labels}"))
        })
        .collect();
    let (described, served): (BTreeSet<_>, BTreeSet<_>) =
        (described.into_iter().collect(), served.into_iter().collect());
    assert_eq!(described, served);
}

#[test]
fn every_label_has_its_bounds_in_the_documentation() {
    let page = read("docs/metrics.md");
    let tables: String = page.lines().filter(|line| line.starts_with("| `")).collect();
    let described_in_place = ["version", "os", "arch"];
    for label in FAMILIES.iter().flat_map(|family| family.labels).filter(|l| !described_in_place.contains(l))
    {
        assert!(tables.contains(&format!("`{label}`")), "{label}");
    }
}

#[test]
fn queries_name_metrics_that_are_served() {
    let families: BTreeSet<_> = FAMILIES.iter().map(|family| family.name.to_owned()).collect();
    for path in ["docs/metrics.md", "conf/prometheus/evenkeel.rules.yaml", "conf/grafana/evenkeel.json"] {
        let names = names_in(&read(path));
        let unknown: Vec<_> = names.difference(&families).collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
        assert!(names.len() > 8, "{path}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_takes() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("conf/grafana/evenkeel.json")).unwrap();
    assert_eq!(dashboard["uid"], "evenkeel");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    assert_eq!(names, ["datasource", "instance", "api", "environment"]);
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "ids are distinct");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", panel["title"]);
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        let queries = panel["targets"].as_array().unwrap();
        assert!(queries.iter().all(|query| !names_in(query["expr"].as_str().unwrap()).is_empty()));
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
    }
}
