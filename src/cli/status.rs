//! `evenkeel status`

use super::admin::{Client, Instance, run};
use super::{Failure, OutputFormat};
use http::Method;
use humantime::format_duration;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// How often the status is told with `--watch`.
const INTERVAL: Duration = Duration::from_secs(1);

/// To the top left, and nothing below (ECMA-48, CUP and ED).
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    instance: Instance,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Tell it again every second.
    #[arg(long)]
    watch: bool,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    let client = args.instance.client()?;
    run(async {
        let first = ask(&client).await?;
        if !args.watch {
            let text = match args.format {
                OutputFormat::Text => table(&first),
                OutputFormat::Json => format!("{}\n", serde_json::to_string_pretty(&first)?),
            };
            return super::print(&text);
        }
        watch(args, &client, first).await
    })
}

async fn ask(client: &Client) -> Result<Value, Failure> {
    client.ask(Method::GET, "/api/v1/status", None).await
}

/// Tells the status every second, until nobody listens any more. An instance that is away for a while is waited for.
async fn watch(args: &Args, client: &Client, first: Value) -> Result<(), Failure> {
    let redraw = args.format == OutputFormat::Text && io::stdout().is_terminal();
    let mut status = Ok(first);
    loop {
        let text = match (&status, args.format) {
            (Ok(status), OutputFormat::Text) => format!("{}\n", table(status)),
            (Ok(status), OutputFormat::Json) => format!("{status}\n"),
            (Err(failure), _) => {
                eprintln!("{failure}");
                String::new()
            }
        };
        let clear = if redraw && !text.is_empty() { CLEAR } else { "" };
        let mut out = io::stdout().lock();
        match write!(out, "{clear}{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
        drop(out);
        tokio::time::sleep(INTERVAL).await;
        status = ask(client).await;
    }
}

/// The status for people.
fn table(status: &Value) -> String {
    let config = status.get("config").unwrap_or(&Value::Null);
    let mut text = format!(
        "evenkeel {}, process {}, {} for {}, {} in flight\n",
        shown(status, "version"),
        number(status, "pid"),
        shown(status, "state"),
        format_duration(Duration::from_secs(number(status, "uptime_seconds"))),
        number(status, "in_flight"),
    );
    let file = config.get("file").and_then(Value::as_str).unwrap_or("a configuration of its own");
    let _ = writeln!(
        text,
        "configuration {} of this process: {}, loaded {}",
        number(config, "generation"),
        plain(file),
        shown(config, "loaded_at"),
    );
    if let Some(reload) =
        config.get("last_reload").filter(|reload| reload.get("success") == Some(&false.into()))
    {
        let error = reload.get("error").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "the latest reload, {}, changed nothing:", shown(reload, "at"));
        for line in error.lines() {
            let _ = writeln!(text, "  {}", plain(line));
        }
    }
    for api in list(status, "apis") {
        for environment in list(api, "environments") {
            text.push_str(&environment_table(api, environment));
        }
    }
    text
}

