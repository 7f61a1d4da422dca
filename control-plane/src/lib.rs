//! GraphQL API, relay and sweeper.

pub mod publishing;
