//! Completes the planned values of resources, whose identifiers are not known before the
//! apply.
//!
//! Each unknown identifier becomes the address of its resource. An attribute that refers to
//! an identifier gets it if the configuration shows without doubt which one is meant.
//! Everything else is asked for.

use std::collections::BTreeMap;

use super::address::without_keys;
use super::attributes::{ATTRIBUTES, Attribute, Shape};
use super::references::{Configuration, Origin, Site, Target, heads, target};
use super::unknown::{Planned, State, expression, is_unknown, state};
use super::values::set;
use super::{Resource, paths};
use crate::import::parameters::Parameters;
use crate::import::problems::Problems;
use crate::tree::{Node, Value};

struct Completer<'c, 'n> {
    configuration: Configuration<'n>,
    instances: Vec<(Target<'n>, String)>,
    problems: &'c Problems<'c>,
    parameters: &'c Parameters,
}

/// Completes the resources of a plan.
pub(super) fn complete<'n>(
    plan: &'n Node,
    resources: &mut [Resource<'n>],
    problems: &Problems<'_>,
    parameters: &Parameters,
) {
    whole(plan, problems);
    let changes = plan.get("resource_changes").map_or(&[][..], Node::elements);
    let changes: BTreeMap<_, _> = changes
        .iter()
        .filter_map(|change| {
            let unknown = change.descend(&["change", "after_unknown"])?;
            Some((change.get("address")?.text()?, unknown))
        })
        .collect();
    let mut planned: Vec<Option<Planned<'n>>> = Vec::new();
    let mut completer = Completer {
        configuration: Configuration::of(plan),
        instances: Vec::new(),
        problems,
        parameters,
    };
    for resource in resources.iter_mut() {
        let read = completer.planned(resource, &changes);
        if let Some(planned) = &read {
            identify(resource, planned);
            completer
                .instances
                .push((planned.target.clone(), resource.address.to_owned()));
        }
        planned.push(read);
    }
    let identifiers = identifiers(resources);
    for (resource, planned) in resources.iter_mut().zip(&planned) {
        if let Some(planned) = planned {
            completer.fill(resource, planned, &identifiers);
        }
    }
    for (at, path) in paths::of(resources, problems, parameters) {
        if let Some(resource) = resources.get_mut(at) {
            set(resource, &["path"], Value::Text(path));
        }
    }
}

/// Refuses plans that lack resources: without a stricter route, a weaker one would match.
fn whole(plan: &Node, problems: &Problems<'_>) {
    let is = |name: &str, value| {
        plan.get(name)
            .is_some_and(|node| node.value == Value::Bool(value))
    };
    let report = |name: &str, sentence: &str| {
        let at = plan.get(name).map_or(&plan.span, |node| &node.span);
        problems.report(at, sentence);
    };
    if is("errored", true) {
        report(
            "errored",
            "the plan has failed and is incomplete; correct its errors, and make it again",
        );
    }
    if is("complete", false) {
        report(
            "complete",
            "the plan is incomplete; make it without `-target` and without deferred changes",
        );
    }
}

/// Gives a resource the identifiers that are not known.
fn identify<'n>(resource: &mut Resource<'n>, planned: &Planned<'n>) {
    for name in ["id", "root_resource_id"] {
        let has = resource.text(name).is_some();
        if !has && is_unknown(planned.unknown.get(name)) {
            let text = match name {
                "id" => resource.address.to_owned(),
                _ => format!("{}.{name}", resource.address),
            };
            set(resource, &[name], Value::Text(text));
        }
    }
}

