//! Metrics on their way into text.

use super::cells::{Histogram, Outcomes, Statuses, Unit};
use super::families::{Family, Kind};
use prometheus::TextEncoder;
use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::BTreeMap;

/// The metrics that are ready to be written.
#[derive(Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// The text of all of them.
    pub(super) fn encode(&self) -> prometheus::Result<String> {
        let mut text = String::with_capacity(32 * 1024);
        TextEncoder::new().encode_utf8(&self.0, &mut text)?;
        Ok(text)
    }

    /// Adds a metric, unless it has no series.
    pub(super) fn add(&mut self, series: Series) {
        if !series.metrics.is_empty() {
            let mut family = MetricFamily::default();
            family.set_name(series.family.name.to_owned());
            family.set_help(series.family.help.to_owned());
            family.set_field_type(match series.family.kind {
                Kind::Counter => MetricType::COUNTER,
                Kind::Gauge => MetricType::GAUGE,
                Kind::Histogram => MetricType::HISTOGRAM,
            });
            family.set_metric(series.metrics);
            self.0.push(family);
        }
    }

    /// Adds a metric without labels.
    pub(super) fn add_one(&mut self, family: &'static Family, value: f64) {
        let mut series = Series::of(family);
        series.add(&[], value);
        self.add(series);
    }

    /// Adds metrics that another has made.
    pub(super) fn add_all(&mut self, others: Vec<MetricFamily>) {
        self.0.extend(others);
    }
}

/// The series of one metric.
pub(super) struct Series {
    family: &'static Family,
    metrics: Vec<Metric>,
}

impl Series {
    pub(super) fn of(family: &'static Family) -> Self {
        Self { family, metrics: Vec::new() }
    }

    /// Adds a number, under these values of the family's labels.
    pub(super) fn add(&mut self, labels: &[&str], value: f64) {
        let mut metric = self.metric(labels);
        if self.family.kind == Kind::Counter {
            let mut counter = proto::Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    /// Adds the statuses that were met, and the `usual` ones from the beginning: of a series that is new, Prometheus does
    /// not see the first rise.
    pub(super) fn add_statuses(&mut self, labels: &[&str], statuses: &Statuses, usual: &[u16]) {
        let mut told: BTreeMap<_, _> = usual.iter().map(|status| (Some(*status), 0)).collect();
        told.extend(statuses.met());
        for (status, count) in told {
            let status = status.map_or_else(|| "other".to_owned(), |status| status.to_string());
            self.add(&with(labels, &status), count as f64);
        }
    }

    /// Adds the outcomes that are no statuses, met or not, but for the one that there cannot be.
    pub(super) fn add_words(&mut self, labels: &[&str], outcomes: &Outcomes, without: &str) {
        for (word, count) in outcomes.named().into_iter().filter(|(word, _)| *word != without) {
            self.add(&with(labels, word), count as f64);
        }
    }

    pub(super) fn add_histogram(&mut self, labels: &[&str], histogram: &Histogram) {
        let buckets = histogram.buckets();
        let scale = match buckets.unit {
            Unit::Nanoseconds => 1e9,
            Unit::One => 1.0,
        };
        let mut total = 0;
        let mut told = Vec::with_capacity(buckets.bounds.len());
        // The bucket beyond the last bound is in the count only.
        let bounds = buckets.bounds.iter().map(Some).chain([None]);
        for (count, bound) in histogram.counts().zip(bounds) {
            total += count;
            if let Some(&bound) = bound {
                let mut bucket = proto::Bucket::default();
                bucket.set_upper_bound(bound as f64 / scale);
                bucket.set_cumulative_count(total);
                told.push(bucket);
            }
        }
        let mut text = proto::Histogram::default();
        text.set_bucket(told);
        text.set_sample_count(total);
        text.set_sample_sum(histogram.sum() as f64 / scale);
        let mut metric = self.metric(labels);
        metric.set_histogram(text);
        self.metrics.push(metric);
    }

    fn metric(&self, values: &[&str]) -> Metric {
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        Metric::from_label(self.family.labels.iter().zip(values).map(pair).collect())
    }
}

/// These values, and one more.
pub(super) fn with<'a>(labels: &[&'a str], last: &'a str) -> Vec<&'a str> {
    labels.iter().copied().chain([last]).collect()
}
