//! GraphQL API, relay and sweeper.
