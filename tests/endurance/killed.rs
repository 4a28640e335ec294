//! Processes killed at any moment: what they leave on disk is whole, and the next one goes on with it.

use crate::alone;
use crate::service::{PATIENCE, Service, ended};
use crate::support::{Client, Gateway, Prepared, binary, chat, post, signal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A file that nobody serves.
fn prepare() -> Prepared {
    Gateway::prepare(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{ name: Primary, url: 'http://127.0.0.1:9/v1' }]
    operations: [{ method: GET, path: /models }]
",
    )
}

/// Starts `evenkeel keys …`.
fn begin(prepared: &Prepared, arguments: &[&str]) -> Child {
    let mut command = binary();
    command.arg("keys").args(arguments).arg("-c").arg(prepared.file());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn create(name: &str) -> Vec<&str> {
    vec!["create", "--format", "json", "--environment", "production", "--name", name]
}

/// The hint of each key, by its name, as the command lists them.
fn listed(prepared: &Prepared) -> BTreeMap<String, String> {
    let output = prepared.call(&["keys", "list"], &["--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let keys: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys = keys.as_array().unwrap_or_else(|| keys["keys"].as_array().unwrap());
    let text = |key: &Value, member: &str| key[member].as_str().unwrap().to_owned();
    let listed: BTreeMap<_, _> = keys.iter().map(|key| (text(key, "name"), text(key, "hint"))).collect();
    assert_eq!(listed.len(), keys.len(), "a name stands twice");
    listed
}

/// The names of the files that a change of the keys has left beside them.
fn leftovers(state: &Path) -> Vec<String> {
    let entries = fs::read_dir(state).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["keys.yaml", "keys.lock"].contains(&name.as_str())).collect()
}

/// What a killed command may have done, and what it must have.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Make,
    TakeAway,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_change_of_keys_is_made_whole_or_not_at_all() {
    let _alone = alone().await;
    const ROUNDS: usize = 60;
    const AT_ONCE: usize = 3;
    let prepared = prepare();
    let mut random = fastrand::Rng::with_seed(20);
    // Longer than a command takes.
    let longest = (0..5).map(|n| time_of_one(&prepared, n)).min().unwrap() * 2;
    let mut before = listed(&prepared);
    let (mut done, mut killed) = (0, 0);
    for round in 0..ROUNDS {
        let mut running = Vec::new();
        for n in 0..AT_ONCE {
            let (change, name) = match before.keys().nth(n) {
                Some(name) if random.bool() => (Change::TakeAway, name.clone()),
                _ => (Change::Make, format!("key-{round}-{n}")),
            };
            let child = match change {
                Change::Make => begin(&prepared, &create(&name)),
                Change::TakeAway => begin(&prepared, &["revoke", &name]),
            };
            // One at once, one at any moment, one never.
            let dies = match n {
                0 => Some(Instant::now()),
                1 => Some(Instant::now() + longest.mul_f64(random.f64())),
                _ => None,
            };
            running.push((dies, change, name, child));
        }
        running.sort_by_key(|(dies, ..)| (dies.is_none(), *dies));
        let mut ends = Vec::new();
        for (dies, change, name, mut child) in running {
            if let Some(dies) = dies {
                std::thread::sleep(dies.saturating_duration_since(Instant::now()));
                let _ = child.kill();
            }
            let output = child.wait_with_output().unwrap();
            ends.push((change, name, output));
        }
        let after = listed(&prepared);
        for (change, name, output) in &ends {
            let told = String::from_utf8_lossy(&output.stderr);
            let is_there = after.get(name);
            // A key that was told, even by a command that was killed right after, is there.
            let told_key = String::from_utf8_lossy(&output.stdout);
            match (output.status.code(), change) {
                (Some(0), Change::Make) => assert!(is_there.is_some(), "{name} was made"),
                (Some(0), Change::TakeAway) => assert!(is_there.is_none(), "{name} was revoked"),
                (Some(code), _) => panic!("{name}: exit code {code}: {told}"),
                (None, Change::Make) if told_key.contains("\"key\"") => {
                    assert!(is_there.is_some(), "{name} was told");
                }
                (None, Change::Make) => {}
                // Half of a key would have another hint, or could not be read at all.
                (None, Change::TakeAway) => assert!(is_there.is_none_or(|hint| *hint == before[name])),
            }
            let count = if output.status.success() { &mut done } else { &mut killed };
            *count += 1;
        }
        for (name, hint) in &before {
            let touched = ends.iter().any(|(change, other, _)| *change == Change::TakeAway && other == name);
            assert!(touched || after.get(name) == Some(hint), "{name} was touched by nobody");
        }
        before = after;
    }
    assert!(done >= ROUNDS && killed > 0, "{done} done, {killed} killed");
    // Whatever they have left is gone with the next change, or there is not much of it.
    assert!(prepared.call(&["keys", "create"], &create("last")[1..]).status.success());
    let left = leftovers(&prepared.path("state"));
    assert!(left.is_empty(), "{left:?}");
}

fn time_of_one(prepared: &Prepared, n: usize) -> Duration {
    let start = Instant::now();
    let output = begin(prepared, &create(&format!("first-{n}"))).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}

/// It starts again on what it leaves, and a new one takes over from the one after.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_starts_again() {
    let _alone = alone().await;
    let mut service = Service::start(8, Duration::ZERO).await;
    let mut random = fastrand::Rng::with_seed(200);
    for round in 0..12 {
        let dies = Duration::from_millis(random.u64(..60));
        match round % 3 {
            0 => {
                let dies = Instant::now() + dies;
                let mut weights = [2, 1];
                while Instant::now() < dies {
                    weights.reverse();
                    service.set_weights(weights);
                    signal(service.pid(), "HUP");
                }
            }
            1 => {
                // The one that takes over is killed as well, with whatever it has begun.
                let mut new = service.run_upgrade(&fs::read_to_string(service.file()).unwrap());
                sleep(dies * 4).await;
                new.kill().unwrap();
                new.wait().unwrap();
            }
            _ => sleep(dies).await,
        }
        service.kill_and_start_again().await;
        let mut client = Client::http1(service.plain()).await;
        assert_eq!(client.send(post(crate::load::PATH, None, chat("any"))).await.status, 200);
        let (status, said) = service.upgrade(&[]).await;
        assert!(status.success(), "{said}: {}", service.log());
    }
    let left = fs::read_dir(service.path("state")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["upgrade.sock"], "nothing piles up");
    service.end().await;
}
