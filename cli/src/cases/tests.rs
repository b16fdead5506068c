use serde_json::{Value, json};

use super::*;

const WORLD: &str = "
about: A test.
config:
  providers:
    - {name: main, issuer: 'https://issuer.example.com', audiences: [api], jwks: {cluster: c, uri: 'https://issuer.example.com/k'}}
  routes:
    - {match: GET /public, access: public}
    - {match: $default, scopes: [read]}
  upstream: {claims: {x-user-id: sub}}
keys: {ec: ES256, other: {alg: ES256, published: false}}
tokens: {good: {key: ec, claims: {scope: read}}}
";

fn file(cases: &str) -> Result<CaseFile, CaseError> {
    CaseFile::parse(&format!("{WORLD}{cases}"))
}

fn all(file: &CaseFile) -> impl Iterator<Item = (&World, &Case)> {
    let worlds = file.worlds.iter();
    worlds.flat_map(|world| world.cases.iter().map(move |case| (world, case)))
}

/// The differences of each case, by the names of the cases.
fn played(cases: &str) -> Vec<(String, Vec<String>)> {
    let file = file(cases).unwrap();
    all(&file)
        .map(|(world, case)| {
            let (request, [expected, _]) = world.prepare(case, world.now(), |_| None).unwrap();
            let [outcome, _] = Player::new(world).unwrap().play(&request, world.now());
            let found = expected.differences(&outcome);
            let found = found.iter().map(ToString::to_string).collect();
            (case.name.clone(), found)
        })
        .collect()
}

fn requests(cases: &str) -> Vec<Request> {
    let file = file(cases).unwrap();
    all(&file)
        .map(|(world, case)| world.prepare(case, world.now(), |_| None).unwrap().0)
        .collect()
}

/// The header and claims of the token of the only case.
fn token(recipe: &str) -> (Value, Value) {
    let cases = format!("cases: [{{name: a, request: GET /, token: {recipe}, expect: 200}}]");
    let request = &requests(&cases)[0];
    let value = String::from_utf8(request.headers[0].1.clone()).unwrap();
    let parts: Vec<_> = value.strip_prefix("Bearer ").unwrap().split('.').collect();
    let part = |text: &str| {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
        serde_json::from_slice(&bytes.unwrap()).unwrap()
    };
    (part(parts[0]), part(parts[1]))
}

