//! Protected resources and their metadata (RFC 9728).

use std::collections::BTreeMap;

use super::claims::check_scope;
use super::distinct_texts;
use super::metadata::{Described, Metadata};
use super::providers::Compiled as Providers;
use super::routes::Compiled as Routes;
use super::token_from::TokenPlaces;
use crate::config::MAX_METADATA;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::ResourceProblem;
use crate::config::reader::{Field, List, Text};
use crate::config::written;
use crate::http::{NormalPath, PathRules};
use crate::policy::{FetchUri, ProviderId, Resource, ResourceLocation, Resources};

/// What resources depend on. It is compiled earlier.
pub(super) struct Known<'k, 'd> {
    pub(super) paths: &'k PathRules,
    pub(super) providers: &'k Providers<'d>,
    pub(super) token_places: &'k TokenPlaces,
    pub(super) routes: &'k Routes,
}

/// Compiles `resources`.
#[inline(never)]
pub(super) fn compile(
    written: Field<List<written::Resource<'_>>>,
    known: &Known<'_, '_>,
    sink: &mut Sink,
) -> Resources {
    let Some(written) = written.read() else {
        return Resources::default();
    };
    let metadata = Metadata::new(known);
    let mut places = BTreeMap::new();
    let mut list = Vec::with_capacity(written.items.len());
    let mut left = MAX_METADATA;
    for resource in &written.items {
        let Some(resource) = compile_one(resource, &metadata, &mut places, known, sink) else {
            continue;
        };
        let Some(rest) = left.checked_sub(resource.document.len()) else {
            let limit = MAX_METADATA;
            let problem = ResourceProblem::TooLarge { limit };
            sink.report(&Path::root().member("resources"), problem);
            break;
        };
        left = rest;
        list.push(resource);
    }
    Resources::new(list)
}

/// The resources so far, by path and host.
type Places<'d> = BTreeMap<(&'d str, Box<str>), Path<'d>>;

#[inline(never)]
fn compile_one<'d>(
    written: &written::Resource<'d>,
    metadata: &Metadata<'_, '_>,
    places: &mut Places<'d>,
    known: &Known<'_, '_>,
    sink: &mut Sink,
) -> Option<Resource> {
    let identifier = written.identifier.as_ref().read();
    let location = identifier.and_then(|identifier| location(identifier, places, sink));
    let providers = providers(&written.providers, known.providers, sink);
    let scopes = scopes(&written.scopes, sink);
    let advertised = advertised(&written.advertise, sink);
    let documentation = written.documentation.as_ref().read();
    if let Some(url) = documentation {
        check_documentation(url, sink);
    }
    let location = location?;
    // The root has no path of its own.
    let path = match location.path() {
        "" => "/",
        path => path,
    };
    let path = match NormalPath::parse(path.as_bytes(), known.paths) {
        Ok(path) => path,
        Err(reason) => {
            let identifier = identifier?;
            let problem = ResourceProblem::Path(identifier.excerpt(), reason);
            sink.report(&identifier.at, problem);
            return None;
        }
    };
    let document = metadata.document(&Described {
        location: &location,
        path: &path,
        providers: providers.as_deref(),
        scopes: scopes.as_deref(),
        advertised: &advertised,
        name: written.name.as_ref().read().map(|name| name.value),
        documentation: documentation.map(|url| url.value),
    });
    Some(Resource::new(&location, document.into(), advertised))
}

fn location<'d>(
    identifier: &Text<'d>,
    places: &mut Places<'d>,
    sink: &mut Sink,
) -> Option<ResourceLocation<'d>> {
    let location = match ResourceLocation::parse(identifier.value) {
        Ok(location) => location,
        Err(reason) => {
            let problem = ResourceProblem::Identifier(identifier.excerpt(), reason);
            sink.report(&identifier.at, problem);
            return None;
        }
    };
    let place = (location.path(), location.host().as_str().into());
    if let Some(other) = places.get(&place) {
        let as_resource = other.to_owned();
        sink.report(&identifier.at, ResourceProblem::SamePlace { as_resource });
        return None;
    }
    places.insert(place, identifier.at.clone());
    Some(location)
}

fn providers(
    written: &Field<List<Text<'_>>>,
    known: &Providers<'_>,
    sink: &mut Sink,
) -> Option<Vec<ProviderId>> {
    let list = written.as_ref().read()?;
    distinct_texts(list, sink);
    let names = list.items.iter();
    Some(names.filter_map(|name| known.find(name, sink)).collect())
}

fn scopes(written: &Field<List<Text<'_>>>, sink: &mut Sink) -> Option<Vec<Box<str>>> {
    let list = written.as_ref().read()?;
    for scope in &list.items {
        check_scope(scope, sink);
    }
    Some(distinct_texts(list, sink))
}

fn advertised(
    written: &Field<Vec<(Text<'_>, Text<'_>)>>,
    sink: &mut Sink,
) -> BTreeMap<Box<str>, Box<str>> {
    let entries = written.as_ref().read().into_iter().flatten();
    let mut all = BTreeMap::new();
    for (scope, advertised) in entries {
        check_scope(scope, sink);
        check_scope(advertised, sink);
        all.insert(scope.value.into(), advertised.value.into());
    }
    all
}

/// A page may be addressed with a fragment.
fn check_documentation(url: &Text<'_>, sink: &mut Sink) {
    let (page, fragment) = url.value.split_once('#').unwrap_or((url.value, ""));
    // A fragment has the characters of a query (RFC 3986 section 3.5).
    let query = ["https://a/?", fragment].concat();
    let result = FetchUri::parse(page).and_then(|_| FetchUri::parse(&query));
    if let Err(reason) = result {
        let problem = ResourceProblem::Documentation(url.excerpt(), reason);
        sink.report(&url.at, problem);
    }
}
