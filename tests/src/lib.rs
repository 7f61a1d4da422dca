//! Stories that a user would recognise, told against the real services.
