//! The configuration of one of the proxy's routes.

use super::error::{ConfigErrors, Fetching, Sink};
use super::problem::DocumentProblem;
use super::reader::Node;
use super::written::{self, ShortForm};
use super::{compile, compile_tree, document};
use crate::crypto::DEFAULT_TABLE_BUDGET;
use crate::policy::{Narrowing, Policy, Responses};

/// A document that refuses everything.
const DENIED: &[u8] = br#"{"routes": [{"match": "$default", "access": "denied"}]}"#;

/// Compiles the configuration of a route. It is one JSON text: `{"mode": "enforce"}`,
/// `{"mode": "denied"}`, or a document for [`compile`], which may have a `mode` of its
/// own.
///
/// # Errors
///
/// See [`compile`].
pub fn compile_narrowing(bytes: &[u8]) -> Result<Narrowing, ConfigErrors> {
    let tree = document::parse(bytes)?;
    if written::is_document(&tree) {
        let policy = compile_tree(&tree, Fetching::Clusters, &DEFAULT_TABLE_BUDGET)?;
        return Ok(Narrowing::By(Box::new(policy)));
    }
    let mut sink = Sink::default();
    let mode = written::short_form(&Node::root(&tree), &mut sink);
    match (sink.finish(), mode) {
        (Ok(()), Some(ShortForm::Enforce)) => Ok(Narrowing::Enforce),
        (Ok(()), Some(ShortForm::Denied)) => Ok(Narrowing::Denied),
        (Err(errors), _) => Err(errors),
        // As in `compile`: every omission must be reported.
        (Ok(()), None) => Err(ConfigErrors::of_whole(DocumentProblem::Incomplete)),
    }
}

/// The policy of [`Narrowing::Denied`], with the format of the listener's refusals.
///
/// # Errors
///
/// None are known, because the document is fixed.
pub fn denied(responses: Responses) -> Result<Policy, ConfigErrors> {
    let policy = compile(DENIED)?;
    Ok(Policy {
        responses,
        ..policy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Access, BodyStyle, Mode};

    fn errors_of(text: &str) -> String {
        compile_narrowing(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_mode_or_a_document() {
        let compiled = |text: &str| compile_narrowing(text.as_bytes()).unwrap();
        assert!(matches!(
            compiled(r#"{"mode":"enforce"}"#),
            Narrowing::Enforce
        ));
        assert!(matches!(
            compiled(r#"{"mode":"denied"}"#),
            Narrowing::Denied
        ));
        for (mode, expected) in [
            ("", Mode::Enforce),
            (r#","mode":"enforce""#, Mode::Enforce),
            (r#","mode":"report""#, Mode::Report),
        ] {
            let document =
                format!(r#"{{"routes":[{{"match":"GET /a","access":"public"}}]{mode}}}"#);
            let Narrowing::By(policy) = compiled(&document) else {
                panic!("no document");
            };
            assert_eq!(&*policy.routes[0].name, "GET /a");
            assert_eq!((policy.mode, policy.routes[0].mode), (expected, expected));
        }
    }

    #[test]
    fn what_would_open_a_route_is_not_a_mode() {
        // A route cannot let the refusals of the listener's document be reported only.
        let choices = "write `enforce` or `denied`";
        for mode in ["\"off\"", "false", "\"report\"", "\"Denied\"", "\"\""] {
            let errors = errors_of(&format!("{{\"mode\": {mode}}}"));
            assert!(errors.contains(choices), "{errors}");
        }
        for mode in ["null", "true", "1", "[\"denied\"]", "{}"] {
            errors_of(&format!("{{\"mode\": {mode}}}"));
        }
    }

    #[test]
    fn a_mode_stands_alone() {
        let both = r#"{"mode":"denied","routes":[{"match":"$default","access":"public"}]}"#;
        assert_eq!(
            errors_of(both),
            "mode: has no effect together with `routes`; remove one of the two"
        );
        assert!(errors_of(r#"{"mode":"denied","mod":1}"#).starts_with("mod: is unknown"));
        for incomplete in [
            r#"{"mode":"report","providers":[]}"#,
            r#"{"mode":"enforce","cors":"off"}"#,
        ] {
            assert!(
                errors_of(incomplete).contains("routes: is missing"),
                "{}",
                errors_of(incomplete)
            );
        }
        let wrong = r#"{"mode":false,"routes":[{"match":"$default","access":"public"}]}"#;
        assert!(errors_of(wrong).contains("write `enforce` or `report`"));
        assert_eq!(
            errors_of(r#"{"mode":"denied","mode":"denied"}"#),
            "mode: is written twice; keep one of the two"
        );
        for text in ["", "{}", "[]", "null", "{", "\u{feff}{\"mode\":\"denied\"}"] {
            errors_of(text);
        }
    }

    #[test]
    fn denied_refuses_everything_in_the_listeners_format() {
        let responses = Responses {
            realm: "shop".into(),
            body: BodyStyle::Problem,
        };
        let policy = denied(responses.clone()).unwrap();
        assert_eq!(policy.responses, responses);
        assert!(
            policy
                .routes
                .iter()
                .all(|route| route.access == Access::Denied)
        );
    }
}
