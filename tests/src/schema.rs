//! The schema as the server tells it, and every place in it where an id can be given: what a story about tenants
//! walks through, so that a field that is added later is tried as well.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::api::Api;

const INTROSPECTION: &str = "{ __schema { types { kind name possibleTypes { name } \
     fields { name type { ...Ref } args { name type { ...Ref } } } inputFields { name type { ...Ref } } } } } \
     fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
/// Rows of every list within a reply.
const ROWS: u32 = 5;

/// All types, by name.
pub struct Schema(BTreeMap<String, Value>);

/// An argument of a field, at some depth of which an id can be given.
#[derive(Debug)]
pub struct IdPlace {
    /// The type that has the field, e.g. `Brand`.
    pub owner: String,
    pub field: String,
    pub argument: String,
    /// From the argument down to the id, e.g. `["accountId"]`; empty when the argument itself is one.
    pub path: Vec<String>,
    kind: Value,
    returns: Value,
    paged: bool,
}

impl Schema {
    /// Asks the server.
    ///
    /// # Panics
    /// When it does not tell.
    pub async fn of(api: &Api) -> Self {
        let mut told = api.query(INTROSPECTION, json!({})).await;
        let types = told["__schema"]["types"].take();
        let types = types.as_array().unwrap().iter();
        Self(types.map(|kind| (text(&kind["name"]), kind.clone())).collect())
    }

    /// The names of all mutations.
    #[must_use]
    pub fn mutations(&self) -> BTreeSet<String> {
        self.list("Mutation", "fields").map(|field| text(&field["name"])).collect()
    }

    /// The types of everything that has an id.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<String> {
        self.list("Node", "possibleTypes").map(|kind| text(&kind["name"])).collect()
    }

    /// Every place of a query or a subscription where an id can be given.
    #[must_use]
    pub fn id_places(&self) -> Vec<IdPlace> {
        let owners = self.0.iter().filter(|(name, kind)| kind["kind"] == "OBJECT" && *name != "Mutation");
        let mut places = Vec::new();
        for owner in owners.map(|(name, _)| name).filter(|name| !name.starts_with("__")) {
            for field in self.list(owner, "fields") {
                for argument in field["args"].as_array().unwrap() {
                    let paths = self.id_paths(&argument["type"]).into_iter();
                    places.extend(paths.map(|path| IdPlace {
                        owner: owner.clone(),
                        field: text(&field["name"]),
                        argument: text(&argument["name"]),
                        path,
                        kind: argument["type"].clone(),
                        returns: field["type"].clone(),
                        paged: is_paged(field),
                    }));
                }
            }
        }
        places
    }

    /// The paths at which a mutation's input takes ids, e.g. `posts.assetId`.
    #[must_use]
    pub fn input_ids(&self, mutation: &str) -> BTreeSet<String> {
        let field = self.list("Mutation", "fields").find(|field| field["name"] == mutation).unwrap();
        let input = &field["args"][0]["type"];
        self.id_paths(input).into_iter().map(|path| path.join(".")).collect()
    }

    /// The document `Tried` with the variables `$root`, the object that has the field, and `$given`, and everything in the
    /// reply that could name something.
    #[must_use]
    pub fn document(&self, place: &IdPlace) -> String {
        let IdPlace { owner, field, argument, .. } = place;
        let rows = if place.paged { format!(", first: {ROWS}") } else { String::new() };
        let field = format!("{field}({argument}: $given{rows}) {{ {} }}", self.selection(&place.returns, 2));
        let given = signature(&place.kind);
        match owner.as_str() {
            "Query" => format!("query Tried ($given: {given}) {{ {field} }}"),
            "Subscription" => format!("subscription Tried ($given: {given}) {{ {field} }}"),
            "Viewer" => format!("query Tried ($given: {given}) {{ viewer {{ {field} }} }}"),
            _ => format!(
                "query Tried ($root: ID!, $given: {given}) {{ node(id: $root) {{ ... on {owner} {{ {field} }} }} }}"
            ),
        }
    }

    /// Ids, texts, numbers and names; no times and addresses, which differ from one reply to the next.
    fn selection(&self, of: &Value, depth: u32) -> String {
        let mut fields = vec!["__typename".to_owned()];
        for field in self.list(&named(of), "fields").filter(|field| field["name"] != "edges") {
            let (name, kind) = (text(&field["name"]), named(&field["type"]));
            let paged = is_paged(field);
            match self.0[&kind]["kind"].as_str() {
                Some("ENUM") => fields.push(name),
                Some("SCALAR") if ["ID", "String", "Int", "Boolean"].contains(&kind.as_str()) => {
                    fields.push(name);
                }
                Some("OBJECT" | "INTERFACE") if depth > 0 && (paged || field["args"] == json!([])) => {
                    let rows = if paged { format!("(first: {ROWS})") } else { String::new() };
                    fields.push(format!("{name}{rows} {{ {} }}", self.selection(&field["type"], depth - 1)));
                }
                _ => {}
            }
        }
        fields.join(" ")
    }

    fn id_paths(&self, of: &Value) -> Vec<Vec<String>> {
        let kind = named(of);
        if kind == "ID" {
            return vec![Vec::new()];
        }
        let mut paths = Vec::new();
        for field in self.list(&kind, "inputFields") {
            for mut path in self.id_paths(&field["type"]) {
                path.insert(0, text(&field["name"]));
                paths.push(path);
            }
        }
        paths
    }

    fn list(&self, kind: &str, what: &str) -> impl Iterator<Item = &Value> {
        self.0[kind][what].as_array().into_iter().flatten()
    }

    /// The argument's value with `id` at its place and nothing else.
    #[must_use]
    pub fn value(&self, place: &IdPlace, id: &str) -> Value {
        self.wrap(&place.kind, &place.path, id)
    }

    fn wrap(&self, kind: &Value, path: &[String], id: &str) -> Value {
        match (kind["kind"].as_str(), path) {
            (Some("NON_NULL"), _) => self.wrap(&kind["ofType"], path, id),
            (Some("LIST"), _) => json!([self.wrap(&kind["ofType"], path, id)]),
            (_, []) => json!(id),
            (_, [first, rest @ ..]) => {
                let kind = named(kind);
                let field = self.list(&kind, "inputFields").find(|field| field["name"] == *first).unwrap();
                json!({ first: self.wrap(&field["type"], rest, id) })
            }
        }
    }
}

fn is_paged(field: &Value) -> bool {
    field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "first")
}

/// The name of a type without its lists and exclamation marks.
fn named(kind: &Value) -> String {
    if kind["ofType"].is_null() { text(&kind["name"]) } else { named(&kind["ofType"]) }
}

/// A type as a document writes it, e.g. `[ID!]`.
fn signature(kind: &Value) -> String {
    match kind["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", signature(&kind["ofType"])),
        Some("LIST") => format!("[{}]", signature(&kind["ofType"])),
        _ => text(&kind["name"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
