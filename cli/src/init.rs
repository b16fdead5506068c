//! `edge-authz init`: a first configuration with cases for it and a README.

use std::io::{BufRead, Write};
use std::path::Path;

use super::check;
use super::report::Severity;
use super::source::Source;
use super::tree::quoted;

/// What is asked. An absent answer is asked for.
#[derive(Debug, Default)]
pub(crate) struct Answers<'a> {
    pub(crate) issuer: Option<&'a str>,
    pub(crate) audience: Option<&'a str>,
    pub(crate) upstream: Option<&'a str>,
    /// The origin of a page. It is empty if there is no page.
    pub(crate) origin: Option<&'a str>,
}

const CONFIGURATION: &str = "edge-authz.yaml";
const CASES: &str = "edge-authz.cases.yaml";
const README: &str = "README.md";

/// Asks for what is absent, and writes the files.
///
/// # Errors
///
/// An answer that cannot work, or a file that exists; as a sentence.
pub(crate) fn init(
    folder: &Path,
    answers: &Answers<'_>,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), String> {
    let files = [CONFIGURATION, CASES, README].map(|name| folder.join(name));
    if let Some(file) = files.iter().find(|file| file.exists()) {
        return Err(format!(
            "{} exists; remove it, or give another folder",
            file.display()
        ));
    }
    let mut ask = |given: Option<&str>, question: &str, default: &str| {
        answered(given, question, default, input, out)
    };
    let issuer = ask(
        answers.issuer,
        "The issuer of your tokens (their `iss`)",
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE",
    )?;
    let audience = ask(
        answers.audience,
        "The audience of your API, or the client's ID (their `aud` or `client_id`)",
        "4t0example",
    )?;
    let upstream = ask(
        answers.upstream,
        "The host and port of your API",
        "127.0.0.1:8081",
    )?;
    let origin = ask(
        answers.origin,
        "The origin of your web page, such as https://app.example.com (empty: none)",
        "",
    )?;
    let configuration = configuration(&issuer, &audience, &origin);
    let source = Source::new(CONFIGURATION, configuration.as_bytes().to_vec());
    let checked = check::check(source, check::Host::Envoy);
    if let Some(error) = checked
        .findings
        .iter()
        .find(|one| one.severity == Severity::Error)
    {
        let help = error.help.as_deref().unwrap_or_default();
        return Err(format!("{}: {}; {help}", error.path, error.message));
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(CONFIGURATION, &configuration)?;
    write(CASES, &cases(&origin))?;
    write(README, &readme(&upstream))?;
    let shown = folder.display();
    let written = writeln!(
        out,
        "Wrote {CONFIGURATION}, {CASES} and {README} to {shown}. Continue with {shown}/{README}."
    );
    written.map_err(|error| error.to_string())
}

fn answered(
    given: Option<&str>,
    question: &str,
    default: &str,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<String, String> {
    if let Some(given) = given {
        return Ok(given.trim().to_owned());
    }
    let shown = if default.is_empty() {
        String::new()
    } else {
        format!(" [{default}]")
    };
    let asked = write!(out, "{question}{shown}: ").and_then(|()| out.flush());
    asked.map_err(|error| error.to_string())?;
    let mut line = String::new();
    let read = input
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    if read == 0 {
        return Err(
            "an answer is missing; give it as an option, see `edge-authz help init`".to_owned(),
        );
    }
    let line = line.trim();
    Ok(if line.is_empty() { default } else { line }.to_owned())
}

fn configuration(issuer: &str, audience: &str, origin: &str) -> String {
    // Cognito's issuers have their keys at a known place, which saves a request.
    let keys = if issuer.contains("//cognito-idp.") {
        format!(
            "\n      uri: {}",
            quoted(&format!("{issuer}/.well-known/jwks.json"))
        )
    } else {
        String::new()
    };
    let cors = if origin.is_empty() {
        String::new()
    } else {
        format!(
            "cors:\n  allow_origins: [{}]\n  allow_headers: [Authorization, Content-Type]\n  max_age: 2h\n",
            quoted(origin)
        )
    };
    format!(
        "# Who may call the API. `edge-authz check {CONFIGURATION}` shows every error with its line.\n\
         providers:\n  - name: login\n    issuer: {}\n    audiences: [{}]\n    jwks:\n      cluster: login{keys}\n\
         # What the API learns about the caller.\n\
         upstream:\n  claims:\n    x-user-id: sub\n\
         # Routes have no order: the most specific pattern decides.\n\
         routes:\n  - match: GET /health\n    access: public\n  \
         # An example of a rule: only tokens with this scope.\n  \
         - match: [ANY /admin, \"ANY /admin/{{proxy+}}\"]\n    scopes: [admin]\n  \
         # Everything else needs a valid token.\n  - match: [ANY /, \"ANY /{{proxy+}}\"]\n{cors}",
        quoted(issuer),
        quoted(audience)
    )
}

fn cases(origin: &str) -> String {
    let preflight = if origin.is_empty() {
        String::new()
    } else {
        format!(
            "\n  - name: the page may send a token\n    request: OPTIONS /things\n    headers: {{origin: {}, access-control-request-method: GET, access-control-request-headers: authorization}}\n    expect: 204 preflight\n",
            quoted(origin)
        )
    };
    format!(
        "about: Who may call the API.\n\n# The rules that run.\nconfig: {CONFIGURATION}\n\n# Generated at run time: no issuer is needed.\n\
         keys: {{main: RS256}}\n\ntokens:\n  user: {{claims: {{sub: ada}}}}\n  admin: {{like: user, claims: {{scope: admin}}}}\n  \
         expired: {{like: user, claims: {{exp: now-1h}}}}\n\ncases:\n  \
         - {{name: the health check is public, request: GET /health, expect: 200 public}}\n  \
         - {{name: without a token, request: GET /things, expect: 401 no_token}}\n  \
         - {{name: with a token, request: GET /things, token: user, expect: 200 allowed}}\n  \
         - {{name: with an expired token, request: GET /things, token: expired, expect: 401 expired}}\n  \
         - {{name: a user is no administrator, request: DELETE /admin/users/7, token: user, expect: 403 missing_scope}}\n  \
         - {{name: an administrator, request: DELETE /admin/users/7, token: admin, expect: 200 allowed}}\n{preflight}"
    )
}

fn readme(upstream: &str) -> String {
    format!(
        "# Access to the API\n\n`{CONFIGURATION}` says who may call the API, and `{CASES}` shows it with requests. Change both together.\n\n\
         ```sh\nedge-authz check {CONFIGURATION}        # every error with its line, and warnings\n\
         edge-authz test {CASES}   # runs the requests, with generated tokens\n\
         edge-authz routes {CONFIGURATION}       # who may call what\n\
         edge-authz explain --config {CONFIGURATION} -X DELETE /admin/users/7   # how a request is decided, step by step\n\
         edge-authz render --for envoy --upstream {upstream} --output . {CONFIGURATION}   # writes envoy.yaml\n```\n\n\
         `envoy.yaml` runs in Envoy 1.36 or newer: `envoy -c envoy.yaml`. It expects the filter at `/etc/envoy/edge_authz.wasm`; `--module FILE` names\n\
         another place. For Istio and Envoy Gateway: `edge-authz help render`.\n"
    )
}
