//! HTTP: what comes in is bounded, signed in and checked here, and nothing of it goes further in.

mod answer;
mod cross_site;
mod graphiql;
mod graphql;
mod limits;
mod params;
mod server;
mod sign_in;
mod websocket;

pub use server::router;
