//! A policy as configured, which is checked and compiled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::error::{CorsError, CorsMember, CorsProblem};
use super::fault;
use super::origin::OriginPattern;
use super::policy::{AllowedHeaders, Compiled, CorsPolicy, Methods, Origins};
use crate::http::{MethodPattern, is_token};

/// The members of `cors` as configured. An absent list is `None`; an empty one
/// is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsSpec {
    /// Origin patterns; required.
    pub allow_origins: Option<Vec<String>>,
    /// Methods, and `ANY` for any requested method; absent: those of the path's
    /// routes.
    pub allow_methods: Option<Vec<String>>,
    /// Header names, and `*`; absent: no header.
    pub allow_headers: Option<Vec<String>>,
    /// Header names, and `*`; absent: no header.
    pub expose_headers: Option<Vec<String>>,
    /// Whether pages may send cookies and read the answers.
    pub allow_credentials: bool,
    /// Whether public pages may reach this server on a private network.
    pub allow_private_network: bool,
    /// How long a browser may cache a preflight answer: whole seconds, at most
    /// 2³¹ − 1.
    pub max_age: Option<Duration>,
    /// Whether some route with this policy needs a token. It is not a configured
    /// member: it is derived from the routes.
    pub token_needed: bool,
}

/// The largest `Access-Control-Max-Age`. Parsers overflow beyond it.
const MAX_AGE_SECONDS: u64 = 2_147_483_647;

/// The headers of the filter's own responses that pages must be able to read.
const OWN_EXPOSED: [&str; 2] = ["WWW-Authenticate", "Retry-After"];

impl CorsSpec {
    /// Checks the policy and prepares its answers.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of the members.
    pub fn compile(&self) -> Result<CorsPolicy, Vec<CorsError>> {
        let mut errors = Errors(Vec::new());
        let origins = self.compile_origins(&mut errors);
        let methods = self.compile_methods(&mut errors);
        let headers = self.compile_headers(&mut errors);
        let expose = self.check_headers(
            CorsMember::ExposeHeaders,
            self.expose_headers.as_deref(),
            &mut errors,
        );
        let max_age = self.compile_max_age(&mut errors);
        if !errors.0.is_empty() {
            return Err(errors.0);
        }
        Ok(CorsPolicy::new(Compiled {
            origins,
            methods,
            headers,
            expose: joined(expose.iter().copied()),
            expose_own: expose_own(&expose),
            credentials: self.allow_credentials,
            private_network: self.allow_private_network,
            max_age,
        }))
    }

    fn compile_origins(&self, errors: &mut Errors) -> Origins {
        let member = CorsMember::AllowOrigins;
        let mut origins = Origins::default();
        let Some(written) = &self.allow_origins else {
            errors.add(member, None, CorsProblem::Missing);
            return origins;
        };
        errors.check_list(member, written, str::to_owned);
        origins.shown = fault::list(written.iter().map(String::as_str)).into();
        for (index, entry) in written.iter().enumerate() {
            let pattern = match OriginPattern::parse(entry) {
                Ok(pattern) => pattern,
                Err(error) => {
                    errors.add(member, Some(index), CorsProblem::Origin(error));
                    continue;
                }
            };
            if self.allow_credentials && pattern.is_any() {
                errors.add(member, Some(index), CorsProblem::AnyOriginWithCredentials);
            }
            if self.allow_credentials && pattern.is_any_host() {
                errors.add(member, Some(index), CorsProblem::AnyHostWithCredentials);
            }
            match pattern.exact() {
                Some(exact) => {
                    origins.exact.insert(Arc::from(exact));
                }
                None if pattern.is_any() => origins.any = true,
                None => origins.wild.push(pattern),
            }
        }
        origins
    }

