//! Looking the names of endpoints up again.

use crate::live::Live;
use crate::upstream::Unresolved;
use std::time::Duration;

/// How often names are looked up again. The system's resolver does not tell how long an answer holds; vendors' records
/// hold from 20 s to 5 min.
const INTERVAL: Duration = Duration::from_secs(30);

/// Keeps the addresses of the endpoints that are served fresh.
pub async fn keep_fresh(live: &Live) {
    let mut unresolved = Unresolved::default();
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        live.current().upstreams.refresh(&mut unresolved).await;
    }
}
