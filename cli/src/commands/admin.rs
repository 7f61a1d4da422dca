//! `reelmill admin`: what has to exist before anybody can sign in.

use std::process::ExitCode;

use backplane::store::Store;
use clap::{Args, Subcommand, ValueEnum};
use control_plane::{
    admin::{self, NewPerson},
    auth::Role,
};
use domain::id::{GlobalId, Noun};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    config::{DatabaseArguments, Problems, checked},
    console,
};

/// Makes organisations, their first users, and keys for scripts.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an organisation and print its id.
    #[command(name = "create-organization")]
    Organization {
        /// What it is called: 1 to 200 characters.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Make a user of an organisation and print its id.
    #[command(name = "create-user")]
    User {
        /// The organisation's id, as printed.
        #[arg(long)]
        organization: String,
        /// With this address they sign in.
        #[arg(long)]
        email: String,
        /// What they are called: 1 to 200 characters.
        #[arg(long)]
        name: String,
        /// What they may do, in every brand.
        #[arg(long, value_enum, default_value = "owner")]
        role: RoleName,
        /// 8 to 256 characters.
        #[arg(long, env = "REELMILL_PASSWORD", hide_env_values = true)]
        password: Option<SecretString>,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Make a key for scripts, over all brands of an organisation, and print its secret: it is shown once.
    #[command(name = "create-api-key")]
    ApiKey {
        /// The organisation's id, as printed.
        #[arg(long)]
        organization: String,
        /// Unique among the organisation's live keys.
        #[arg(long)]
        name: String,
        /// What it may do, in every brand.
        #[arg(long, value_enum, default_value = "editor")]
        role: RoleName,
        #[command(flatten)]
        database: DatabaseArguments,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Owner,
    Admin,
    Editor,
    Approver,
    Viewer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Editor => Self::Editor,
            RoleName::Approver => Self::Approver,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        console::quiet_logs();
        let mut problems = Problems::default();
        match self.action {
            Action::Organization { name, database } => {
                let store = open(&database, problems).await?;
                let id = admin::create_organization(&store, &name).await?;
                console::say(GlobalId::new(Noun::Organization, id));
            }
            Action::User { organization, email, name, role, password, database } => {
                let organization = read_organization(&organization, &mut problems);
                let password = problems.need("REELMILL_PASSWORD", password);
                let store = open(&database, problems).await?;
                let (organization, password) = (checked(organization)?, checked(password)?);
                let person = NewPerson { organization, email, name, password, role: role.into() };
                let id = admin::create_user(&store, person).await?;
                console::say(GlobalId::new(Noun::User, id));
            }
            Action::ApiKey { organization, name, role, database } => {
                let organization = read_organization(&organization, &mut problems);
                let store = open(&database, problems).await?;
                let organization = checked(organization)?;
                let (_, secret) =
                    admin::create_api_key(&store, organization, &name, role.into(), None).await?;
                console::say(secret.expose_secret());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn open(database: &DatabaseArguments, mut problems: Problems) -> anyhow::Result<Store> {
    let config = database.read(&mut problems);
    problems.check()?;
    let store = Store::connect(checked(config)?);
    store.reach().await?;
    Ok(store)
}

fn read_organization(text: &str, problems: &mut Problems) -> Option<uuid::Uuid> {
    problems.take("--organization", GlobalId::parse_as(Noun::Organization, text))
}