fn environment_table(api: &Value, environment: &Value) -> String {
    let mut text = format!(
        "\nAI API {} at {} ({}), {}\n",
        shown(api, "name"),
        shown(api, "context"),
        shown(api, "vendor"),
        shown(environment, "environment"),
    );
    for operation in list(environment, "operations") {
        let policy = operation.get("policy").and_then(Value::as_str).unwrap_or("to the primary endpoint");
        let _ = writeln!(text, "  {} {}: {policy}", shown(operation, "method"), shown(operation, "path"));
    }
    let heads = ["MODEL", "ENDPOINT", "EXPECTED", "ACTUAL", "CHOICES", "STATE"].map(str::to_owned);
    let pairs: Vec<_> = list(environment, "pairs").map(row).collect();
    if pairs.is_empty() {
        return text;
    }
    let rows: Vec<_> = std::iter::once(heads).chain(pairs).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    for row in &rows {
        let mut line = String::from("  ");
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Numbers stand under each other.
            let _ = match column {
                2..=4 => write!(line, "{cell:>width$}  "),
                _ => write!(line, "{cell:width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(pair: &Value) -> [String; 6] {
    let choices = pair.pointer("/counters/choices").and_then(Value::as_u64).unwrap_or_default();
    let percent = |name: &str| {
        let share = pair.get(name).and_then(Value::as_f64).unwrap_or_default();
        format!("{:.1} %", share * 100.0)
    };
    let (expected, actual) = (percent("expected_share"), percent("actual_share"));
    let (model, endpoint) = (shown(pair, "model"), shown(pair, "endpoint"));
    [model, endpoint, expected, actual, choices.to_string(), state(pair)]
}

/// How a pair is, in words: `suspended for 28s: 429`.
pub fn state(pair: &Value) -> String {
    let mut text = shown(pair, "state");
    let left = pair.get("suspended_for_seconds").and_then(Value::as_f64);
    match left.and_then(|left| Duration::try_from_secs_f64(left.ceil()).ok()) {
        Some(left) if text == "suspended" => text.push_str(&format!(" for {}", format_duration(left))),
        _ => {}
    }
    for part in ["reason", "note"].iter().filter_map(|name| pair.get(*name)?.as_str()) {
        text.push_str(&format!(": {}", plain(part)));
    }
    text
}

/// A text that somebody else has chosen, without what would move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn shown(value: &Value, name: &str) -> String {
    plain(value.get(name).and_then(Value::as_str).unwrap_or("?"))
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_person_reads_a_table() {
        let pair = |model: &str, state: &str, left: Option<f64>, reason: Option<&str>, note: Option<&str>| {
            json!({
                "model": model, "endpoint": "Primary", "state": state, "suspended_for_seconds": left,
                "reason": reason, "note": note, "expected_share": 0.25, "actual_share": 0.2,
                "counters": { "choices": 20 },
            })
        };
        let status = json!({
            "version": "1.2.3", "pid": 7, "state": "serving", "uptime_seconds": 3661, "in_flight": 2,
            "config": {
                "file": "/etc/evenkeel.yaml", "generation": 3, "loaded_at": "2026-01-01T00:00:00.000Z",
                "last_reload": { "success": false, "at": "2026-01-02T00:00:00.000Z", "error": "error: one\n --> two" },
            },
            "apis": [{
                "name": "Chat", "context": "/chat", "vendor": "openai",
                "environments": [{
                    "environment": "production",
                    "operations": [
                        { "method": "POST", "path": "/x", "policy": "model_round_robin" },
                        { "method": "GET", "path": "/models", "policy": null },
                    ],
                    "pairs": [
                        pair("gpt-4o", "active", Some(0.0), None, None),
                        pair("gpt-4o-mini", "suspended", Some(27.2), Some("429"), None),
                        pair("o1", "suspended", None, Some("drained"), Some("old\u{1b}[2J")),
                        pair("o3", "probing", Some(0.0), Some("connect"), None),
                    ],
                }],
            }],
        });
        let expected = "\
evenkeel 1.2.3, process 7, serving for 1h 1m 1s, 2 in flight
configuration 3 of this process: /etc/evenkeel.yaml, loaded 2026-01-01T00:00:00.000Z
the latest reload, 2026-01-02T00:00:00.000Z, changed nothing:
  error: one
   --> two

AI API Chat at /chat (openai), production
  POST /x: model_round_robin
  GET /models: to the primary endpoint
  MODEL        ENDPOINT  EXPECTED  ACTUAL  CHOICES  STATE
  gpt-4o       Primary     25.0 %  20.0 %       20  active
  gpt-4o-mini  Primary     25.0 %  20.0 %       20  suspended for 28s: 429
  o1           Primary     25.0 %  20.0 %       20  suspended: drained: old\u{fffd}[2J
  o3           Primary     25.0 %  20.0 %       20  probing: connect
";
        assert_eq!(table(&status), expected);
    }

    #[test]
    fn an_answer_of_something_else_is_no_reason_to_fail() {
        for status in
            [Value::Null, json!([1]), json!({ "apis": 1 }), json!({ "apis": [{ "environments": [null] }] })]
        {
            assert!(table(&status).starts_with("evenkeel ?"));
        }
    }
}
