//! Who asks and what they may do: sessions, API keys, passwords, roles.

mod asker;
mod attempts;
mod password;
mod role;
pub mod token;

pub use asker::{Actor, Asker, BrandAccess, Seat};
pub use attempts::Attempts;
pub use password::{LENGTH as PASSWORD_LENGTH, PasswordError, Passwords};
pub use role::{Right, Role};
