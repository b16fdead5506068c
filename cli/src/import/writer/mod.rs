//! Writes a plan as a configuration, with a comment at each decision.

mod yaml;

use std::collections::BTreeMap;
use std::ops::Range;

use super::model::{ClaimValue, Cors, Note, Place, Scopes};
use super::plan::{Access, Bound, Plan, Provider, Token};
use crate::source::Source;
use crate::tree::{quoted, scalar};
pub(super) use yaml::comment;
use yaml::list;

/// Writes a plan.
pub(super) fn write(plan: &Plan, source: &Source) -> String {
    let mut writer = Writer {
        out: String::new(),
        source,
        labels: &plan.labels,
    };
    writer.head(plan);
    writer.providers(&plan.providers);
    writer.places(&plan.places);
    writer.upstream(plan);
    if let Some(base) = &plan.base {
        writer.line(0, "# the path before all paths of the source");
        writer.line(0, &format!("paths: {{base: {}}}", scalar(base)));
    }
    writer.line(0, "routes:");
    for route in &plan.routes {
        writer.route(route, &plan.providers);
    }
    if plan.routes.is_empty() {
        writer.line(1, "# the source has no routes");
        writer.line(1, "- match: $default");
        writer.line(1, "  access: denied");
    }
    if let Some(cors) = &plan.cors {
        writer.cors(cors);
    }
    writer.out
}

struct Writer<'s> {
    out: String,
    source: &'s Source,
    labels: &'s BTreeMap<usize, String>,
}

