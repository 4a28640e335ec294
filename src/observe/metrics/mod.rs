//! The metrics: what is counted, and how Prometheus reads it.
//!
//! The numbers of a gateway are laid out beforehand, one set for each AI API in each environment and one for each pair,
//! so that a request moves them by index, without a label, a hash or a lock ([`Meters`]). Labels are names from the
//! configuration, statuses and words of this room: nothing that a client sends becomes one. A reload makes a new layout
//! that goes on with the numbers of what is still there; the others' series end.
//!
//! The `prometheus` crate writes the text and reads the process's figures. Its vectors of metrics are not used: they know
//! a series by the hash of its labels' values run together, by which `gpt-4` on `o1` is `gpt-4o` on `1`.

mod buckets;
mod cells;
mod families;
mod gen_ai;
mod meters;
mod process;
mod series;
mod text;

pub use cells::{Buckets, Count, Histogram, Outcomes, Statuses, Unit};
pub use families::{FAMILIES, Family, Kind};
pub use gen_ai::{ClientLabels, ClientMeter, OperationKind};
pub use meters::{
    ApiLayout, Layout, Meters, Primary, Served, ServedMeter, Target, TargetLabels, TargetMeter,
};
pub use text::{CONTENT_TYPE, Figures, PairFigures, PairState, render};

#[cfg(test)]
mod tests;
