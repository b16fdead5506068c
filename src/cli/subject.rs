//! Where in a file the filter's configuration is.
//!
//! A file is the configuration itself, or one of the things that configurations
//! travel in: an Envoy bootstrap (or any part of one: a listener, an Istio
//! `EnvoyFilter`), an Istio `WasmPlugin`, an Envoy Gateway
//! `EnvoyExtensionPolicy`.

use std::fmt::Write;
use std::ops::Range;

use super::report::{Finding, Severity};
use super::source::{Source, first_line, offset, position};
use super::tree::{Fault, Member, Node, Value, parse_json, parse_yaml};

/// A configuration that was found in a file.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Its tree; none where it is a text that is no JSON.
    pub(crate) root: Option<Node>,
    /// Its JSON, for the core.
    pub(crate) json: Vec<u8>,
    /// The value that holds it, or the name of that value.
    holder: Range<usize>,
    mapping: Mapping,
    /// Whether positions that the core names are those of the text.
    verbatim: bool,
    /// A host that goes on without the filter when it fails.
    pub(crate) fails_open: Option<FailsOpen>,
}

/// A member that lets requests pass unchecked when the filter fails.
#[derive(Debug, Clone)]
pub(crate) struct FailsOpen {
    pub(crate) member: &'static str,
    pub(crate) span: Range<usize>,
}

/// How places of the configuration become places of the file.
#[derive(Debug)]
enum Mapping {
    /// They are the same.
    Same,
    /// The configuration is text inside of the file; each of its lines begins
    /// here in the one and there in the other.
    Lines(Vec<(usize, usize)>),
    /// It is text that is spelled otherwise than it reads.
    Elsewhere,
}

/// A file with the configurations in it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) roots: Vec<Node>,
    pub(crate) subjects: Vec<Subject>,
}

impl Document {
    /// Finds the configurations of a file.
    ///
    /// # Errors
    ///
    /// That the file is neither JSON nor YAML.
    pub(crate) fn read(source: &Source) -> Result<Self, Vec<Finding>> {
        let (roots, verbatim) = match parse_json(&source.text) {
            Ok(root) => (vec![root], true),
            Err(_) if is_json(source) => return Ok(Self::of_no_json(source)),
            Err(_) => (
                parse_yaml(&source.text).map_err(|fault| vec![not_yaml(&fault)])?,
                false,
            ),
        };
        let single = roots.len() <= 1;
        let mut subjects = Vec::new();
        for root in &roots {
            let before = subjects.len();
            find(root, &source.text, &mut subjects);
            let is_one = single || root.get("routes").is_some();
            if subjects.len() == before && is_one && !is_wrapper(root) {
                subjects.push(Subject::plain(root.clone(), source, verbatim));
            }
        }
        if roots.is_empty() {
            subjects.push(Subject::unreadable(Vec::new()));
        }
        Ok(Self { roots, subjects })
    }

    /// A file that ought to be JSON and is not: the core says why.
    fn of_no_json(source: &Source) -> Self {
        Self {
            roots: Vec::new(),
            subjects: vec![Subject::unreadable(source.bytes.clone())],
        }
    }
}

fn not_yaml(fault: &Fault) -> Finding {
    let sentence = format!(
        "not YAML ({}); look at the line before it too",
        fault.message
    );
    let mut finding = Finding::said(Severity::Error, String::new(), &sentence);
    finding.put(fault.at..fault.at.saturating_add(1), None);
    finding
}

