//! An issuer's metadata (`OpenID` Connect Discovery 1.0 §4, RFC 8414).

use std::collections::BTreeMap;

use crate::json;
use crate::policy::FetchUri;
use crate::telemetry::FetchFailure;

/// Metadata nest a little; this is far more than any issuer needs.
const MAX_DEPTH: usize = 32;

/// What is taken from the metadata: where the key set is, and which cluster
/// reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the key set is.
    pub key_set: FetchUri,
    /// The cluster that reaches it.
    pub cluster: Box<str>,
}

/// The issuer whose metadata are read, as configured.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// The issuer, as written.
    pub name: &'a str,
    /// Its host.
    pub host: &'a str,
    /// The cluster that reaches it.
    pub cluster: &'a str,
    /// Further hosts that the key set may be at, each with its cluster.
    pub hosts: &'a BTreeMap<Box<str>, Box<str>>,
}

impl Metadata {
    /// Reads the metadata of `issuer` from the body of a good answer.
    ///
    /// # Errors
    ///
    /// Not a JSON object; another issuer's (mix-up); a `jwks_uri` at a host
    /// that the configuration does not name: an issuer must not be able to
    /// point the proxy at places inside its network.
    pub fn parse(body: &[u8], issuer: Issuer<'_>) -> Result<Self, FetchFailure> {
        let metadata = json::object(body, MAX_DEPTH).map_err(|_| FetchFailure::NotMetadata)?;
        let text = |name| metadata.get(name).and_then(json::Value::string);
        let named = text("issuer").ok_or(FetchFailure::NotMetadata)?;
        if *named != *issuer.name {
            return Err(FetchFailure::OtherIssuer);
        }
        let uri = text("jwks_uri").ok_or(FetchFailure::BadKeySetUri)?;
        Self::at(&uri, issuer)
    }

    /// Checks where a key set is said to be.
    ///
    /// # Errors
    ///
    /// As [`Metadata::parse`], for `jwks_uri`.
    pub fn at(uri: &str, issuer: Issuer<'_>) -> Result<Self, FetchFailure> {
        let key_set = FetchUri::parse(uri).map_err(|_| FetchFailure::BadKeySetUri)?;
        let cluster = if key_set.host() == issuer.host {
            Some(issuer.cluster)
        } else {
            issuer.hosts.get(key_set.host()).map(|cluster| &**cluster)
        };
        let cluster = cluster.ok_or(FetchFailure::BadKeySetUri)?.into();
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
    fn a_key_set_at_the_issuers_host_or_a_named_one_is_taken() {
        assert_eq!(with_uri("https://issuer.example/keys"), Ok("issuer".into()));
        assert_eq!(
            with_uri("http://issuer.example:80/keys"),
            Ok("issuer".into())
        );
        assert_eq!(with_uri("https://keys.example/k"), Ok("keys".into()));
    }

    #[test]
    fn a_key_set_elsewhere_is_not_fetched() {
        for uri in [
            "http://169.254.169.254/latest",
            "https://issuer.example@evil.example/",
            "https://issuer.example.evil.example/",
            "https://user@issuer.example/keys",
            "file:///etc/passwd",
            "/keys",
            "",
        ] {
            assert_eq!(with_uri(uri), Err(FetchFailure::BadKeySetUri), "{uri}");
        }
    }

    #[test]
    fn the_issuer_must_be_equal_as_written() {
        for issuer in ["https://issuer.example", "https://ISSUER.example/", ""] {
            let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://issuer.example/k"}}"#);
            assert_eq!(parse(&body), Err(FetchFailure::OtherIssuer), "{issuer}");
        }
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        for body in [
            "",
            "[]",
            "<html>",
            "{}",
            r#"{"issuer":1}"#,
            r#"{"issuer":"a","issuer":"a"}"#,
        ] {
            assert_eq!(parse(body), Err(FetchFailure::NotMetadata), "{body}");
        }
    }
}