#[test]
fn only_differences_from_the_expectation_are_reported() {
    let found = played(
        "
cases:
  - {name: right, request: GET /, token: good, expect: {answer: 200 allowed, upstream: {headers: {x-user-id: user-1, authorization: ~}}}}
  - {name: wrong, request: GET /, token: good, expect: {answer: 403 missing_scope, headers: {vary: true}}}
  - {name: upstream, request: GET /public, expect: {answer: 200 public, upstream: {path: /other, headers: {x-a: '1'}}}}
  - {name: refused, request: GET /, expect: {answer: 401 no_token, body: x}}
",
    );
    let expected: [(&str, &[&str]); 4] = [
        ("right", &[]),
        (
            "wrong",
            &[
                "status: expected 403, got 200",
                "reason: expected missing_scope, got allowed",
                "header vary: expected present, got absent",
                "upstream: expected not reached, got reached",
            ],
        ),
        (
            "upstream",
            &[
                "upstream path: expected /other, got /public",
                "upstream header x-a: expected `1`, got absent",
            ],
        ),
        (
            "refused",
            &[r#"body: expected x, got {"message":"Unauthorized"}"#],
        ),
    ];
    for ((name, differences), (expected_name, expected)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert_eq!(differences, expected);
    }
}

#[test]
fn cases_inherit_from_groups_and_families_are_expanded() {
    let found = requests(
        "
headers: {x-outer: '1', x-gone: '1'}
cases:
  - name: group
    request: GET /$path
    headers: {x-outer: '2', x-gone: ~}
    each: {path: [a, b], count: ['1', '2']}
    cases:
      - {name: one, headers: {x-inner: $count}, expect: 200}
      - {name: two, request: POST /$n, expect: 200}
",
    );
    let shown: Vec<_> = found
        .iter()
        .map(|request| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let headers = request.headers.iter();
            let headers: Vec<_> = headers
                .map(|(name, value)| format!("{}={}", text(name), text(value)))
                .collect();
            format!(
                "{} {}",
                text(request.path.as_ref().unwrap()),
                headers.join(" ")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "/a x-inner=1 x-outer=2",
            "/01 x-outer=2",
            "/b x-inner=1 x-outer=2",
            "/02 x-outer=2",
            "/a x-inner=2 x-outer=2",
            "/03 x-outer=2",
            "/b x-inner=2 x-outer=2",
            "/04 x-outer=2",
        ]
    );
}

#[test]
fn a_family_fills_inherited_members_of_its_cases() {
    let file = file(
        "
cases:
  - name: group of $who
    request: GET /$who/$n
    headers: {x-who: $who, x-other: $other}
    cases:
      - {name: one, each: {who: [ann, bob]}, expect: 200}
      - {name: two, request: GET /, expect: 200}
",
    )
    .unwrap();
    let shown: Vec<_> = all(&file)
        .map(|(world, case)| {
            let request = world.prepare(case, world.now(), |_| None).unwrap().0;
            let headers = request.headers.iter();
            let values = headers.map(|(_, value)| value.as_slice());
            let text = [request.path.as_deref().unwrap(), b" "].into_iter();
            let text: Vec<_> = text.chain(values).collect::<Vec<_>>().concat();
            format!("{}: {}", case.name, String::from_utf8(text).unwrap())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "group of ann: one: /ann/01 $otherann",
            "group of bob: one: /bob/02 $otherbob",
            "group of $who: two: / $other$who",
        ]
    );
}

#[test]
fn a_token_equals_the_usual_one_except_for_its_own_members() {
    let now = DEFAULT_NOW;
    let (header, claims) = token("good");
    assert_eq!(header, json!({"alg": "ES256", "kid": "ec", "typ": "JWT"}));
    let usual = json!({
        "iss": "https://issuer.example.com", "aud": "api", "sub": "user-1", "scope": "read",
        "iat": now, "exp": now + 3600,
    });
    assert_eq!(claims, usual);
    let (header, claims) = token("{claims: {exp: now-30s, aud: [a]}, without: [sub, typ, iat]}");
    assert_eq!(header, json!({"alg": "ES256", "kid": "ec"}));
    let expected = json!({
        "iss": "https://issuer.example.com", "aud": ["a"], "scope": "read", "exp": now - 30,
    });
    assert_eq!(claims, expected);
    let (_, claims) = token(r#"{without: [exp], claims: '{..., "exp": 1e3, "x": "now+1d"}'}"#);
    assert_eq!(claims["exp"], json!(1e3));
    assert_eq!(claims["x"], json!(now + 86_400));
    assert_eq!(claims["scope"], json!("read"));
}

#[test]
fn a_token_goes_where_the_request_says() {
    let names = |case: &str| -> Vec<String> {
        let cases = format!("cases: [{{name: a, token: good, expect: 200, {case}}}]");
        let request = &requests(&cases)[0];
        let headers = request.headers.iter();
        headers
            .map(|(name, _)| String::from_utf8(name.clone()).unwrap())
            .collect()
    };
    assert_eq!(names("request: GET /"), ["authorization"]);
    assert_eq!(names("request: 'GET /?t=${token}'"), [""; 0]);
    assert_eq!(names("request: GET /, headers: {x-t: '${token}'}"), ["x-t"]);
    let with = "request: GET /, headers: {authorization: Basic x}";
    assert_eq!(names(with), ["authorization"]);
}

#[test]
fn an_error_in_a_file_is_reported_with_its_place() {
    for (cases, expected) in [
        (
            "cases: [{request: GET /, expect: 200}]",
            "missing field `name`",
        ),
        (
            "cases: [{name: a, expect: 200}]",
            "case `a`: missing field `request`",
        ),
        (
            "cases: [{name: a, request: GET /}]",
            "case `a`: missing field `expect`",
        ),
        (
            "cases: [{name: a, request: GET /, expect: 200, tokn: x}]",
            "unknown field `tokn`",
        ),
        (
            "cases: [{name: a, request: GET /, expect: 401 nope}]",
            "there is no reason `nope`",
        ),
        (
            "cases: [{name: a, request: GET /, expect: {status: 200, x: 1}}]",
            "unknown field `x`",
        ),
        (
            "cases: [{name: a, request: GET /, http: 3, expect: 200}]",
            "`http` is 1 or 2",
        ),
        ("cases: [x]", "a case is a mapping"),
        (
            "cases: [{name: a, each: 1, request: GET /, expect: 200}]",
            "`each` is a mapping",
        ),
        (
            "cases: [{name: a, request: GET /, with: {keys: {}}, expect: 200}]",
            "unknown field `keys`",
        ),
        ("cases: [{name: a, name: b}]", "duplicate mapping key"),
    ] {
        let error = file(cases).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_error_in_a_token_is_reported_with_its_case() {
    for (token, expected) in [
        ("nobody", "there is no token `nobody`"),
        ("{key: nothing}", "there is no key `nothing`"),
        ("{provider: nobody}", "there is no provider `nobody`"),
        ("{signature: bend}", "a change of a signature"),
        ("{form: '${middle}'}", "there is no token `middle`"),
        ("{form: '${header|bent}'}", "there is no"),
        (
            "{sign_as: RS256, key: ec, claims: '${pem of nothing}'}",
            "there is no key `nothing`",
        ),
    ] {
        let cases = format!("cases: [{{name: a, request: GET /, token: {token}, expect: 200}}]");
        let file = file(&cases).unwrap();
        let (world, case) = all(&file).next().unwrap();
        let error = world
            .prepare(case, world.now(), |_| None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("case `a`") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn tokens_that_are_like_each_other_are_an_error() {
    let yaml = WORLD.replace("tokens: {", "tokens: {a: {like: b}, b: {like: a}, ");
    let yaml = format!("{yaml}\ncases: [{{name: x, request: GET /, token: a, expect: 200}}]");
    let file = CaseFile::parse(&yaml).unwrap();
    let (world, case) = all(&file).next().unwrap();
    let error = world.prepare(case, world.now(), |_| None).unwrap_err();
    assert!(matches!(error.problem, Problem::Circular(_)), "{error}");
}

#[test]
fn cases_that_change_the_configuration_have_a_world_of_their_own() {
    let file = file(
        "
cases:
  - {name: a, request: GET /, expect: 200}
  - {name: b, request: GET /, with: {config: {upstream: ~}}, expect: 200}
  - {name: c, request: GET /, expect: 200}
  - {name: d, request: GET /, with: {key_sets: {main: [other]}}, expect: 200}
",
    )
    .unwrap();
    let names = |world: &World| -> Vec<String> {
        world.cases.iter().map(|case| case.name.clone()).collect()
    };
    let worlds: Vec<_> = file.worlds.iter().map(names).collect();
    assert_eq!(worlds, [vec!["a", "c"], vec!["b"], vec!["d"]]);
    assert!(file.worlds[1].config().get("upstream").is_none());
    let set = |world: &World| {
        let answers = world.answers().unwrap();
        let body = &answers["https://issuer.example.com/k"].body;
        serde_json::from_slice::<Value>(body).unwrap()["keys"][0]["kid"].clone()
    };
    assert_eq!(set(&file.worlds[0]), "ec");
    assert_eq!(set(&file.worlds[2]), "other");
}

#[test]
fn all_errors_of_a_refused_configuration_are_reported() {
    let cases =
        "cases: [{name: a, request: GET /, with: {config: {paths: {base: x}, y: 1}}, expect: 200}]";
    let file = file(cases).unwrap();
    let error = Player::new(&file.worlds[0]).unwrap_err().to_string();
    assert!(
        error.contains("paths.base") && error.contains('y'),
        "{error}"
    );
}
