//! The paths of a plan's resources of REST APIs. The provider learns them during the apply,
//! and a plan still has the former ones.

use std::collections::BTreeMap;

use super::Resource;
use crate::import::parameters::Parameters;
use crate::import::problems::Problems;

/// The paths, each with the position of its resource.
pub(super) fn of(
    resources: &[Resource<'_>],
    problems: &Problems<'_>,
    parameters: &Parameters,
) -> Vec<(usize, String)> {
    let mut parents: BTreeMap<&str, Option<&Resource<'_>>> = BTreeMap::new();
    for one in resources {
        if one.kind == KIND {
            parents.extend(one.text("id").map(|id| (id, Some(one))));
        }
        parents.extend(one.text("root_resource_id").map(|id| (id, None)));
    }
    let mut found = Vec::new();
    for (at, one) in resources.iter().enumerate() {
        if one.kind != KIND {
            continue;
        }
        match path(one, &parents) {
            Some(Ok(path)) => found.push((at, path)),
            // What is missing has been reported.
            Some(Err(Missing)) => {}
            None => {
                let name = format!("{}.path", one.address);
                match parameters.get(&name) {
                    Some(path) => found.push((at, path.to_owned())),
                    None => problems.missing(
                        one.at,
                        &name,
                        &format!("the path of `{}`, such as `/pets`", one.address),
                    ),
                }
            }
        }
    }
    found
}

const KIND: &str = "aws_api_gateway_resource";

/// A part of the path is missing.
struct Missing;

/// The path of a resource; `None` if one of its parents is not in the plan, or is a parent
/// of itself.
fn path(
    resource: &Resource<'_>,
    parents: &BTreeMap<&str, Option<&Resource<'_>>>,
) -> Option<Result<String, Missing>> {
    let mut parts = Vec::new();
    let mut current = resource;
    for _ in 0..=parents.len() {
        let (Some(part), Some(parent)) = (current.text("path_part"), current.text("parent_id"))
        else {
            return Some(Err(Missing));
        };
        parts.push(part);
        let Some(next) = parents.get(parent)? else {
            parts.reverse();
            return Some(Ok(format!("/{}", parts.join("/"))));
        };
        current = next;
    }
    None
}
