//! The demo's brand, found or made.

use anyhow::Context as _;
use serde_json::json;

use super::Api;

const NAME: &str = "Northwind Studio";

/// The id of the organisation's first brand; makes one when there is none.
///
/// # Errors
/// A call fails.
pub async fn ensure_brand(api: &Api, organization_id: &str) -> anyhow::Result<String> {
    let found = api.call("{ viewer { brands(first: 1) { nodes { id } } } }", json!({})).await?;
    if let Some(id) = found["viewer"]["brands"]["nodes"][0]["id"].as_str() {
        return Ok(id.to_owned());
    }
    let query = "mutation ($in: CreateBrandInput!) { createBrand(input: $in) { brand { id } userErrors { code message path } } }";
    let input = json!({
        "organizationId": organization_id,
        "name": NAME,
        "timezone": "Europe/Lisbon",
        "voice": {
            "systemPrompt": "Warm, curious, never loud.",
            "defaultHashtags": ["northwind", "colour"],
            "forbiddenPhrases": ["link in bio"],
            "language": "en",
        },
        "idempotencyKey": "local-demo-brand",
    });
    let made = api.call(query, json!({ "in": input })).await.context("create the brand")?;
    Ok(made["createBrand"]["brand"]["id"].as_str().context("the new brand has no id")?.to_owned())
}
