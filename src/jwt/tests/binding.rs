//! Whether the sender of a token is its holder.

use std::cell::RefCell;

use super::*;
use crate::jwk::Thumbprint;
use crate::rules::NoRequest;

const KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const CERTIFICATE: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

/// A sender, and the questions that were asked.
#[derive(Default)]
struct Sender {
    has_certificate: bool,
    has_key: bool,
    claims_key: bool,
    asked: RefCell<Vec<&'static str>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Token(BindingError),
    Certificate,
    Key,
    NoKey,
}

impl From<BindingError> for Fault {
    fn from(error: BindingError) -> Self {
        Self::Token(error)
    }
}

impl Sender {
    fn answer(&self, question: &'static str, good: bool, fault: Fault) -> Result<(), Fault> {
        self.asked.borrow_mut().push(question);
        if good { Ok(()) } else { Err(fault) }
    }
}

impl Holder for Sender {
    type Fault = Fault;

    fn has_certificate(&self, digest: &[u8; 32]) -> Result<(), Fault> {
        assert_eq!(Some(*digest), crate::jwk::digest(CERTIFICATE));
        self.answer("certificate", self.has_certificate, Fault::Certificate)
    }

    fn has_key(&self, thumbprint: &Thumbprint) -> Result<(), Fault> {
        assert_eq!(Some(*thumbprint), Thumbprint::parse(KEY));
        self.answer("key", self.has_key, Fault::Key)
    }

    fn has_no_key(&self) -> Result<(), Fault> {
        self.answer("no key", !self.claims_key, Fault::NoKey)
    }
}

fn held(claims: &str, binding: Binding, sender: &Sender) -> Result<(), Fault> {
    let expected = Expectations {
        binding,
        ..anything()
    };
    let token = verified(claims);
    let checked = token.check(&expected, &NoRequest, now()).unwrap();
    checked.held_by(sender).map(|_| ())
}

fn bound(cnf: &str) -> String {
    claims_with(&format!(r#""cnf":{cnf}"#))
}

#[test]
fn a_cnf_that_cannot_be_read_is_not_absent() {
    for cnf in [
        "{}",
        "[]",
        "null",
        "false",
        "0",
        r#""""#,
        r#"{"jwk":{}}"#,
        r#"{"kid":"a"}"#,
        r#"{"JKT":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#"{"jkt":null}"#,
        r#"{"jkt":"short"}"#,
        r#"{"jkt":["0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"]}"#,
        r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I="}"#,
        r#"{"x5t#S256":1,"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#"{"jkt":1,"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#,
        r#"{"x5t":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#,
    ] {
        let all = Sender {
            has_certificate: true,
            has_key: true,
            ..Sender::default()
        };
        let unreadable = Err(Fault::Token(BindingError::Unreadable));
        for binding in [Binding::Any, Binding::Required] {
            assert_eq!(held(&bound(cnf), binding, &all), unreadable, "{cnf}");
        }
        assert!(all.asked.borrow().is_empty());
        assert_eq!(held(&bound(cnf), Binding::Ignore, &all), Ok(()), "{cnf}");
        let escaped = claims_with(&format!(r#""\u0063nf":{cnf}"#));
        assert_eq!(held(&escaped, Binding::Any, &all), unreadable);
    }
}

#[test]
fn every_known_member_must_hold_and_the_key_is_asked_for_last() {
    let certificate = format!(r#"{{"x5t#S256":"{CERTIFICATE}"}}"#);
    let key = format!(r#"{{"jkt":"{KEY}","other":1}}"#);
    let both = format!(r#"{{"jkt":"{KEY}","x5t#S256":"{CERTIFICATE}"}}"#);
    for (cnf, shows, expected, asked) in [
        (
            &certificate,
            (true, false),
            Ok(()),
            &["certificate", "no key"][..],
        ),
        (
            &certificate,
            (false, true),
            Err(Fault::Certificate),
            &["certificate"],
        ),
        (&key, (false, true), Ok(()), &["key"]),
        (&key, (true, false), Err(Fault::Key), &["key"]),
        (&both, (true, true), Ok(()), &["certificate", "key"]),
        (
            &both,
            (false, true),
            Err(Fault::Certificate),
            &["certificate"],
        ),
        (
            &both,
            (true, false),
            Err(Fault::Key),
            &["certificate", "key"],
        ),
    ] {
        let (has_certificate, has_key) = shows;
        let sender = Sender {
            has_certificate,
            has_key,
            ..Sender::default()
        };
        assert_eq!(held(&bound(cnf), Binding::Any, &sender), expected, "{cnf}");
        assert_eq!(*sender.asked.borrow(), asked, "{cnf}");
        let required = held(&bound(cnf), Binding::Required, &sender);
        assert_eq!(required, expected, "{cnf}");
        assert_eq!(held(&bound(cnf), Binding::Ignore, &sender), Ok(()), "{cnf}");
    }
}

#[test]
fn a_token_that_is_not_bound_is_taken_from_anybody_unless_binding_is_required() {
    for other in [r#""CNF":{}"#, r#""cnf.jkt":"x""#, r#""a":{"cnf":{}}"#] {
        let claims = claims_with(other);
        let sender = Sender::default();
        assert_eq!(held(&claims, Binding::Any, &sender), Ok(()), "{other}");
        let unbound = Err(Fault::Token(BindingError::Unbound));
        assert_eq!(
            held(&claims, Binding::Required, &sender),
            unbound,
            "{other}"
        );
        let claiming = Sender {
            claims_key: true,
            ..Sender::default()
        };
        for binding in [Binding::Any, Binding::Ignore] {
            assert_eq!(held(&claims, binding, &claiming), Err(Fault::NoKey));
        }
    }
}

#[test]
fn a_bearer_is_the_holder_only_of_tokens_that_are_not_bound() {
    let key = format!(r#"{{"jkt":"{KEY}"}}"#);
    let certificate = format!(r#"{{"x5t#S256":"{CERTIFICATE}"}}"#);
    for cnf in [key, certificate] {
        let token = verified(&bound(&cnf));
        let checked = token.check(&anything(), &NoRequest, now()).unwrap();
        let held = checked.held_by(&Bearer).map(|_| ());
        assert_eq!(held, Err(BindingError::Unreadable), "{cnf}");
    }
    let token = verified(CLAIMS);
    let checked = token.check(&anything(), &NoRequest, now()).unwrap();
    assert!(checked.held_by(&Bearer).is_ok());
}

#[test]
fn an_error_about_the_holder_says_what_the_token_lacks() {
    for (error, sentence) in [
        (
            BindingError::Unbound,
            "the token is not bound to its holder",
        ),
        (
            BindingError::Unreadable,
            "the token's cnf names nothing that can be checked",
        ),
    ] {
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn a_token_says_whether_it_needs_a_certificate() {
    for (cnf, expected) in [
        (r#"{"x5t#S256":"x"}"#, true),
        (r#"{"x5t#S256":null,"jkt":"x"}"#, true),
        (r#"{"jkt":"x"}"#, false),
        ("[]", false),
    ] {
        let token = verified(&bound(cnf));
        assert_eq!(token.names_certificate(), expected, "{cnf}");
    }
    assert!(!verified(CLAIMS).names_certificate());
}