/// The identifiers of all resources, by address and attribute.
fn identifiers(resources: &[Resource<'_>]) -> BTreeMap<(String, &'static str), String> {
    let mut found = BTreeMap::new();
    for resource in resources {
        for name in ["id", "root_resource_id"] {
            if let Some(id) = resource.text(name) {
                found.insert((resource.address.to_owned(), name), id.to_owned());
            }
        }
    }
    found
}

impl<'n> Completer<'_, 'n> {
    fn planned(
        &self,
        resource: &Resource<'n>,
        changes: &BTreeMap<&str, &'n Node>,
    ) -> Option<Planned<'n>> {
        ATTRIBUTES.iter().find(|(kind, _)| *kind == resource.kind)?;
        let target = target(resource.address);
        let unknown = changes.get(resource.address);
        let (Some(target), Some(unknown)) = (target, unknown) else {
            self.problems.report(
                resource.at,
                "the plan does not say which of its values are known (`resource_changes`); \
                 import the whole output of `terraform show -json`",
            );
            return None;
        };
        let declared = self
            .configuration
            .resource(&target.modules, target.kind, target.name);
        Some(Planned {
            target,
            unknown,
            declared,
        })
    }

    fn fill(
        &self,
        resource: &mut Resource<'n>,
        planned: &Planned<'n>,
        identifiers: &BTreeMap<(String, &'static str), String>,
    ) {
        let kind = resource.kind;
        let known = ATTRIBUTES.iter().filter(|(known, _)| *known == kind);
        for attribute in known.flat_map(|(_, attributes)| *attributes) {
            match state(resource, planned, attribute) {
                State::Known => continue,
                State::Computed if attribute.shape.has_default() => continue,
                State::Computed | State::Unknown => {}
            }
            let value = match attribute.shape {
                Shape::Reference(to) => self
                    .referred(resource, planned, attribute, to, identifiers)
                    .map(Value::Text),
                Shape::Present => Some(Value::Text("known after the apply".to_owned())),
                Shape::Text => self.asked(resource, planned, attribute).map(Value::Text),
                Shape::List | Shape::Computed => {
                    self.asked(resource, planned, attribute).map(|text| {
                        let texts = text.split(',').map(|part| Node {
                            span: resource.at.clone(),
                            value: Value::Text(part.trim().to_owned()),
                        });
                        Value::List(texts.collect())
                    })
                }
                Shape::Flag => {
                    let given = self.asked(resource, planned, attribute);
                    given.and_then(|text| self.flag(resource, &text))
                }
            };
            if let Some(value) = value {
                set(resource, attribute.path, value);
            }
        }
    }

    fn flag(&self, resource: &Resource<'n>, text: &str) -> Option<Value> {
        match text {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => {
                let sentence = format!("{text:?} is not a boolean; write `true` or `false`");
                self.problems.report(resource.at, &sentence);
                None
            }
        }
    }

    /// A value that only `--param` can give.
    fn asked(
        &self,
        resource: &Resource<'n>,
        planned: &Planned<'n>,
        attribute: &Attribute,
    ) -> Option<String> {
        let name = format!("{}.{}", resource.address, written(attribute));
        if let Some(given) = self.given(&name) {
            return Some(given);
        }
        let refers = expression(planned, attribute)
            .map(refers)
            .unwrap_or_default();
        let like = match attribute.example {
            "" => String::new(),
            example => format!(", such as `{example}`"),
        };
        let what = format!(
            "{} of `{}`{refers}{like}",
            attribute.words, resource.address
        );
        self.problems.missing(resource.at, &name, &what);
        None
    }

    /// The value of a parameter with the address of an instance, or else of its
    /// declaration.
    fn given(&self, name: &str) -> Option<String> {
        let given = self.parameters.get(name);
        let of_all = || self.parameters.get(&without_keys(name)?);
        given.or_else(of_all).map(str::to_owned)
    }

    /// The identifier to which an attribute refers.
    fn referred(
        &self,
        resource: &Resource<'n>,
        planned: &Planned<'n>,
        attribute: &Attribute,
        to: &[(&str, &'static str)],
        identifiers: &BTreeMap<(String, &'static str), String>,
    ) -> Option<String> {
        let name = format!("{}.{}", resource.address, written(attribute));
        if let Some(given) = self.given(&name) {
            return self.named(resource, planned, &given, to, identifiers);
        }
        let expression = expression(planned, attribute);
        let site = Site {
            modules: planned.target.modules.clone(),
            each: planned
                .declared
                .and_then(|declared| declared.get("for_each_expression")),
        };
        let origins = expression.map_or_else(
            || vec![Origin::Unknown],
            |expression| self.configuration.origins(expression, &site),
        );
        let mut suggestion = None;
        if let [Origin::Attribute(target)] = &*origins
            && let Some(of) = attribute_of(target, to)
        {
            let found: Vec<_> = self.matching(target).collect();
            if let [(_, address)] = &*found {
                return identifiers.get(&(address.clone(), of)).cloned();
            }
            suggestion = same_key(&planned.target, &found, of);
        }
        let refers = expression.map(refers).unwrap_or_default();
        let what = format!("{} of `{}`{refers}", attribute.words, resource.address);
        if let Some((suggested, of)) = suggestion {
            let of_all = without_keys(&name).unwrap_or(name);
            self.problems.confirm(
                resource.at,
                (&of_all, &suggested),
                &format!("the plan does not contain {what}"),
                &format!("if it is that of `{of}`, and so for each key"),
            );
        } else {
            let what = format!("{what}, as an address such as `{}`", attribute.example);
            self.problems.missing(resource.at, &name, &what);
        }
        None
    }

    fn matching<'k>(
        &'k self,
        target: &'k Target<'n>,
    ) -> impl Iterator<Item = &'k (Target<'n>, String)> {
        self.instances
            .iter()
            .filter(|(instance, _)| target.matches(instance))
    }

    /// The identifier of the resource whose address was given.
    fn named(
        &self,
        resource: &Resource<'n>,
        planned: &Planned<'n>,
        given: &str,
        to: &[(&str, &'static str)],
        identifiers: &BTreeMap<(String, &'static str), String>,
    ) -> Option<String> {
        let own = planned.target.key.unwrap_or_default();
        let written = given
            .replace("[each.key]", own)
            .replace("[count.index]", own);
        let found = target(&written).and_then(|target| {
            let of = attribute_of(&target, to)?;
            let named = |(instance, address): &&(Target<'_>, String)| {
                target.matches(instance) && written.starts_with(&**address)
            };
            let (_, address) = self.instances.iter().find(named)?;
            identifiers.get(&(address.clone(), of)).cloned()
        });
        if found.is_none() {
            let (kind, _) = to.first()?;
            let sentence = format!(
                "`{written}` is not the address of a resource `{kind}` of the plan; correct it"
            );
            self.problems.report(resource.at, &sentence);
        }
        found
    }
}

/// The instance that has the key of another one, as a value for a parameter and as an
/// address.
fn same_key(
    own: &Target<'_>,
    found: &[&(Target<'_>, String)],
    of: &str,
) -> Option<(String, String)> {
    let key = own.key?;
    let same = |(target, _): &&&(Target<'_>, String)| target.key == Some(key);
    let mut same = found.iter().filter(same);
    let (Some((_, address)), None) = (same.next(), same.next()) else {
        return None;
    };
    let variable = if key.starts_with("[\"") {
        "each.key"
    } else {
        "count.index"
    };
    let all = address.strip_suffix(key)?;
    let suffix = if of == "id" {
        String::new()
    } else {
        format!(".{of}")
    };
    Some((format!("{all}[{variable}]{suffix}"), address.clone()))
}

/// Which identifier of a resource is meant.
fn attribute_of(target: &Target<'_>, to: &[(&str, &'static str)]) -> Option<&'static str> {
    let mut of = to.iter().filter(|(kind, _)| *kind == target.kind);
    if let Some(name) = target.attribute {
        let mut names = of.map(|(_, attribute)| *attribute);
        return names.find(|known| *known == name);
    }
    let (_, only) = of.next()?;
    of.next().is_none().then_some(*only)
}

/// What an expression refers to, in words.
fn refers(expression: &Node) -> String {
    let heads = expression.get("references").map(heads).unwrap_or_default();
    let heads: Vec<_> = heads
        .iter()
        .take(4)
        .map(|head| format!("`{head}`"))
        .collect();
    match heads.len() {
        0 => String::new(),
        _ => format!(" (from {})", heads.join(" and ")),
    }
}

fn written(attribute: &Attribute) -> String {
    attribute.path.join("[0].")
}