fn is_json(source: &Source) -> bool {
    let extension = std::path::Path::new(&source.name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || std::str::from_utf8(&source.bytes).is_err()
}

/// Whether a document is something around configurations, rather than one.
fn is_wrapper(root: &Node) -> bool {
    let known = [
        "static_resources",
        "apiVersion",
        "kind",
        "resources",
        "@type",
        "http_filters",
    ];
    known.iter().any(|name| root.get(name).is_some()) && root.get("routes").is_none()
}

impl Subject {
    fn plain(root: Node, source: &Source, verbatim: bool) -> Self {
        let json = if verbatim {
            source.bytes.clone()
        } else {
            root.to_json().into_bytes()
        };
        Self {
            holder: first_line(&source.text, &root.span),
            root: Some(root),
            json,
            mapping: Mapping::Same,
            verbatim,
            fails_open: None,
        }
    }

    fn unreadable(bytes: Vec<u8>) -> Self {
        Self {
            root: None,
            json: bytes,
            holder: 0..0,
            mapping: Mapping::Same,
            verbatim: true,
            fails_open: None,
        }
    }

    /// The configuration that a member holds, as an object or as text.
    fn held(name: &Range<usize>, node: &Node, text: &str) -> Self {
        let (json, root, mapping, verbatim) = match node.text() {
            Some(inner) => {
                let root = parse_json(inner).ok();
                let mapping = lines(inner, node, text);
                (inner.as_bytes().to_vec(), root, mapping, true)
            }
            None => (
                node.to_json().into_bytes(),
                Some(node.clone()),
                Mapping::Same,
                false,
            ),
        };
        Self {
            root,
            json,
            holder: name.clone(),
            mapping,
            verbatim,
            fails_open: None,
        }
    }

    /// The place in the file of a place in the configuration's text. Where the
    /// text is spelled otherwise in the file, the place in words besides.
    pub(crate) fn place(&self, span: &Range<usize>) -> (Range<usize>, Option<String>) {
        match &self.mapping {
            Mapping::Same => (span.clone(), None),
            Mapping::Lines(lines) => {
                let outer = |at: usize| {
                    let line = lines.iter().rev().find(|(inner, _)| *inner <= at);
                    line.map_or(at, |(inner, outer)| {
                        at.saturating_sub(*inner).saturating_add(*outer)
                    })
                };
                (outer(span.start)..outer(span.end), None)
            }
            Mapping::Elsewhere => {
                let text = String::from_utf8_lossy(&self.json);
                let at = position(&text, span.start);
                let words = format!("line {}, column {} of the text", at.line, at.column);
                (self.holder.clone(), Some(words))
            }
        }
    }

    /// The place in the file of a position that the core names.
    pub(crate) fn position(&self, line: usize, column: usize) -> (Range<usize>, Option<String>) {
        if !self.verbatim {
            return (self.holder.clone(), None);
        }
        let text = String::from_utf8_lossy(&self.json);
        let at = offset(&text, line, column);
        let end = at.saturating_add(1).min(text.len());
        self.place(&(at..text.ceil_char_boundary(end)))
    }

    /// Whether something is there.
    pub(crate) fn has(&self, steps: &[Step<'_>]) -> bool {
        let Some(root) = &self.root else {
            return false;
        };
        let reached = steps.iter().try_fold(root, |node, step| match step {
            Step::Member(name) => node.get(name),
            Step::Element(index) => node.elements().get(*index),
        });
        reached.is_some()
    }

    /// The place of what is reached by these steps: of a member its name where
    /// `name` is wanted or where it holds an object or a list, else its value.
    /// Of what is not there, the nearest thing around it.
    pub(crate) fn locate<'s>(
        &self,
        steps: impl IntoIterator<Item = Step<'s>>,
        name: bool,
    ) -> (Range<usize>, Option<String>) {
        let Some(root) = &self.root else {
            return (self.holder.clone(), None);
        };
        let mut node = root;
        let mut names: Option<&Member> = None;
        for step in steps {
            let next = match step {
                Step::Member(wanted) => {
                    let mut members = node.members().iter().rev();
                    let member = members.find(|member| member.name == wanted);
                    member.map(|member| (&member.value, Some(member)))
                }
                Step::Element(index) => node.elements().get(index).map(|element| (element, None)),
            };
            let Some((next, member)) = next else {
                break;
            };
            (node, names) = (next, member);
        }
        if std::ptr::eq(node, root) && !matches!(self.mapping, Mapping::Same) {
            return (self.holder.clone(), None);
        }
        let block = matches!(node.value, Value::List(_) | Value::Object(_));
        let span = match names {
            Some(member) if name || block => member.name_span.clone(),
            Some(_) | None => node.span.clone(),
        };
        self.place(&span)
    }
}

/// A step into a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'s> {
    Member(&'s str),
    Element(usize),
}

/// A path as the core writes it; names that need quotes get them.
pub(crate) fn shown(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        let infallible = match step {
            Step::Member(name) if path.is_empty() => path.write_str(name),
            Step::Member(name) if name.contains(['.', ':']) => write!(path, "[{name:?}]"),
            Step::Member(name) => write!(path, ".{name}"),
            Step::Element(index) => write!(path, "[{index}]"),
        };
        debug_assert!(infallible.is_ok(), "a string takes all");
    }
    path
}

/// Looks for configurations of this filter, everywhere in a document.
fn find(node: &Node, text: &str, found: &mut Vec<Subject>) {
    match node.get("kind").and_then(Node::text) {
        Some("WasmPlugin") if node.get("spec").is_some() => {
            return wasm_plugin(node, text, found);
        }
        Some("EnvoyExtensionPolicy") if node.get("spec").is_some() => {
            return extension_policy(node, text, found);
        }
        Some(_) | None => {}
    }
    if node.get("vm_config").is_some() && envoy(node, text, found) {
        return;
    }
    for member in node.members() {
        find(&member.value, text, found);
    }
    for element in node.elements() {
        find(element, text, found);
    }
}

/// Whether something says that it is this filter, and not another plugin.
fn names_filter(texts: &[Option<&Node>]) -> bool {
    let names = texts.iter().filter_map(|node| node.and_then(Node::text));
    names
        .map(|text| text.replace('-', "_"))
        .any(|text| text.contains("edge_authz"))
}

