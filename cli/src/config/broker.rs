//! Where RabbitMQ is.

use backplane::broker::BrokerConfig;
use clap::Args;
use secrecy::SecretString;

use super::Problems;

/// RabbitMQ.
#[derive(Debug, Args)]
#[command(next_help_heading = "RabbitMQ")]
pub struct BrokerArguments {
    /// amqp://user:password@host:port/vhost (`%2f` is the default virtual host).
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    amqp_url: Option<SecretString>,
    /// Stands before the name of every queue, so that two installations may share a broker.
    #[arg(long, env = "AMQP_PREFIX", default_value = "reelmill.")]
    amqp_prefix: String,
}

impl BrokerArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<BrokerConfig> {
        let url = problems.need("AMQP_URL", self.amqp_url.as_ref())?;
        problems.take("AMQP_URL", BrokerConfig::parse(url, &self.amqp_prefix))
    }
}
