//! `OpenAPI` 3 and 2 documents, as files and as the `Body` of a template's API.

mod operation;
mod path;
mod scheme;

use std::borrow::Cow;

use super::cors;
use super::model::{Api, Kind};
use super::policy::restrict;
use super::scope::Scope;
use crate::tree::{Node, Value};
use operation::Operations;

/// The most `$ref`s that may follow each other.
const MAX_REFERENCES: usize = 16;

/// A document, and how its security is meant.
struct Document<'d> {
    scope: &'d Scope<'d>,
    root: &'d Node,
    /// Whether API Gateway enforces it. It ignores schemes without an authorizer.
    gateway: bool,
}

/// Reads the definition that an API of a template contains, and returns whether it has
/// one. The members are the names of the definition and of a reference to another file.
pub(super) fn read_definition(
    scope: &Scope<'_>,
    properties: &Node,
    [body, elsewhere]: [&str; 2],
    api: &mut Api,
) -> bool {
    let body = scope.get(properties, body);
    if let Some(root) = &body {
        let document = Document {
            scope,
            root,
            gateway: true,
        };
        document.read(api);
    }
    if let Some(elsewhere) = scope.get(properties, elsewhere) {
        scope.problems.report(
            &elsewhere.span,
            "the API's definition is in another file; import that file",
        );
    }
    body.is_some()
}

/// Reads a file.
pub(super) fn read_file(scope: &Scope<'_>, root: &Node) -> Api {
    let gateway = mentions(root, "x-amazon-apigateway-");
    let kind = match (gateway, is_http_api(root)) {
        (true, true) => Kind::Http,
        (true, false) => Kind::Rest,
        (false, _) => Kind::Plain,
    };
    let title = scope.descend(root, &["info", "title"]);
    let title = title.as_deref().and_then(Node::text).unwrap_or("the API");
    let mut api = Api::new(title, kind);
    let document = Document {
        scope,
        root,
        gateway,
    };
    document.read(&mut api);
    if kind == Kind::Plain {
        path::base(scope, root, &mut api);
    }
    api
}

/// Whether a member's name with this beginning is anywhere in a value.
fn mentions(node: &Node, beginning: &str) -> bool {
    let members = node.members().iter();
    node.elements().iter().any(|one| mentions(one, beginning))
        || members
            .into_iter()
            .any(|member| member.name.starts_with(beginning) || mentions(&member.value, beginning))
}

/// Whether only an HTTP API can have this document. A REST API's rules are stricter.
fn is_http_api(root: &Node) -> bool {
    let paths = root.get("paths").map_or(&[][..], Node::members);
    mentions(root, "x-amazon-apigateway-cors")
        || paths
            .iter()
            .any(|path| matches!(&*path.name, "$default" | "/$default"))
        || mentions(root, "jwtConfiguration")
        || mentions(root, "payloadFormatVersion")
}

impl<'d> Document<'d> {
    fn read(&self, api: &mut Api) {
        let scope = self.scope;
        let version = ["openapi", "swagger"]
            .iter()
            .find_map(|name| scope.get(self.root, name));
        let known = match version.as_deref().map(|version| &version.value) {
            Some(Value::Text(text) | Value::Number(text)) => {
                text.starts_with("3.") || text == "2.0" || text == "2" || text == "3"
            }
            _ => false,
        };
        if !known {
            scope.problems.report(
                &self.root.span,
                "is not OpenAPI 3 or 2; convert it to one of them",
            );
        }
        if let Some(node) = scope.get(self.root, "x-amazon-apigateway-cors") {
            api.cors = Some(cors::settings(scope, &node.span, &node));
        }
        if let Some(node) = scope.get(self.root, "x-amazon-apigateway-policy") {
            restrict(scope, api, &node);
        }
        let Some(paths) = scope.get(self.root, "paths") else {
            return;
        };
        let mut operations = Operations::new(self, api);
        for (member, item) in scope.members(&paths) {
            if member.name.starts_with("x-") {
                continue;
            }
            if let Some(item) = self.followed(&item) {
                operations.path(member, &item);
            }
        }
        operations.finish();
        for (name, at) in api.named_authorizers() {
            if let Some(found) = self.scheme(&name) {
                let read = self.authorizer(&name, &at, &found);
                api.authorizers.insert(name, read);
            }
        }
    }

    /// A security scheme.
    fn scheme(&self, name: &str) -> Option<Cow<'d, Node>> {
        let version_3 = self
            .scope
            .descend(self.root, &["components", "securitySchemes"]);
        let all = version_3.or_else(|| self.scope.get(self.root, "securityDefinitions"))?;
        let scheme = match all {
            Cow::Borrowed(all) => self.scope.get(all, name)?,
            Cow::Owned(all) => Cow::Owned(self.scope.get(&all, name)?.into_owned()),
        };
        Some(Cow::Owned(self.followed(&scheme)?.into_owned()))
    }

    /// The value that a `$ref` stands for.
    fn followed<'n>(&self, node: &'n Node) -> Option<Cow<'n, Node>> {
        let mut current = Cow::Borrowed(node);
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = current.get("$ref") else {
                return Some(current);
            };
            let alone = current.members().len() == 1;
            let target = reference.text().and_then(|text| text.strip_prefix("#/"));
            let found = target.filter(|_| alone).and_then(|pointer| {
                let names = pointer.split('/');
                names
                    .map(|name| name.replace("~1", "/").replace("~0", "~"))
                    .try_fold(self.root, |node, name| node.get(&name))
            });
            let Some(found) = found else {
                let at = reference.span.clone();
                self.scope.problems.report(
                    &at,
                    "the reference does not lead to a place of this file, or has other members \
                     beside it; write the value here",
                );
                return None;
            };
            current = Cow::Owned(self.scope.resolve(found)?.into_owned());
        }
        self.scope.problems.report(
            &node.span,
            "its references refer to each other; write the value here",
        );
        None
    }
}
