//! What of a configuration only a restart can change.

use crate::config::Settings;
use serde_yaml::{Mapping, Value};

/// The paths of the keys that are different in `new`, and that the process goes on with as they are in `old`.
pub fn needs_restart(old: &Settings, new: &Settings) -> Vec<String> {
    let mut paths = server_keys(old, new);
    for (path, differs) in [
        ("listeners", old.listeners != new.listeners),
        ("admin.address", old.admin.address != new.admin.address),
        ("state_dir", old.state_dir != new.state_dir),
    ] {
        if differs {
            paths.push(path.to_owned());
        }
    }
    paths
}

fn server_keys(old: &Settings, new: &Settings) -> Vec<String> {
    let (old, new) = (mapping(old), mapping(new));
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(key, _)| key);
    gone.chain(changed).filter_map(|key| Some(format!("server.{}", key.as_str()?))).collect()
}

fn mapping(settings: &Settings) -> Mapping {
    match serde_yaml::to_value(&settings.server) {
        Ok(Value::Mapping(mapping)) => mapping,
        _ => Mapping::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Process};

    fn settings(text: &str) -> Settings {
        let rest = "
apis:
  - name: A
    context: /a
    vendor: openai
    endpoints: { production: [{ name: P, url: 'http://127.0.0.1:1/v1' }] }
    operations: [{ method: GET, path: /models }]";
        config::parse("test", &format!("{text}{rest}"), &Process).unwrap().settings
    }

    #[test]
    fn what_a_restart_is_needed_for() {
        let before =
            settings("listeners: [{ address: '127.0.0.1:1' }]\nserver: { threads: 2, pid_file: /a }");
        let same = "listeners: [{ address: '127.0.0.1:1' }]\nserver: { threads: 2, pid_file: /a }\n";
        let table: [(String, &[&str]); 6] = [
            (same.to_owned(), &[]),
            (format!("{same}access_log: {{ format: off }}\nreload: {{ watch: true }}"), &[]),
            (same.replace("threads: 2", "threads: 3"), &["server.threads"]),
            (same.replace(", pid_file: /a", ""), &["server.pid_file"]),
            (same.replace("127.0.0.1:1", "127.0.0.1:2"), &["listeners"]),
            (
                format!("{same}admin: {{ address: '127.0.0.1:3' }}\nstate_dir: /s"),
                &["admin.address", "state_dir"],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(needs_restart(&before, &settings(&text)), expected, "{text}");
        }
    }
}
