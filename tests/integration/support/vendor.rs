//! The mock vendor, in the test's own process so that the test can switch its faults and see what it saw.

use evenkeel::mock::{MockVendor, Options};
use std::net::TcpListener;

/// A vendor that keeps every request it sees, on a port of the system's choice.
pub async fn vendor() -> MockVendor {
    vendor_on(TcpListener::bind("127.0.0.1:0").unwrap()).await
}

/// The same on this listener.
pub async fn vendor_on(listener: TcpListener) -> MockVendor {
    MockVendor::start(listener, Options { record: true, ..Options::default() }).await.unwrap()
}
