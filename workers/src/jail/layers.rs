//! Which layers of the jail hold on this machine.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use domain::jail::{self, Layer};

use super::{EngineConfig, EngineFailure, drops_uid};

/// How long the engine may take to say which layers hold.
const ASK_TIME: Duration = Duration::from_secs(10);

/// What the engine says of its jail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    pub held: Vec<Layer>,
    /// Those that have to hold and do not.
    pub missing: Vec<Layer>,
}

impl Layers {
    /// Starts the engine with `directory` as its scratch, as `user` if there is one, and asks.
    ///
    /// # Errors
    /// [`EngineFailure`] when it does not start, or says something else.
    pub(super) async fn ask(
        config: &EngineConfig,
        directory: &Path,
        user: Option<u32>,
    ) -> Result<Self, EngineFailure> {
        let mut command = config.command(directory, user);
        let answer = command.arg("--layers").stdin(Stdio::null()).kill_on_drop(true).output();
        let output = match tokio::time::timeout(ASK_TIME, answer).await {
            Ok(output) => output.map_err(EngineFailure::Start)?,
            Err(_) => return Err(EngineFailure::TimedOut(ASK_TIME)),
        };
        let held = serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success());
        let held: Vec<Layer> = held.ok_or_else(|| EngineFailure::Crashed {
            status: format!("{}, asked for the layers of its jail", output.status),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })?;
        let missing = jail::missing(&held, drops_uid());
        Ok(Self { held, missing })
    }

    /// Says it in the log and in the metrics, so that a machine with less than it should have is seen.
    pub(crate) fn tell(&self) {
        let names =
            |layers: &[Layer]| layers.iter().map(|layer| layer.as_str()).collect::<Vec<_>>().join(" ");
        for layer in Layer::ALL {
            let holds = if self.held.contains(&layer) { 1.0 } else { 0.0 };
            metrics::gauge!("reelmill_jail_layer", "layer" => layer.as_str()).set(holds);
        }
        let (held, missing) = (names(&self.held), names(&self.missing));
        if self.missing.is_empty() {
            tracing::info!(held, "the jail of the media engine holds");
        } else {
            let advice = jail::explain(&self.missing);
            tracing::warn!(held, missing, advice, "layers of the jail of the media engine do not hold");
        }
    }
}
