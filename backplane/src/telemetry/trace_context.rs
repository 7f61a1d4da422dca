//! W3C trace context: the thread from a request to the jobs that it caused.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

/// A `traceparent` of version 00. It travels in the job's row; the job's own run is linked to it,
/// not under it, since it may happen hours later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    sampled: bool,
}

/// The text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a traceparent of version 00")]
pub struct BadTraceparent;

impl TraceContext {
    /// Begins a trace.
    #[must_use]
    pub fn begin() -> Self {
        // Zero is reserved for "none"; the chance is nil, and `| 1` costs one bit.
        let mut random = rand::rng();
        Self { trace: random.random::<u128>() | 1, span: random.random::<u64>() | 1, sampled: true }
    }

    /// Goes on with the trace of a request's header, or begins one when there is none to go on with.
    #[must_use]
    pub fn from_header(header: Option<&str>) -> Self {
        header.and_then(|text| text.parse().ok()).map_or_else(Self::begin, Self::child)
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: rand::rng().random::<u64>() | 1, ..self }
    }

    /// The trace's id, 32 hex digits, as logs have it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl FromStr for TraceContext {
    type Err = BadTraceparent;
    fn from_str(text: &str) -> Result<Self, BadTraceparent> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            parts.next().filter(|part| part.len() == length && part.chars().all(hex)).ok_or(BadTraceparent)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version != "00" || parts.next().is_some() {
            return Err(BadTraceparent);
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_| BadTraceparent)?;
        let span = u64::from_str_radix(span, 16).map_err(|_| BadTraceparent)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| BadTraceparent)?;
        if trace == 0 || span == 0 {
            return Err(BadTraceparent);
        }
        Ok(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_and_nonsense_begins_a_new_one() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceContext>().map(|context| context.to_string()), Ok(text.to_owned()));
        let child = TraceContext::from_header(Some(text));
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child.to_string(), text);
        for bad in ["", "00", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", &text.to_uppercase()]
        {
            assert_eq!(bad.parse::<TraceContext>(), Err(BadTraceparent), "{bad}");
        }
        assert!("00-00000000000000000000000000000000-00f067aa0ba902b7-01".parse::<TraceContext>().is_err());
    }
}
