//! An issuer's metadata (`OpenID` Connect Discovery 1.0 §4, RFC 8414).

use std::collections::BTreeMap;

use crate::json;
use crate::policy::FetchUri;
use crate::telemetry::{FetchFailure, Shown};

/// The maximum nesting depth of metadata. This is far more than any issuer needs.
const MAX_DEPTH: usize = 32;
/// The maximum length of `jwks_uri`, in bytes. Workers read it from the shared data at
/// every visit to the source.
const MAX_URI_BYTES: usize = 2048;

/// The parts of the metadata that are used: the location of the key set, and the cluster
/// that reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The location of the key set.
    pub key_set: FetchUri,
    /// The cluster that reaches it.
    pub cluster: Box<str>,
}

/// The issuer whose metadata are read, as configured.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// The issuer, exactly as configured.
    pub name: &'a str,
    /// The host of the issuer.
    pub host: &'a str,
    /// The cluster that reaches the issuer.
    pub cluster: &'a str,
    /// Further hosts that may serve the key set, each with its cluster.
    pub hosts: &'a BTreeMap<Box<str>, Box<str>>,
}

impl Metadata {
    /// Parses the metadata of `issuer` from the body of a 200 answer.
    ///
    /// # Errors
    ///
    /// The body is not a JSON object, names another issuer (mix-up), or has a `jwks_uri`
    /// on a host that the configuration does not name. Otherwise an issuer could direct
    /// the proxy to hosts inside its network.
    pub fn parse(body: &[u8], issuer: Issuer<'_>) -> Result<Self, FetchFailure> {
        let metadata = json::object(body, MAX_DEPTH)
            .map_err(|error| FetchFailure::NotMetadata(Some(error)))?;
        let text = |name| metadata.get(name).and_then(json::Value::string);
        let named = text("issuer").ok_or(FetchFailure::NotMetadata(None))?;
        if *named != *issuer.name {
            return Err(FetchFailure::OtherIssuer {
                named: Shown::new(&named),
                configured: Shown::new(issuer.name),
            });
        }
        let uri = text("jwks_uri").ok_or(FetchFailure::NoKeySetUri)?;
        Self::at(&uri, issuer)
    }

    /// Checks the location of a key set.
    ///
    /// # Errors
    ///
    /// See [`Metadata::parse`], for `jwks_uri`.
    pub fn at(uri: &str, issuer: Issuer<'_>) -> Result<Self, FetchFailure> {
        if uri.len() > MAX_URI_BYTES {
            return Err(FetchFailure::BadKeySetUri);
        }
        let key_set = FetchUri::parse(uri).map_err(|_| FetchFailure::BadKeySetUri)?;
        let cluster = if key_set.host() == issuer.host {
            Some(issuer.cluster)
        } else {
            issuer.hosts.get(key_set.host()).map(|cluster| &**cluster)
        };
        let elsewhere = || FetchFailure::KeySetElsewhere(Shown::new(key_set.host()));
        let cluster = cluster.ok_or_else(elsewhere)?.into();
        Ok(Self { key_set, cluster })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Metadata, FetchFailure> {
        let hosts = BTreeMap::from([("keys.example".into(), "keys".into())]);
        let issuer = Issuer {
            name: "https://issuer.example/",
            host: "issuer.example",
            cluster: "issuer",
            hosts: &hosts,
        };
        Metadata::parse(body.as_bytes(), issuer)
    }

    fn with_uri(uri: &str) -> Result<Box<str>, FetchFailure> {
        let body = format!(r#"{{"issuer":"https://issuer.example/","jwks_uri":"{uri}"}}"#);
        parse(&body).map(|metadata| metadata.cluster)
    }

    #[test]
    fn a_key_set_at_the_issuers_host_or_a_configured_one_is_fetched() {
        assert_eq!(with_uri("https://issuer.example/keys"), Ok("issuer".into()));
        assert_eq!(
            with_uri("http://issuer.example:80/keys"),
            Ok("issuer".into())
        );
        assert_eq!(with_uri("https://keys.example/k"), Ok("keys".into()));
    }

    #[test]
    fn a_key_set_elsewhere_is_not_fetched() {
        for (uri, host) in [
            ("http://169.254.169.254/latest", "169.254.169.254"),
            (
                "https://issuer.example.evil.example/",
                "issuer.example.evil.example",
            ),
            ("https://keys.example.:443/k", "keys.example."),
        ] {
            let elsewhere = FetchFailure::KeySetElsewhere(Shown::new(host));
            assert_eq!(with_uri(uri), Err(elsewhere), "{uri}");
        }
        for uri in [
            "https://issuer.example@evil.example/",
            "https://user@issuer.example/keys",
            "file:///etc/passwd",
            "/keys",
            "",
        ] {
            assert_eq!(with_uri(uri), Err(FetchFailure::BadKeySetUri), "{uri}");
        }
        let none = r#"{"issuer":"https://issuer.example/","jwks_uri":1}"#;
        assert_eq!(parse(none), Err(FetchFailure::NoKeySetUri));
    }

    #[test]
    fn a_long_location_is_refused() {
        let uri = |length: usize| {
            let start = "https://issuer.example/";
            format!("{start}{}", "k".repeat(length - start.len()))
        };
        assert_eq!(with_uri(&uri(2048)), Ok("issuer".into()));
        let refused = Err(FetchFailure::BadKeySetUri);
        assert_eq!(with_uri(&uri(2049)), refused);
    }

    #[test]
    fn the_issuer_must_be_equal_as_written() {
        for issuer in ["https://issuer.example", "https://ISSUER.example/", ""] {
            let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://issuer.example/k"}}"#);
            let failure = parse(&body).unwrap_err();
            let both = format!("it is `{issuer}`, not `https://issuer.example/`");
            assert!(failure.to_string().ends_with(&both), "{failure}");
        }
    }

    #[test]
    fn a_body_that_is_not_metadata_is_refused() {
        for (body, why) in [
            ("", "not valid JSON"),
            ("[]", "not a JSON object"),
            ("<html>", "not valid JSON"),
            ("{}", "it has no string `issuer`"),
            (r#"{"issuer":1}"#, "it has no string `issuer`"),
            (r#"{"issuer":"a","issuer":"a"}"#, "a duplicate member"),
        ] {
            let failure = parse(body).unwrap_err();
            assert!(matches!(failure, FetchFailure::NotMetadata(_)), "{body}");
            assert!(failure.to_string().contains(why), "{failure}");
        }
    }
}
