//! Scopes, compared with a splitter that follows RFC 6749 section 3.3.
//!
//! The input is up to two lines of JSON: the claims `scope` and `scp`.

use std::time::Duration;

use edge_authz::jwt::Bearer;
use edge_authz::rules::{
    ClaimName, Claims, Grounds, Missing, NoRequest, Requirement, RouteRules, ScopeImplications,
};
use edge_authz::time::UnixTime;

use super::claims;
use crate::reference::json::{self, Json};
use crate::reference::jwt;

/// The scopes that rules name.
const NAMES: [&str; 4] = ["read", "write", "pets:read", "suspended"];

pub(crate) fn target(data: &[u8]) {
    let mut text = br#"{"iss":"https://issuer.example","aud":"api","exp":4102444800"#.to_vec();
    for (name, line) in ["scope", "scp"].into_iter().zip(super::lines(data)) {
        if !line.trim_ascii().is_empty() {
            text.extend(format!(",\"{name}\":").bytes());
            text.extend_from_slice(line);
        }
    }
    text.push(b'}');
    let Some(token) = claims::signed(&text) else {
        return;
    };
    let now = UnixTime::from_secs(1_700_000_000);
    // A line may contain other claims too.
    let Ok(checked) = token.check(&claims::plain(), &NoRequest, now) else {
        return;
    };
    let Ok(valid) = checked.held_by(&Bearer) else {
        return;
    };
    let read = json::parse(&text, jwt::DEPTH).unwrap();
    for names in [&["scope"][..], &["scp"], &["scope", "scp"], &["x"]] {
        let expected = Scopes::of(&read, names);
        let names: Vec<_> = names.iter().map(|name| ClaimName::new(*name)).collect();
        let scopes = valid.scopes(&names);
        assert_eq!(scopes.names().collect::<Vec<_>>(), expected.names);
        assert_eq!(scopes.unreadable, expected.unreadable);
        for choice in 0..4_usize.pow(4) {
            let rules = rules(choice);
            let granted = rules.grant(&Grounds {
                claims: &valid,
                scope_claims: &names,
                implied: &ScopeImplications::default(),
                request: &NoRequest,
                now,
                clock_skew: Duration::ZERO,
            });
            let judged = expected.judge(&rules.scopes);
            assert_eq!(granted.map(drop), judged, "{:?}", rules.scopes);
        }
    }
}

/// One of the rules that put each name into one list or none.
fn rules(mut choice: usize) -> RouteRules {
    let mut lists = [vec![], vec![], vec![], vec![]];
    for name in NAMES {
        lists[choice % 4].push(name.into());
        choice /= 4;
    }
    let [_, any_of, all_of, none_of] = lists;
    RouteRules {
        scopes: Requirement {
            any_of,
            all_of,
            none_of,
        },
        ..RouteRules::default()
    }
}

#[derive(Default)]
struct Scopes {
    names: Vec<String>,
    unreadable: bool,
}

impl Scopes {
    fn of(claims: &Json<'_>, names: &[&str]) -> Self {
        let mut scopes = Self::default();
        for value in names.iter().filter_map(|name| claims.get(name)) {
            if let Some(text) = value.string() {
                scopes.names.extend(text.split(' ').map(str::to_owned));
            } else if let Some(all) = value.array()
                && all.iter().all(|one| one.string().is_some())
            {
                let all = all.iter().filter_map(Json::string);
                scopes.names.extend(all.map(str::to_owned));
            } else {
                scopes.unreadable = true;
            }
        }
        scopes.names.retain(|name| !name.is_empty());
        let odd = |c: char| c.is_whitespace() || c.is_control();
        scopes.unreadable |= scopes.names.iter().any(|name| name.contains(odd));
        scopes
    }

    fn judge(&self, rule: &Requirement<Box<str>>) -> Result<(), Missing> {
        let has = |name: &str| self.names.iter().any(|known| known == name);
        if !(rule.any_of.is_empty() || rule.any_of.iter().any(|name| has(name)))
            || !rule.all_of.iter().all(|name| has(name))
        {
            Err(Missing::Scopes)
        } else if rule.none_of.iter().any(|name| has(name))
            || (self.unreadable && !rule.none_of.is_empty())
        {
            Err(Missing::NoForbiddenScope)
        } else {
            Ok(())
        }
    }
}
