//! `evenkeel reload`

use super::admin::{Instance, run};
use super::{Failure, print};
use http::Method;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    instance: Instance,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    let client = args.instance.client()?;
    let answer = match run(client.send(Method::POST, "/api/v1/reload", None)) {
        Ok(answer) => answer,
        Err(failure) => {
            // Nobody else tells of them.
            if let Some(problem) = &client.problem {
                eprintln!("{problem}\n");
            }
            return Err(failure);
        }
    };
    if !answer.status.is_success() {
        return Err(client.failure(&answer));
    }
    for warning in list(&answer.body, "warnings") {
        let text = |name| warning.get(name).and_then(Value::as_str).unwrap_or_default();
        eprintln!("warning: {}: {}", text("path"), text("message"));
    }
    let mut told =
        format!("configuration {} is served\n", answer.body.get("generation").unwrap_or(&Value::Null));
    let restart: Vec<_> = list(&answer.body, "needs_restart").filter_map(Value::as_str).collect();
    if !restart.is_empty() {
        told.push_str(&format!("restart needed: {}\n", restart.join(", ")));
    }
    print(&told)
}

fn list<'a>(answer: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    answer.get(name).and_then(Value::as_array).into_iter().flatten()
}
