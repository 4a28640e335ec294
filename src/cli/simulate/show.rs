//! What came of a simulation, for people and for machines.

use super::failure::name;
use super::{Scene, title};
use crate::balance::Tick;
use crate::simulate::{PairRow, SuspensionRow, Table};
use humantime::format_duration;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

pub(super) fn as_text(scene: &Scene<'_>, table: &Table) -> String {
    let Scene { api, environment, script, .. } = scene;
    let (operation, policy) = (title(scene.operation), scene.pairs.pool().policy());
    let played = human(script.moment(script.requests));
    let mut text = format!("{}, {operation}, {environment}: {policy}\n", api.name());
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} requests at {} per second: {played} on a virtual clock",
        script.requests, script.rate
    );
    text.push('\n');
    text.push_str(&pairs(scene, table));
    text.push_str(&suspensions(scene, table));
    text.push('\n');
    let totals = &table.totals;
    let figures = [
        ("served", totals.served),
        ("failed", totals.failed),
        ("refused", totals.refused),
        ("retries", totals.retries),
    ];
    let rows = figures.map(|(name, figure)| [Cell::left(name), Cell::right(figure)]);
    text.push_str(&aligned(&rows));
    text
}

/// A line for each pair.
fn pairs(scene: &Scene<'_>, table: &Table) -> String {
    let heads = ["EXPECTED", "ACTUAL", "SERVED", "TRIES", "FAILURES", "PROBES", "SUSPENSIONS"];
    let [expected, actual, served, tries, failures, probes, suspensions] = heads.map(Cell::right);
    let heads = [Cell::left("PAIR"), expected, actual, served, tries, failures, probes, suspensions];
    let share = |share: f64| Cell::right(format!("{:.2} %", share * 100.0));
    let rows = scene.pairs.iter().zip(&table.pairs).enumerate().map(|(place, (pair, row))| {
        [
            Cell::left(name(pair)),
            share(row.expected_share),
            share(table.actual_share(place)),
            Cell::right(row.served),
            Cell::right(row.tries),
            Cell::right(row.failures),
            Cell::right(row.probes),
            Cell::right(row.suspensions),
        ]
    });
    aligned(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

/// A line for each suspension that is listed, of all pairs together in the order of time.
fn suspensions(scene: &Scene<'_>, table: &Table) -> String {
    let pairs = scene.pairs.iter().zip(&table.pairs);
    let mut listed: Vec<_> =
        pairs.flat_map(|(pair, row)| row.listed.iter().map(move |suspension| (suspension, pair))).collect();
    if listed.is_empty() {
        return String::new();
    }
    listed.sort_by_key(|(suspension, _)| suspension.from);
    let heads = ["FROM", "UNTIL", "REASON", "SUSPENDED"].map(Cell::left);
    let rows = listed.iter().map(|(suspension, pair)| {
        [
            Cell::left(human(since_start(suspension.from))),
            Cell::left(human(since_start(suspension.until))),
            Cell::left(suspension.reason),
            Cell::left(name(pair)),
        ]
    });
    let mut text = format!("\n{}", aligned(&std::iter::once(heads).chain(rows).collect::<Vec<_>>()));
    let unlisted = |row: &PairRow| row.suspensions.saturating_sub(row.listed.len() as u64);
    let more: u64 = table.pairs.iter().map(unlisted).sum();
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    text
}

pub(super) fn as_json(scene: &Scene<'_>, table: &Table) -> Value {
    let script = scene.script;
    let totals = &table.totals;
    let pairs = scene.pairs.iter().zip(&table.pairs).enumerate().map(|(place, (pair, row))| {
        json!({
            "model": pair.model.name(),
            "endpoint": pair.endpoint.name(),
            "expected_share": row.expected_share,
            "actual_share": table.actual_share(place),
            "served": row.served,
            "tries": row.tries,
            "failures": row.failures,
            "probes": row.probes,
            "suspensions": row.suspensions,
            "first_suspensions": row.listed.iter().map(suspension_as_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "api": scene.api.name(),
        "environment": scene.environment.as_str(),
        "operation": title(scene.operation),
        "policy": scene.pairs.pool().policy(),
        "rate": script.rate,
        "seconds": script.moment(script.requests).as_secs_f64(),
        "requests": totals.requests,
        "served": totals.served,
        "failed": totals.failed,
        "refused": totals.refused,
        "retries": totals.retries,
        "pairs": pairs.collect::<Vec<_>>(),
    })
}

fn suspension_as_json(suspension: &SuspensionRow) -> Value {
    json!({
        "from_seconds": since_start(suspension.from).as_secs_f64(),
        "until_seconds": since_start(suspension.until).as_secs_f64(),
        "reason": suspension.reason.to_string(),
    })
}

fn since_start(tick: Tick) -> Duration {
    tick.since(Tick::ORIGIN)
}

/// To the millisecond.
fn human(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    format_duration(Duration::from_millis(millis)).to_string()
}

/// A text in a column, and the side on which it stands.
struct Cell {
    text: String,
    right: bool,
}

impl Cell {
    fn left(text: impl ToString) -> Self {
        Self { text: text.to_string(), right: false }
    }

    fn right(text: impl ToString) -> Self {
        Self { text: text.to_string(), right: true }
    }
}

/// Rows as lines, each column as wide as its widest cell.
fn aligned<const N: usize>(rows: &[[Cell; N]]) -> String {
    let width = |cell: &Cell| cell.text.chars().count();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(Cell { text, right }, width)| match right {
            true => format!("{text:>width$}"),
            false => format!("{text:width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
