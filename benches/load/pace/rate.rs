//! So many requests a second, each at its moment.

use super::clock::{Metronome, now};
use super::spread::spread;
use super::{Connection, Failure, Target, Window, tell};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A request that finds them all busy waits for one, which counts. More would only tell again that it is too much.
const MOST_CONNECTIONS: usize = 1000;
/// An answer that takes longer is given up, and an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections that are free; the one that has been free longest is the next, so that all are used.
#[derive(Clone)]
struct Pool {
    free: Arc<Mutex<VecDeque<Connection>>>,
    places: Arc<Semaphore>,
}

/// How one request went.
struct Asked {
    due: u64,
    /// Between the moment that it was due and its sending: the generator's own share, for want of processor time.
    late: u64,
    /// Between the moment that it was due and the end of its answer.
    took: Result<u64, String>,
}

pub(crate) async fn run(
    target: Target,
    rate: u32,
    connections: usize,
    (warm_up, seconds): (f64, f64),
) -> Result<Value, Failure> {
    let interval = 1_000_000_000_u64.checked_div(u64::from(rate)).ok_or("--rate is 0")?;
    let places = Arc::new(Semaphore::new(connections.max(MOST_CONNECTIONS)));
    let pool = Pool { free: Arc::default(), places };
    for _ in 0..connections {
        let connection = Connection::open(&target).await?;
        pool.free.lock().push_back(connection);
    }
    let window = Window::new(warm_up, seconds)?;
    let mut metronome = Metronome::new(window.start, interval)?;
    let (mut asking, mut asked, mut told) = (JoinSet::new(), Vec::new(), false);
    loop {
        let due = metronome.tick().await?;
        if due >= window.until {
            break;
        }
        if window.has(due) && !told {
            told = true;
            tell("measuring")?;
        }
        asking.spawn(ask(target.clone(), pool.clone(), due));
        while let Some(ended) = asking.try_join_next() {
            asked.push(ended?);
        }
    }
    while let Some(ended) = asking.join_next().await {
        asked.push(ended?);
    }
    tell("measured")?;
    asked.retain(|asked| window.has(asked.due));
    let connections = pool.free.lock().len();
    Ok(report(asked, connections))
}

async fn ask(target: Target, pool: Pool, due: u64) -> Asked {
    let sent = now();
    let asked = async {
        let _place = pool.places.acquire().await?;
        let connection = pool.free.lock().pop_front();
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(&target).await?,
        };
        connection.ask().await?;
        let ended = now();
        pool.free.lock().push_back(connection);
        Ok::<_, Failure>(ended - due)
    };
    let took = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(took) => took.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    };
    Asked { due, late: sent - due, took }
}

fn report(asked: Vec<Asked>, connections: usize) -> Value {
    let requests = asked.len();
    let late = asked.iter().map(|asked| asked.late).collect();
    let (took, errors): (Vec<_>, Vec<_>) = asked.into_iter().map(|asked| asked.took).partition(Result::is_ok);
    json!({
        "requests": requests,
        "errors": errors.len(),
        "first_error": errors.into_iter().find_map(Result::err),
        "connections": connections,
        "late": spread(late),
        "latency": spread(took.into_iter().flatten().collect()),
    })
}
