//! The metrics as a client of the admin address sees them.

use super::client::Client;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// All samples of one answer of `/metrics`.
pub struct Scrape {
    text: String,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// What `/metrics` at `admin` says now.
    pub async fn of(admin: SocketAddr) -> Self {
        let request = Request::get("/metrics").header("host", "admin.test");
        let request = request.body(Full::new(Bytes::new()).boxed()).unwrap();
        let answer = Client::http1(admin).await.send(request).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples: BTreeMap<_, _> = lines.clone().map(sample).collect();
        assert_eq!(samples.len(), lines.count(), "a series stands twice:\n{text}");
        Self { text, samples }
    }

    /// One number; 0 if it is not there.
    pub fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or_default()
    }

    /// The gateway's own counters that are not 0, without those of the token's types.
    pub fn counted(&self) -> BTreeMap<&str, f64> {
        let is_counter = |name: &str| name.starts_with("evenkeel_") && name.contains("_total");
        let counted = self.samples.iter().filter(|(name, value)| is_counter(name) && **value > 0.0);
        counted.map(|(name, value)| (name.as_str(), *value)).collect()
    }

    /// The names of all series, labels included.
    pub fn series(&self) -> BTreeSet<&str> {
        self.samples.keys().map(String::as_str).collect()
    }

    /// The names of the families, with their kinds.
    pub fn families(&self) -> BTreeSet<(&str, &str)> {
        let kinds = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        kinds.map(|line| line.split_once(' ').unwrap()).collect()
    }
}
