mod documents;

use super::*;
use crate::balance::Outcome;
use crate::keys::Environment;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn client(model: &str) -> ClientLabels {
    let [provider, model, address] = ["openai", model, "api.openai.com"].map(Into::into);
    ClientLabels { provider, model, address, port: 443 }
}

fn labels(api: &str, model: &str, endpoint: &str) -> TargetLabels {
    let [api, model, endpoint] = [api, model, endpoint].map(Into::into);
    TargetLabels { api, environment: Environment::Production, model, endpoint }
}

/// AI APIs with a production endpoint `e` each, and pairs on it.
fn layout(apis: &[&str], pairs: &[(&str, &str)]) -> Layout {
    let primary =
        || Primary { environment: Environment::Production, endpoint: "e".into(), client: client("") };
    let api = |name: &&str| ApiLayout { name: (*name).into(), primaries: vec![primary()] };
    let pair = |(api, model): &(&str, &str)| (labels(api, model, "e"), client(model));
    Layout { apis: apis.iter().map(api).collect(), pairs: pairs.iter().map(pair).collect(), gen_ai: true }
}

fn meters(apis: &[&str], pairs: &[(&str, &str)]) -> Meters {
    Meters::new(layout(apis, pairs), &Meters::default())
}

fn text(meters: &Meters, figures: &Figures) -> String {
    render(meters, figures).unwrap()
}

/// The samples of evenkeel's own metrics that are not 0.
fn samples(meters: &Meters) -> BTreeSet<String> {
    let text = text(meters, &Figures::default());
    let counted =
        |line: &&str| line.contains("_total") && !line.starts_with(['#', 'p']) && !line.ends_with(" 0");
    text.lines().filter(counted).map(str::to_owned).collect()
}

fn set<const N: usize>(lines: [&str; N]) -> BTreeSet<String> {
    lines.map(str::to_owned).into()
}

