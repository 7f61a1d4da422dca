//! Every audit of the GraphQL over HTTP specification, as its reference implementation publishes them.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::server::Server;

/// How many there are in the version that `audits/package-lock.json` pins.
const AUDITS: usize = 61;

#[tokio::test]
async fn every_audit_of_graphql_over_http_passes() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/audits"));
    assert!(
        folder.join("node_modules/graphql-http").is_dir(),
        "graphql-http is missing: run the tests with `make test`, or `npm ci` in {}",
        folder.display()
    );
    let server = Server::new().await;
    let address = server.listen().await;
    let output = Command::new("node")
        .args(["run.mjs", &format!("http://{address}/graphql")])
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .expect("Node.js is installed: `node` has to be on the PATH");
    assert!(output.status.success(), "the audits end with {}", output.status);
    let results = String::from_utf8(output.stdout).unwrap();
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<&Value> = results.iter().filter(|result| result["status"] != "ok").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(results.len(), AUDITS);
}