/// Takes the configuration of Envoy's `PluginConfig`.
fn envoy(plugin: &Node, text: &str, found: &mut Vec<Subject>) -> bool {
    let configuration = plugin
        .members()
        .iter()
        .rev()
        .find(|member| member.name == "configuration");
    let value = configuration.map(|member| unpacked(&member.value));
    let ours = names_filter(&[
        plugin.get("name"),
        plugin.get("root_id"),
        plugin.descend(&["vm_config", "vm_id"]),
        plugin.descend(&["vm_config", "code", "local", "filename"]),
        plugin.descend(&["vm_config", "code", "remote", "http_uri", "uri"]),
    ]) || value.is_some_and(|value| value.get("routes").is_some());
    if !ours {
        return false;
    }
    let mut subject = match (configuration, value) {
        (Some(member), Some(value)) => Subject::held(&member.name_span, value, text),
        _ => Subject::absent(first_line(text, &plugin.span)),
    };
    subject.fails_open = fails_open(plugin, "fail_open", "true")
        .or_else(|| fails_open(plugin, "failure_policy", "FAIL_OPEN"));
    found.push(subject);
    true
}

/// Takes the configuration of Istio's `WasmPlugin`.
fn wasm_plugin(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    let Some(spec) = resource.get("spec") else {
        return;
    };
    let names = [
        resource.descend(&["metadata", "name"]),
        spec.get("url"),
        spec.get("pluginName"),
    ];
    one_of_kubernetes(spec, "pluginConfig", &names, text, found);
}

/// Takes the configurations of Envoy Gateway's `EnvoyExtensionPolicy`.
fn extension_policy(resource: &Node, text: &str, found: &mut Vec<Subject>) {
    let wasm = resource.descend(&["spec", "wasm"]).map(Node::elements);
    for wasm in wasm.unwrap_or_default() {
        let names = [
            resource.descend(&["metadata", "name"]),
            wasm.get("name"),
            wasm.get("rootID"),
            wasm.descend(&["code", "image", "url"]),
            wasm.descend(&["code", "http", "url"]),
        ];
        one_of_kubernetes(wasm, "config", &names, text, found);
    }
}

fn one_of_kubernetes(
    spec: &Node,
    member: &str,
    names: &[Option<&Node>],
    text: &str,
    found: &mut Vec<Subject>,
) {
    let config = spec
        .members()
        .iter()
        .rev()
        .find(|known| known.name == member);
    let has_routes = config.is_some_and(|config| config.value.get("routes").is_some());
    if !has_routes && !names_filter(names) {
        return;
    }
    let mut subject = match config {
        Some(config) => Subject::held(&config.name_span, &config.value, text),
        None => Subject::absent(first_line(text, &spec.span)),
    };
    subject.fails_open = fails_open(spec, "failStrategy", "FAIL_OPEN")
        .or_else(|| fails_open(spec, "failOpen", "true"));
    found.push(subject);
}

impl Subject {
    /// The filter without a configuration: the core is asked about nothing.
    fn absent(holder: Range<usize>) -> Self {
        Self {
            holder,
            verbatim: false,
            ..Self::unreadable(Vec::new())
        }
    }
}

fn fails_open(node: &Node, member: &'static str, value: &str) -> Option<FailsOpen> {
    let node = node.get(member)?;
    let is_it = node.text().is_some_and(|text| text == value)
        || (value == "true" && node.value == Value::Bool(true));
    let span = node.span.clone();
    is_it.then_some(FailsOpen { member, span })
}

/// What an `Any` packs: `StringValue`, `Struct` and `TypedStruct` have it in
/// `value`.
fn unpacked(configuration: &Node) -> &Node {
    let packed = configuration.get("@type").is_some() || configuration.get("type_url").is_some();
    match configuration.get("value") {
        Some(value) if packed => value,
        Some(_) | None => configuration,
    }
}

/// Where the lines of a text are in the file, if it is written there line by
/// line, as in a literal block.
fn lines(inner: &str, node: &Node, text: &str) -> Mapping {
    let raw = text.get(node.span.clone()).unwrap_or_default();
    let mut places = Vec::new();
    let mut outer_rest = node.span.start;
    let mut inner_at = 0_usize;
    let mut rest = raw;
    for line in inner.split_inclusive('\n') {
        let content = line.trim_end_matches('\n');
        // A literal block's lines stand one below the other, behind an
        // indentation; what comes before the first is the block's header.
        let found = rest.find(content).filter(|at| {
            content.is_empty()
                || rest
                    .get(at.saturating_add(content.len())..)
                    .is_some_and(|after| {
                        after.is_empty() || after.starts_with(['\n', '\r', '"', '\''])
                    })
        });
        let Some(at) = found else {
            return Mapping::Elsewhere;
        };
        places.push((inner_at, outer_rest.saturating_add(at)));
        let used = at.saturating_add(content.len());
        outer_rest = outer_rest.saturating_add(used);
        rest = rest.get(used..).unwrap_or_default();
        inner_at = inner_at.saturating_add(line.len());
    }
    Mapping::Lines(places)
}