#[test]
fn what_is_counted_is_told() {
    let meters = meters(&["A"], &[("A", "m1"), ("A", "m2")]);
    meters.count_unserved(None, 404);
    meters.count_unserved(Some(0), 401);
    let served = meters.served(0, Environment::Production).unwrap();
    served.meter.requests.count(200);
    served.meter.requests.count(999);
    served.meter.retries.add(2);
    served.meter.usage_unread.add(1);
    served.primary.meter.attempts.count(Some(Outcome::Status(200)));
    let pair = &meters.pair(1).unwrap().meter;
    pair.attempts.count(Some(Outcome::Status(429)));
    pair.attempts.count(None);
    pair.suspensions.count(Some(Outcome::Quota));
    pair.holds.add(1);
    pair.prompt_tokens.add(12);
    pair.cached_tokens.add(3);
    let m2 = r#"api="A",environment="production",model="m2",endpoint="e""#;
    let expected = [
        r#"evenkeel_requests_total{api="",environment="",code="404"} 1"#,
        r#"evenkeel_requests_total{api="A",environment="",code="401"} 1"#,
        r#"evenkeel_requests_total{api="A",environment="production",code="200"} 1"#,
        r#"evenkeel_requests_total{api="A",environment="production",code="other"} 1"#,
        r#"evenkeel_retries_total{api="A",environment="production"} 2"#,
        r#"evenkeel_usage_unread_total{api="A",environment="production"} 1"#,
        r#"evenkeel_attempts_total{api="A",environment="production",model="",endpoint="e",outcome="200"} 1"#,
        &format!(r#"evenkeel_attempts_total{{{m2},outcome="429"}} 1"#),
        &format!(r#"evenkeel_attempts_total{{{m2},outcome="abandoned"}} 1"#),
        &format!(r#"evenkeel_suspensions_total{{{m2},reason="quota"}} 1"#),
        &format!(r#"evenkeel_suspensions_total{{{m2},reason="operator"}} 1"#),
        &format!(r#"evenkeel_tokens_total{{{m2},type="prompt"}} 12"#),
        &format!(r#"evenkeel_tokens_total{{{m2},type="cached"}} 3"#),
    ];
    assert_eq!(samples(&meters), set(expected));
}

#[test]
fn names_that_run_together_alike_are_told_apart() {
    let meters = meters(&["A"], &[]);
    let layout = Layout {
        pairs: [("gpt-4", "o1"), ("gpt-4o", "1")].map(|(m, e)| (labels("A", m, e), client(m))).into(),
        ..layout(&["A"], &[])
    };
    let meters = Meters::new(layout, &meters);
    meters.pair(0).unwrap().meter.attempts.count(Some(Outcome::Connect));
    let expected = r#"evenkeel_attempts_total{api="A",environment="production",model="gpt-4",endpoint="o1",outcome="connect"} 1"#;
    assert_eq!(samples(&meters), set([expected]));
}

#[test]
fn a_reload_goes_on_with_what_is_still_there() {
    let first = meters(&["A", "B"], &[("A", "m1"), ("A", "m2"), ("B", "m1")]);
    for (number, times) in [(0, 1), (1, 2), (2, 3)] {
        (0..times).for_each(|_| first.pair(number).unwrap().meter.attempts.count(Some(Outcome::Timeout)));
    }
    first.count_unserved(None, 404);
    first.count_unserved(Some(1), 401);
    first.served(0, Environment::Production).unwrap().meter.retries.add(1);
    // The pairs of A change places, and B goes.
    let second = Meters::new(layout(&["C", "A"], &[("C", "m1"), ("A", "m2"), ("A", "m1")]), &first);
    // A request that began before the reload still counts.
    first.pair(1).unwrap().meter.attempts.count(Some(Outcome::Timeout));
    let timeouts = |model, count| {
        format!(
            r#"evenkeel_attempts_total{{api="A",environment="production",model="{model}",endpoint="e",outcome="timeout"}} {count}"#
        )
    };
    let expected = [
        r#"evenkeel_requests_total{api="",environment="",code="404"} 1"#,
        r#"evenkeel_retries_total{api="A",environment="production"} 1"#,
        &timeouts("m1", 1),
        &timeouts("m2", 3),
    ];
    assert_eq!(samples(&second), set(expected));
    assert!(!text(&second, &Figures::default()).contains(r#"api="B""#));
}

#[test]
fn a_pair_is_in_one_state() {
    let meters = meters(&["A"], &[("A", "m1")]);
    for (state, word) in
        [(PairState::Active, "active"), (PairState::Suspended, "suspended"), (PairState::Probing, "probing")]
    {
        let pairs = vec![PairFigures { state, expected: 0.75, actual: 0.5 }];
        let text = text(&meters, &Figures { pairs, ..Figures::default() });
        let states: Vec<_> = text.lines().filter(|line| line.starts_with("evenkeel_pair_state")).collect();
        assert_eq!(states.len(), 3);
        let is_it = |line: &&&str| line.ends_with(" 1");
        let on: Vec<_> = states.iter().filter(is_it).collect();
        assert!(on.len() == 1 && on[0].contains(&format!("state=\"{word}\"")), "{states:?}");
        assert!(
            text.contains(r#"share_expected{api="A",environment="production",model="m1",endpoint="e"} 0.75"#)
        );
    }
}

#[test]
fn a_histogram_is_cumulative_and_in_seconds() {
    let meters = meters(&["A"], &[]);
    let overhead = &meters.served(0, Environment::Production).unwrap().meter.overhead;
    for micros in [5, 30, 30, 500_000] {
        overhead.observe_duration(Duration::from_micros(micros));
    }
    let text = text(&meters, &Figures::default());
    for line in [
        r#"_bucket{api="A",environment="production",le="0.000005"} 1"#,
        r#"_bucket{api="A",environment="production",le="0.00002"} 1"#,
        r#"_bucket{api="A",environment="production",le="0.00005"} 3"#,
        r#"_bucket{api="A",environment="production",le="0.1"} 3"#,
        r#"_bucket{api="A",environment="production",le="+Inf"} 4"#,
        r#"_sum{api="A",environment="production"} 0.500065"#,
        r#"_count{api="A",environment="production"} 4"#,
    ] {
        assert!(text.contains(&format!("evenkeel_overhead_seconds{line}\n")), "{line}");
    }
}

#[test]
fn operations_are_told_as_the_conventions_have_it() {
    let meters = meters(&["A", "B"], &[("A", "m1"), ("B", "m1")]);
    // The same model at the same host is one client of it, whichever AI API asks.
    for number in [0, 1] {
        let client = meters.pair(number).unwrap().client.clone().unwrap();
        let chat = client.operation(OperationKind::Chat).unwrap();
        chat.observe(Some(Outcome::Status(200)), Duration::from_millis(15));
        chat.observe(Some(Outcome::Status(429)), Duration::from_millis(15));
        chat.input.observe(100);
    }
    let text = text(&meters, &Figures::default());
    let who = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m1",server_address="api.openai.com",server_port="443""#;
    for line in [
        format!(r#"gen_ai_client_operation_duration_seconds_bucket{{{who},error_type="",le="0.02"}} 2"#),
        format!(r#"gen_ai_client_operation_duration_seconds_count{{{who},error_type="429"}} 2"#),
        format!(r#"gen_ai_client_token_usage_bucket{{{who},gen_ai_token_type="input",le="256"}} 2"#),
    ] {
        assert_eq!(text.matches(&format!("{line}\n")).count(), 1, "{line}");
    }
}

#[test]
fn an_operation_has_a_name_of_few() {
    for (name, expected) in [
        (Some("chat"), OperationKind::Chat),
        (Some("text_completion"), OperationKind::TextCompletion),
        (Some("embeddings"), OperationKind::Embeddings),
        (Some("invoke_agent"), OperationKind::Other),
        (None, OperationKind::Other),
    ] {
        assert_eq!(OperationKind::named(name), expected, "{name:?}");
    }
}

/// The families of a text: each name with its kind and its labels.
fn families_of(text: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut families = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with("# HELP")) {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
            continue;
        }
        let name = line.split(['{', ' ']).next().unwrap();
        let suffixes = ["", "_bucket", "_sum", "_count"];
        let named = suffixes.iter().filter_map(|suffix| name.strip_suffix(suffix));
        let name = named.into_iter().find(|name| families.contains_key(*name)).unwrap();
        let family = families.get_mut(name).unwrap();
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
        let names = labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0));
        family.1.extend(names.filter(|name| *name != "le").map(str::to_owned));
    }
    families
}

#[test]
fn every_metric_is_served_and_no_other() {
    let meters = meters(&["A"], &[("A", "m1")]);
    let chat = meters.pair(0).unwrap().client.clone().unwrap();
    chat.operation(OperationKind::Chat).unwrap().input.observe(1);
    let pairs = vec![PairFigures { state: PairState::Active, expected: 1.0, actual: 1.0 }];
    let served = families_of(&text(&meters, &Figures { pairs, ..Figures::default() }));
    let described = FAMILIES.iter().map(|family| {
        let labels = family.labels.iter().map(|label| (*label).to_owned()).collect();
        (family.name.to_owned(), (family.kind.as_str().to_owned(), labels))
    });
    assert_eq!(served, described.collect());
}
