//! The layers of the media engine's jail: what they are called, which of them have to hold, and
//! what to do about one that does not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::platform::UnknownName;

/// One layer. Each holds by itself, so that a hole in one is not a hole in the jail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Layer {
    /// Nothing of the parent's environment came along.
    #[serde(rename = "empty_environment")]
    EmptyEnvironment,
    /// Nothing that the parent had open came along.
    #[serde(rename = "closed_files")]
    ClosedFiles,
    /// A root directory of its own.
    #[serde(rename = "chroot")]
    Chroot,
    /// Limits of memory, time, bytes, files and threads.
    #[serde(rename = "rlimits")]
    Limits,
    /// A user who runs nothing else.
    #[serde(rename = "own_uid")]
    OwnUser,
    #[serde(rename = "not_dumpable")]
    NotDumpable,
    #[serde(rename = "no_new_privs")]
    NoNewPrivileges,
    #[serde(rename = "landlock")]
    Landlock,
    #[serde(rename = "seccomp")]
    Seccomp,
}

impl Layer {
    /// Every layer, in the order in which they are entered.
    pub const ALL: [Self; 9] = [
        Self::EmptyEnvironment,
        Self::ClosedFiles,
        Self::Chroot,
        Self::Limits,
        Self::OwnUser,
        Self::NotDumpable,
        Self::NoNewPrivileges,
        Self::Landlock,
        Self::Seccomp,
    ];

    /// The name in logs, in metrics and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyEnvironment => "empty_environment",
            Self::ClosedFiles => "closed_files",
            Self::Chroot => "chroot",
            Self::Limits => "rlimits",
            Self::OwnUser => "own_uid",
            Self::NotDumpable => "not_dumpable",
            Self::NoNewPrivileges => "no_new_privs",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }

    /// What to do where it does not hold: a sentence for whoever runs the machine.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::EmptyEnvironment => "Start reelmill-media with an empty environment (env -i).",
            Self::ClosedFiles => {
                "Use Linux 5.9 or newer, and let the container's seccomp profile allow close_range."
            }
            Self::Chroot => {
                "Give the worker's container the capability SYS_CHROOT, or do not start it as root."
            }
            Self::Limits => {
                "Let the container allow setrlimit, and raise hard limits that are below what the engine sets."
            }
            Self::OwnUser => {
                "Name a user that is not root (MEDIA_UID) and give the container the capabilities SETUID and SETGID, or do not start the worker as root."
            }
            Self::NotDumpable | Self::NoNewPrivileges => "Let the container's seccomp profile allow prctl.",
            Self::Landlock => {
                "Use Linux 5.13 or newer with `landlock` among its security modules (boot parameter lsm=landlock,…), or start the worker as root, so that the engine gets a root directory of its own."
            }
            Self::Seccomp => {
                "Use a kernel with CONFIG_SECCOMP_FILTER, and let the container's profile allow seccomp."
            }
        }
    }

    /// Whether a jail entered `as_root` and made of `held` may do without this layer.
    fn is_dispensable(self, held: &[Self], as_root: bool) -> bool {
        match self {
            // Only root can change them, and who is not root has less to lose.
            Self::Chroot | Self::OwnUser => !as_root,
            // Without privileges nobody leaves a root directory: it confines files as well.
            Self::Landlock => held.contains(&Self::Chroot) && held.contains(&Self::OwnUser),
            _ => false,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Layer {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|layer| layer.as_str() == name)
            .ok_or_else(|| UnknownName::new("layer of the jail", name))
    }
}

/// The layers that a jail made of `held` lacks. `as_root`: the engine was started by root, who has
/// to give up being root, and can be given a root directory.
#[must_use]
pub fn missing(held: &[Layer], as_root: bool) -> Vec<Layer> {
    Layer::ALL
        .into_iter()
        .filter(|layer| !held.contains(layer) && !layer.is_dispensable(held, as_root))
        .collect()
}

/// Says which layers are missing and what to do about each.
#[must_use]
pub fn explain(missing: &[Layer]) -> String {
    let told: Vec<String> =
        missing.iter().map(|layer| format!("{layer} does not hold. {}", layer.advice())).collect();
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Layer, explain, missing};

    fn without(gone: &[Layer]) -> Vec<Layer> {
        Layer::ALL.into_iter().filter(|layer| !gone.contains(layer)).collect()
    }

    #[test]
    fn a_jail_needs_every_layer_that_can_be_had() {
        use Layer::{Chroot, Landlock, OwnUser};
        for layer in Layer::ALL {
            let held = without(&[layer]);
            let as_root = if layer == Landlock { vec![] } else { vec![layer] };
            assert_eq!(missing(&held, true), as_root, "{layer}");
            let as_user = if [Chroot, OwnUser, Landlock].contains(&layer) { vec![] } else { vec![layer] };
            assert_eq!(missing(&held, false), as_user, "{layer}");
        }
        assert_eq!(missing(&without(&[Landlock, Chroot]), false), [Landlock]);
        assert_eq!(missing(&without(&[Landlock, OwnUser]), true), [OwnUser, Landlock]);
    }

    #[test]
    fn names_are_read_back_and_advice_is_given() {
        for layer in Layer::ALL {
            assert_eq!(layer.as_str().parse(), Ok(layer));
            assert_eq!(serde_json::to_value(layer).ok(), Some(layer.as_str().into()));
            assert!(explain(&[layer]).ends_with('.'), "{layer}");
        }
    }
}
