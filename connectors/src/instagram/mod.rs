//! Instagram API with Instagram Login: professional accounts, posts by URL, ingest by paging.

mod account;
mod container;
mod graph;
mod media;
mod publish;
mod refusal;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::profile::Overrides;
use domain::publishing::{Attempt, Evidence, SendOutcome, SendingRules, Step, StepPlan};
use secrecy::SecretString;
use url::Url;

use crate::config::InstagramConfig;
use crate::connector::{
    Budget, Checked, Connected, Connector, Credentials, FoundMedia, MediaPage, PageRequest, Post, Prepared,
    SendContext, Session, SettingSpec,
};
use crate::error::{ConnectorError, ErrorKind};
use crate::oauth;
use crate::registry::Clients;

use self::container::CONTAINER;
use self::graph::Graph;

/// The connector.
#[derive(Debug)]
pub(crate) struct Instagram {
    config: InstagramConfig,
    clients: Clients,
}

impl Instagram {
    pub(crate) const fn new(config: InstagramConfig, clients: Clients) -> Self {
        Self { config, clients }
    }

    const fn graph<'a>(&'a self, session: &'a Session) -> Graph<'a> {
        Graph { config: &self.config, http: &self.clients.read, token: &session.credentials.access }
    }
}

#[async_trait]
impl Connector for Instagram {
    fn platform(&self) -> Platform {
        Platform::Instagram
    }

    /// A publish of 220 s is on record, so the call gets 240; a container that is still FINISHED
    /// may be in the middle of being published, so absence needs another 60.
    fn sending_rules(&self, _: &Post) -> SendingRules {
        SendingRules {
            lead: Duration::minutes(10),
            send_timeout: Duration::seconds(240),
            settle: Duration::seconds(60),
            can_look_up: true,
            single_use_handle: true,
        }
    }

    fn parts(&self, _: &Post) -> u16 {
        1
    }

    fn steps(&self, post: &Post, _: &Session) -> Vec<StepPlan> {
        container::plan(post)
    }

    /// 50 posts in 24 h where the docs disagree between 25 and 100; before each container the
    /// account's own `content_publishing_limit` is read and obeyed.
    fn budgets(&self, _: &Post, session: &Session, _: u16) -> Vec<Budget> {
        let key = format!("instagram/publish/{}", session.profile.external_id);
        vec![Budget { key, every: Duration::minutes(24 * 60 / 50), burst: 50, cost: 1 }]
    }

    fn settings(&self) -> Vec<SettingSpec> {
        Vec::new()
    }

    fn authorize_url(&self, state: &str, redirect_url: &Url) -> Option<Url> {
        Some(account::authorize_url(&self.config, state, redirect_url))
    }

    async fn connect(&self, callback: &Url, redirect_url: &Url) -> Result<Vec<Connected>, ConnectorError> {
        let connected = account::connect(&self.config, &self.clients.read, callback, redirect_url).await?;
        Ok(vec![connected])
    }

    async fn connect_with_credentials(&self, _: SecretString, _: &str) -> Result<Connected, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Instagram, "connect"))
    }

    async fn refresh(&self, session: &Session) -> Result<Credentials, ConnectorError> {
        account::refresh(&self.config, &self.clients.read, &session.credentials.access).await
    }

    /// Instagram Login documents no way to revoke: the person removes the app there.
    async fn disconnect(&self, _: &Session) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn check(&self, session: &Session) -> Result<Checked, ConnectorError> {
        let profile = account::profile(&self.graph(session)).await?;
        Ok(Checked { profile, settings: self.settings(), overrides: Overrides::default() })
    }

    /// Day 45 of 60; never in the first day, when Instagram refuses to refresh.
    fn refresh_at(&self, credentials: &Credentials, issued_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        oauth::refresh_at(credentials, issued_at, Duration::hours(25))
    }

    fn ingests(&self) -> bool {
        true
    }

    async fn list_media(&self, session: &Session, page: &PageRequest) -> Result<MediaPage, ConnectorError> {
        media::list(&self.graph(session), page).await
    }

    async fn found_media(&self, session: &Session, external_id: &str) -> Result<FoundMedia, ConnectorError> {
        let found = media::read(&self.graph(session), external_id).await?;
        found.ok_or_else(|| {
            let message = "Instagram has this post in a form that cannot be imported.";
            let problem = Problem::new("instagram.unknown_media", message, Remedy::None);
            ConnectorError::new(Platform::Instagram, "found_media", ErrorKind::Permanent(problem))
        })
    }

    async fn prepare(
        &self,
        session: &Session,
        post: &Post,
        step: &StepPlan,
        done: &[Step],
        begun: Option<&Step>,
    ) -> Result<Prepared, ConnectorError> {
        container::prepare(&self.graph(session), session, post, step, done, begun).await
    }

    fn handle(&self, part: u16, steps: &[Step]) -> Option<String> {
        let container = steps.iter().find(|step| step.part == part && step.name == CONTAINER)?;
        Some(container.remote_id.clone())
    }

    async fn send(&self, session: &Session, _: &Post, context: SendContext<'_>) -> SendOutcome {
        let Some(container) = self.handle(context.part, context.steps) else {
            let message = "The post was not prepared, so nothing was sent. It is tried again.";
            return SendOutcome::NotSent {
                problem: Problem::new("instagram.not_prepared", message, Remedy::Wait),
            };
        };
        let graph = self.graph(session);
        publish::send(&graph, &self.clients.send, session, &container, context.deadline).await
    }

    async fn look_up(&self, session: &Session, post: &Post, attempt: &Attempt, _: &[Step]) -> Evidence {
        publish::look_up(&self.graph(session), post, attempt).await
    }
}
