//! Every kind of background work, in one list, with all that the machinery needs to know of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::platform::UnknownName;

/// A kind of work. Its subject is the piece of work itself, never the thing it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Reads facts and a thumbnail of an asset's file. Subject: the asset.
    Probe,
    /// Makes one file. Subject: the row in `transcoded_media`.
    Transcode,
    /// Makes some of the frames of a file. Subject: the row in `transcode_parts`.
    Part,
    /// Writes one caption. Subject: the target.
    Caption,
    /// Takes one target to its network. Subject: the target.
    Publish,
    /// Pages through an account's posts. Subject: the account.
    Ingest,
    /// Downloads one ingested file. Subject: the asset.
    Fetch,
    /// Renews an account's tokens. Subject: the account.
    Refresh,
    /// Takes an account's tokens back at its network. Subject: the account.
    Revoke,
    /// Removes what no row names any more. Subject: the brand.
    Housekeeping,
}

/// How the machinery treats a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handling {
    /// Runs for minutes: prefetch 1, and half of the slots at most for one brand while others wait.
    pub long: bool,
    /// A job that shows no progress for this long is not renewed, so another worker takes it.
    pub progress_within: Duration,
    /// After this many failures the job ends and its subject is given up.
    pub failures_max: i32,
    /// The work opens sealed tokens: only a publisher's login and the master key can do it.
    pub needs_secrets: bool,
    /// The work reads untrusted media with the jailed engine.
    pub runs_engine: bool,
}

impl JobKind {
    /// Every kind. A new one is added here, in [`Self::as_str`] and in [`Self::handling`].
    pub const ALL: [Self; 10] = [
        Self::Probe,
        Self::Transcode,
        Self::Part,
        Self::Caption,
        Self::Publish,
        Self::Ingest,
        Self::Fetch,
        Self::Refresh,
        Self::Revoke,
        Self::Housekeeping,
    ];

    /// The name in `jobs.kind`, in queue names and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Transcode => "transcode",
            Self::Part => "part",
            Self::Caption => "caption",
            Self::Publish => "publish",
            Self::Ingest => "ingest",
            Self::Fetch => "fetch",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::Housekeeping => "housekeeping",
        }
    }

    /// How it is to be treated.
    #[must_use]
    pub fn handling(self) -> Handling {
        let short = |failures_max, needs_secrets| Handling {
            long: false,
            progress_within: Duration::from_secs(300),
            failures_max,
            needs_secrets,
            runs_engine: false,
        };
        match self {
            Self::Probe => Handling { runs_engine: true, ..short(5, false) },
            Self::Transcode | Self::Part => Handling {
                long: true,
                progress_within: Duration::from_secs(600),
                failures_max: 5,
                needs_secrets: false,
                runs_engine: true,
            },
            Self::Caption => short(5, false),
            // A target has a limit in time (its lateness), so failures may be many.
            Self::Publish => short(20, true),
            Self::Ingest => short(8, true),
            Self::Fetch => {
                Handling { long: true, progress_within: Duration::from_secs(600), ..short(8, true) }
            }
            Self::Refresh => short(12, true),
            Self::Revoke => short(8, true),
            Self::Housekeeping => short(8, false),
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobKind {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownName::new("job kind", name))
    }
}

/// Which of a kind's two queues rings for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Somebody waits, or the clock decides.
    Now,
    /// A back catalogue: it may take its time.
    Bulk,
}

impl Lane {
    pub const ALL: [Self; 2] = [Self::Now, Self::Bulk];

    /// The number in `jobs.lane`.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Now => 0,
            Self::Bulk => 1,
        }
    }

    /// The name in queue names and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Bulk => "bulk",
        }
    }

    pub(crate) const fn from_number(number: i16) -> Self {
        // The column's CHECK admits 0 and 1.
        if number == 0 { Self::Now } else { Self::Bulk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_and_stands_in_the_list_once() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(JobKind::ALL.iter().filter(|other| **other == kind).count(), 1);
        }
        assert!("".parse::<JobKind>().is_err());
    }
}
