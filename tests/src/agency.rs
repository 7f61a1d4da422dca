//! An organisation: its people and brands.

use serde_json::{Value, json};

use crate::{api::Api, brand::Brand, process, world::World};

const PASSWORD: &str = "correct horse battery staple";

/// One organisation, seen by its owner.
pub struct Agency<'w> {
    pub world: &'w World,
    pub id: String,
    pub owner: Api,
    pub email: String,
}

impl<'w> Agency<'w> {
    /// Made as an operator makes it, from the command line; the owner then signs in.
    ///
    /// # Panics
    /// When a command or the sign-in fails.
    pub async fn create(world: &'w World, name: &str) -> Self {
        let mut operator = world.operator();
        let id = process::run(&["admin", "create-organization", "--name", name], &operator).await;
        let email = format!("owner@{}.example", name.to_lowercase().replace(' ', "-"));
        operator.push(("REELMILL_PASSWORD", PASSWORD.to_owned()));
        let arguments =
            ["admin", "create-user", "--organization", &id, "--email", &email, "--name", "Olga Owner"];
        process::run(&arguments, &operator).await;
        let owner = world.stranger().sign_in(&email, PASSWORD).await;
        Self { world, id, owner, email }
    }

    /// A new brand in Lisbon with a voice.
    pub async fn brand(&self, name: &str) -> Brand<'w> {
        self.brand_with(name, json!({})).await
    }

    /// The same with other settings.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn brand_with(&self, name: &str, settings: Value) -> Brand<'w> {
        let mut input = json!({
            "organizationId": self.id, "name": name, "timezone": "Europe/Lisbon",
            "voice": { "systemPrompt": "Warm.", "defaultHashtags": ["northwind"], "forbiddenPhrases": ["link in bio"] },
        });
        for (key, value) in settings.as_object().into_iter().flatten() {
            input[key] = value.clone();
        }
        let payload = self.owner.mutate("createBrand", input, "brand { id }").await;
        let id = payload["brand"]["id"].as_str().unwrap().to_owned();
        Brand { world: self.world, id, api: self.owner.clone() }
    }

    /// A new member with a role, in these brands or in all, who accepted and is signed in.
    ///
    /// # Panics
    /// When a step is refused.
    pub async fn member(&self, email: &str, role: &str, brand_ids: Option<&[&str]>) -> Api {
        let input = json!({ "organizationId": self.id, "email": email, "role": role, "brandIds": brand_ids });
        let invited = self.owner.mutate("inviteMember", input, "inviteUrl").await;
        let token = invitation_token(invited["inviteUrl"].as_str().unwrap());
        let input = json!({ "token": token, "name": email, "password": PASSWORD });
        let accepted = self.world.stranger().mutate("acceptInvite", input, "token").await;
        self.owner.with_token(accepted["token"].as_str().unwrap())
    }
}

/// The token of an invitation's address.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn invitation_token(url: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    let parameter = url.query_pairs().find(|(name, _)| name == "token").map(|(_, value)| value.into_owned());
    let fragment = url.fragment().map(|text| text.rsplit('=').next().unwrap_or(text).to_owned());
    parameter.or(fragment).unwrap()
}