    fn compile_methods(&self, errors: &mut Errors) -> Methods {
        let member = CorsMember::AllowMethods;
        let Some(written) = &self.allow_methods else {
            return Methods::OfRoutes;
        };
        errors.check_list(member, written, str::to_owned);
        let mut names = Vec::new();
        let mut any = false;
        for (index, entry) in written.iter().enumerate() {
            // The methods that `routes[].match` allows, and no others: a method
            // that no route can have would be announced to pages without effect.
            match MethodPattern::parse(entry) {
                Ok(MethodPattern::Any) => any = true,
                Ok(MethodPattern::Named(method)) => names.push(method.as_str().into()),
                Err(problem) => errors.add(member, Some(index), CorsProblem::Method(problem)),
            }
        }
        Methods::Listed { names, any }
    }

    fn compile_headers(&self, errors: &mut Errors) -> AllowedHeaders {
        let written = self.check_headers(
            CorsMember::AllowHeaders,
            self.allow_headers.as_deref(),
            errors,
        );
        let mut names: Vec<Box<str>> = written
            .iter()
            .filter(|name| **name != "*")
            .map(|name| name.to_ascii_lowercase().into())
            .collect();
        crate::order::sort(&mut names, Ord::cmp);
        AllowedHeaders {
            names,
            any: written.contains(&"*"),
            value: joined(written.iter().copied()),
            shown: fault::list(written.iter().copied()).into(),
        }
    }

    /// Checks the entries of `allow_headers` or `expose_headers`.
    fn check_headers<'a>(
        &self,
        member: CorsMember,
        written: Option<&'a [String]>,
        errors: &mut Errors,
    ) -> Vec<&'a str> {
        let Some(written) = written else {
            return Vec::new();
        };
        errors.check_list(member, written, str::to_ascii_lowercase);
        // Beside `*` it names what `*` does not cover.
        let names_authorization = member == CorsMember::AllowHeaders
            && written
                .iter()
                .any(|entry| entry.eq_ignore_ascii_case("authorization"));
        for (index, entry) in written.iter().enumerate() {
            let problem = if !is_token(entry.as_bytes()) {
                CorsProblem::NotAHeaderName
            } else if entry == "*" && self.allow_credentials {
                CorsProblem::AnyHeaderWithCredentials
            } else if entry == "*" && self.token_needed && !names_authorization {
                CorsProblem::AnyHeaderWithToken(member)
            } else {
                continue;
            };
            errors.add(member, Some(index), problem);
        }
        written.iter().map(String::as_str).collect()
    }

    fn compile_max_age(&self, errors: &mut Errors) -> Option<Box<str>> {
        let max_age = self.max_age?;
        if max_age.subsec_nanos() != 0 {
            errors.add(CorsMember::MaxAge, None, CorsProblem::NotWholeSeconds);
        }
        if max_age.as_secs() > MAX_AGE_SECONDS {
            errors.add(CorsMember::MaxAge, None, CorsProblem::TooLong);
        }
        Some(max_age.as_secs().to_string().into())
    }
}

struct Errors(Vec<CorsError>);

impl Errors {
    fn add(&mut self, member: CorsMember, index: Option<usize>, problem: CorsProblem) {
        self.0.push(CorsError {
            member,
            index,
            problem,
        });
    }

    /// Checks that a list has entries, and that no two have the same key.
    fn check_list(&mut self, member: CorsMember, written: &[String], key: impl Fn(&str) -> String) {
        if written.is_empty() {
            self.add(member, None, CorsProblem::EmptyList);
        }
        let mut firsts = BTreeMap::new();
        for (index, entry) in written.iter().enumerate() {
            let first = *firsts.entry(key(entry)).or_insert(index);
            if first != index {
                self.add(member, Some(index), CorsProblem::Repeats(first));
            }
        }
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Option<Box<str>> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| names.join(", ").into())
}

/// `*` covers these headers: it is never combined with credentials.
fn expose_own(expose: &[&str]) -> Box<str> {
    let mut names = expose.to_vec();
    if !expose.contains(&"*") {
        names.extend(
            OWN_EXPOSED
                .into_iter()
                .filter(|own| !expose.iter().any(|name| name.eq_ignore_ascii_case(own))),
        );
    }
    names.join(", ").into()
}
