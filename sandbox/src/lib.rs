//! Strict simulators of the networks, with a ledger and faults.