impl Writer<'_> {
    /// One line; a step of indentation is two spaces.
    fn line(&mut self, depth: usize, text: &str) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn note(&mut self, depth: usize, text: &str) {
        self.line(depth, &format!("# {}", comment(text)));
    }

    /// A place of the source, in words.
    fn place(&self, at: &Range<usize>) -> String {
        match self.labels.get(&at.start) {
            Some(label) => format!("`{label}`"),
            None => format!("line {}", self.source.position(at.start).line),
        }
    }

    fn head(&mut self, plan: &Plan) {
        let (kind, name) = (plan.kind.words(), &plan.name);
        let from = &self.source.name;
        self.note(0, &format!("Imported from {from}: the {kind} `{name}`."));
        self.note(
            0,
            if self.labels.is_empty() {
                "Comments give the line of the source and the reason of each decision."
            } else {
                "Comments give the address in the source and the reason of each decision."
            },
        );
        let mut notes: Vec<&Note> = plan.left_out.iter().collect();
        notes.sort_by_key(|note| note.at.start);
        let mut lines: Vec<String> = Vec::new();
        for note in notes {
            let line = format!("{}: {}", self.place(&note.at), note.text);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let denied = plan.routes.iter().filter(|route| !route.added);
        for route in denied.filter(|route| route.access == Access::Denied) {
            let reason = route.reason.as_deref().unwrap_or_default();
            let place = self.place(&route.at);
            lines.push(format!("{place}: `{}` is denied: {reason}", route.pattern));
        }
        let needs_token = plan
            .routes
            .iter()
            .any(|route| matches!(route.access, Access::Token(_) | Access::Optional(_)));
        if needs_token && !plan.keeps_token {
            lines.push(
                "the token, which the upstream no longer receives; `upstream: {token: keep}` sends it"
                    .to_owned(),
            );
        }
        if lines.is_empty() {
            return;
        }
        self.line(0, "#");
        self.note(0, "Not carried over:");
        for line in lines {
            self.note(0, &format!("- {line}"));
        }
    }

    fn providers(&mut self, providers: &[Provider]) {
        if providers.is_empty() {
            return;
        }
        self.line(0, "providers:");
        for provider in providers {
            let place = self.place(&provider.at);
            self.note(
                1,
                &format!("{place}: the authorizer `{}`", provider.authorizer),
            );
            self.line(1, &format!("- name: {}", scalar(&provider.name)));
            self.line(1, &format!("  issuer: {}", scalar(&provider.issuer.iss)));
            if let Some(audiences) = &provider.issuer.audiences {
                self.line(1, &format!("  audiences: {}", list(audiences)));
            } else {
                self.note(2, "the source checks no audience, so tokens for every client are accepted; list the clients");
                self.line(1, "  audiences: any");
            }
            if !provider.issuer.scope_claims.is_empty() {
                let claims = list(&provider.issuer.scope_claims);
                self.line(1, &format!("  scope_claims: {claims}"));
            }
            if let Some(keys) = &provider.issuer.inline {
                // JSON is YAML.
                self.line(1, &format!("  jwks: {{inline: {}}}", quoted(keys)));
                continue;
            }
            let known = provider.issuer.cluster.as_ref();
            if known.is_none() {
                self.note(2, "the name of an Envoy cluster that reaches the issuer");
            }
            let cluster = scalar(known.unwrap_or(&provider.name));
            match &provider.issuer.keys {
                Some(uri) => {
                    let uri = scalar(uri);
                    self.line(1, &format!("  jwks: {{cluster: {cluster}, uri: {uri}}}"));
                }
                None => self.line(1, &format!("  jwks: {{cluster: {cluster}}}")),
            }
        }
    }

    fn places(&mut self, places: &[Place]) {
        if places.is_empty() {
            return;
        }
        if places.len() > 1 {
            self.note(0, "every route reads all of these places");
        }
        self.line(0, "token_from:");
        for place in places {
            match place {
                Place::Header(name) => {
                    self.note(1, "the value is the token, with or without `Bearer`");
                    self.line(1, &format!("- header: {}", scalar(name)));
                }
                Place::Bearer => {
                    self.line(1, "- header: authorization");
                    self.line(1, "  scheme: Bearer");
                }
                Place::Scheme(name, scheme) => {
                    self.line(1, &format!("- header: {}", scalar(name)));
                    self.line(1, &format!("  scheme: {}", scalar(scheme)));
                }
                Place::Cookie(name) => self.line(1, &format!("- cookie: {}", scalar(name))),
                Place::Query(name) => self.line(1, &format!("- query: {}", scalar(name))),
            }
        }
    }

    /// What the upstream receives of the token.
    fn upstream(&mut self, plan: &Plan) {
        if plan.providers.is_empty() || (!plan.keeps_token && plan.headers.is_empty()) {
            return;
        }
        self.line(0, "upstream:");
        if plan.keeps_token {
            self.line(1, "token: keep");
        }
        if !plan.headers.is_empty() {
            self.line(1, "claims:");
        }
        for (header, claim) in &plan.headers {
            self.line(2, &format!("{}: {}", scalar(header), scalar(claim)));
        }
    }

    fn route(&mut self, route: &Bound, providers: &[Provider]) {
        let mut text = if route.added {
            "added".to_owned()
        } else {
            self.place(&route.at)
        };
        if let Some(reason) = &route.reason {
            text.push_str(": ");
            text.push_str(reason);
        }
        self.note(1, &text);
        self.line(1, &format!("- match: {}", scalar(&route.pattern)));
        if !route.hosts.is_empty() {
            self.line(1, &format!("  hosts: {}", list(&route.hosts)));
        }
        match &route.access {
            Access::Public => self.line(1, "  access: public"),
            Access::Denied => self.line(1, "  access: denied"),
            Access::Optional(names) => {
                self.line(1, "  access: optional");
                self.named(names, providers);
            }
            Access::Token(token) => self.token(token, providers),
        }
    }

    fn token(&mut self, token: &Token, providers: &[Provider]) {
        self.named(&token.providers, providers);
        if let Some(token_use) = token.usage {
            self.note(
                2,
                if token_use == "id" {
                    "a Cognito authorizer without scopes accepts ID tokens"
                } else {
                    "a Cognito authorizer with scopes accepts access tokens"
                },
            );
            self.line(1, &format!("  token_use: {token_use}"));
        }
        match &token.scopes {
            Scopes::AnyOf(scopes) | Scopes::AllOf(scopes) if scopes.is_empty() => {}
            Scopes::AnyOf(scopes) => self.line(1, &format!("  scopes: {}", list(scopes))),
            Scopes::AllOf(scopes) if scopes.len() == 1 => {
                self.line(1, &format!("  scopes: {}", list(scopes)));
            }
            Scopes::AllOf(scopes) => {
                self.line(1, &format!("  scopes: {{all_of: {}}}", list(scopes)));
            }
        }
        if !token.claims.is_empty() {
            self.line(1, "  claims:");
        }
        for claim in &token.claims {
            let values = claim.values.iter().map(|value| match value {
                ClaimValue::Text(text) => scalar(text),
                ClaimValue::Prefix(text) => format!("{{prefix: {}}}", scalar(text)),
            });
            let values: Vec<_> = values.collect();
            let name = scalar(&claim.name);
            self.line(3, &format!("{name}: [{}]", values.join(", ")));
        }
    }

    /// The providers of a route, unless they are all that there are.
    fn named(&mut self, names: &[String], providers: &[Provider]) {
        if providers.len() > names.len() {
            self.line(1, &format!("  providers: {}", list(names)));
        }
    }

    fn cors(&mut self, cors: &Cors) {
        self.note(0, &self.place(&cors.at));
        self.line(0, "cors:");
        self.line(1, &format!("allow_origins: {}", list(&cors.origins)));
        if cors.methods.iter().any(|method| method == "*") {
            self.note(
                1,
                "the source allows every method; without this member, those of the routes",
            );
        } else if !cors.methods.is_empty() {
            self.line(1, &format!("allow_methods: {}", list(&cors.methods)));
        }
        if !cors.headers.is_empty() {
            self.line(1, &format!("allow_headers: {}", list(&cors.headers)));
        }
        if !cors.exposed.is_empty() {
            self.line(1, &format!("expose_headers: {}", list(&cors.exposed)));
        }
        if cors.credentials {
            self.line(1, "allow_credentials: true");
        }
        if let Some(seconds) = cors.max_age {
            self.line(1, &format!("max_age: {seconds}s"));
        }
    }
}
