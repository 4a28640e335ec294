//! `evenkeel schema`

use super::{Failure, print};
use crate::config;

pub fn call() -> Result<(), Failure> {
    let schema = serde_json::to_string_pretty(&config::schema())?;
    print(&format!("{schema}\n"))
}
