//! Configurations of every shape that takes memory, of any size. Each is accepted, or
//! refused for a reason that is unrelated to its size, and none of them has a route for
//! `/nowhere`.

mod bad;
pub(crate) mod keys;

use std::fmt::Write;

/// A kind of large configuration.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// Whether it is a valid configuration.
    pub(crate) is_good: bool,
    /// The text of a configuration of about this many bytes, as far as the limits of a
    /// configuration allow.
    pub(crate) of: fn(usize) -> String,
}

const fn good(name: &'static str, of: fn(usize) -> String) -> Shape {
    Shape {
        name,
        is_good: true,
        of,
    }
}

const fn refused(name: &'static str, of: fn(usize) -> String) -> Shape {
    Shape {
        name,
        is_good: false,
        of,
    }
}

/// All of them.
pub(crate) const SHAPES: &[Shape] = &[
    good("ordinary routes", ordinary_routes),
    good("short routes", short_routes),
    good("256 segments", long_paths),
    good("one segment each", patterns),
    good("variables", variables),
    good("many hosts", hosts),
    good("MCP tools", mcp_tools),
    good("MCP names", mcp_names),
    good("MCP names, patterns and hosts", mcp_names_of_patterns),
    good("scopes", scopes),
    good("claim rules", claim_rules),
    good("compared values", compared_values),
    good("providers", providers),
    good("audiences", audiences),
    good("long strings", long_strings),
    good("escaped strings", escaped_strings),
    good("resources", resources),
    good("resources of all routes", resources_of_all_routes),
    good("escaped resources", escaped_resources),
    good("CORS origins", origins),
    good("CORS of routes", cors_of_routes),
    good("CORS headers", cors_headers),
    good("inline secrets", keys::inline_secrets),
    good("inline secrets as text", keys::inline_secrets_as_text),
    good("inline members", keys::inline_members),
    good("inline members as text", keys::inline_members_as_text),
    good("inline RSA", keys::inline_rsa),
    good("inline RSA as text", keys::inline_rsa_as_text),
    good("inline Ed25519 as text", keys::inline_ed25519_as_text),
    good("inline P-256 as text", keys::inline_p256_as_text),
    good("fast keys and long paths", keys::fast_keys_and_long_paths),
    good("white space", white_space),
    refused("unknown members", bad::unknown_members),
    refused("duplicate members", bad::duplicate_members),
    refused("numbers", bad::numbers),
    refused("empty lists", bad::empty_lists),
    refused("deep lists", bad::deep_lists),
    refused("texts for routes", bad::texts_for_routes),
    refused("routes of errors", bad::routes_of_errors),
    refused("clashing routes", bad::clashing_routes),
    refused("inline numbers", keys::inline_numbers),
    refused("inline text of numbers", keys::inline_text_of_numbers),
    refused("inline text of objects", keys::inline_text_of_objects),
    refused("inline objects", keys::inline_objects),
    refused("never closed", bad::never_closed),
];

/// A provider whose keys are fetched from a cluster `issuer`.
const PROVIDER: &str = r#"{"name":"main","issuer":"https://issuer.example.com","audiences":["api"],"jwks":{"cluster":"issuer"}}"#;
/// A route that shows whether a configuration is active.
const IN_FORCE: &str = r#"{"match":"GET /in-force","access":"public"}"#;

/// As many pieces as fit into this many bytes, at least one, separated by commas.
fn list(size: usize, most: usize, piece: impl Fn(usize, &mut String)) -> String {
    let mut list = String::new();
    for number in 0..most {
        if number > 0 {
            if list.len() >= size {
                break;
            }
            list.push(',');
        }
        piece(number, &mut list);
    }
    list
}

/// Routes in addition to the one that is always present.
fn with_routes(routes: &str) -> String {
    let comma = if routes.is_empty() { "" } else { "," };
    format!(r#"{{"providers":[{PROVIDER}],"routes":[{IN_FORCE}{comma}{routes}]}}"#)
}

/// A whole member in addition to the others.
fn with_member(member: &str) -> String {
    format!(r#"{{"providers":[{PROVIDER}],"routes":[{IN_FORCE}],{member}}}"#)
}

/// Additional members of the provider.
fn with_provider(members: &str) -> String {
    format!(
        r#"{{"providers":[{{"name":"main","issuer":"https://issuer.example.com",{members}}}],"routes":[{IN_FORCE}]}}"#
    )
}

const MAX_ROUTES: usize = 49_999;
/// The limit is 4 MiB, and each document has a hundred bytes more than what is written.
const MAX_METADATA: usize = 3 * 1024 * 1024;

/// Resources with everything that one can have.
pub(crate) fn resources(size: usize) -> String {
    let resources = list(size.min(MAX_METADATA), 1_000, |number, text| {
        let scopes = list(size / 4_000, 1_000, |scope, text| {
            write!(text, r#""s{number}.{scope}""#).unwrap();
        });
        write!(
            text,
            r#"{{"resource":"https://api.example.com/{number}","name":"\"{number}\"","providers":["main"],"scopes":[{scopes}],"advertise":{{"s{number}.0":"api://{number}"}}}}"#
        )
        .unwrap();
    });
    with_member(&format!(r#""resources":[{resources}]"#))
}

/// The same, where the name of the member is written with escapes.
pub(crate) fn escaped_resources(size: usize) -> String {
    resources(size).replacen("\"resources\"", "\"\\u0072esources\"", 1)
}

/// As many resources as their metadata allow, each with the scopes of all routes.
pub(crate) fn resources_of_all_routes(size: usize) -> String {
    let routes = list(size, MAX_ROUTES, |number, text| {
        write!(
            text,
            r#"{{"match":"GET /{number}/x","scopes":["{number}"]}}"#
        )
        .unwrap();
    });
    let scopes = routes.matches("scopes").count();
    let count = (MAX_METADATA / (8 * scopes + 200)).clamp(1, 1_000);
    let resources = list(usize::MAX, count, |number, text| {
        write!(text, r#"{{"resource":"https://h{number}.example.com"}}"#).unwrap();
    });
    format!(
        r#"{{"providers":[{PROVIDER}],"routes":[{IN_FORCE},{routes}],"resources":[{resources}]}}"#
    )
}

/// Like 40,000 routes of a large service: see `tests/memory.rs`.
pub(crate) fn ordinary_routes(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let group = number % 97;
        let _ = write!(
            text,
            r#"{{"match":"GET /service-{group}/items/{{id}}/part-{number}","scopes":["read"]}}"#
        );
    }))
}

fn short_routes(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let _ = write!(text, r#"{{"match":"GET /{number:x}"}}"#);
    }))
}

/// Paths of 256 segments, which share almost none.
pub(crate) fn long_paths(size: usize) -> String {
    // A million segments at most.
    with_routes(&list(size, 3_900, |number, text| {
        let _ = write!(text, r#"{{"match":"GET /{number}"#);
        for _ in 1..256 {
            let _ = write!(text, "/{}", number % 10);
        }
        text.push_str(r#""}"#);
    }))
}

fn patterns(size: usize) -> String {
    let patterns = list(size, 400_000, |number, text| {
        let _ = write!(text, r#""GET /{number:x}""#);
    });
    with_routes(&format!(r#"{{"match":[{patterns}]}}"#))
}

fn variables(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let _ = write!(
            text,
            r#"{{"match":["GET /{number}/{{a}}/{{b}}/{{c}}","PUT /{number}/{{a}}/{{b}}/{{rest+}}"],"claims":{{"sub":"{{a}}"}}}}"#
        );
    }))
}

fn hosts(size: usize) -> String {
    with_routes(&list(size, 20_000, |number, text| {
        let _ = write!(
            text,
            r#"{{"match":"GET /a","hosts":["h{number}.example.com","*.h{number}.example.com"]}}"#
        );
    }))
}

/// A route for each tool.
fn mcp_tools(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let _ = write!(
            text,
            r#"{{"match":"POST /mcp","mcp":{{"method":"tools/call","name":["t{number:x}"]}}}}"#
        );
    }))
}

fn mcp_names(size: usize) -> String {
    let names = list(size, 499_000, |number, text| {
        let _ = write!(text, r#""n{number:x}",{{"prefix":"p{number:x}"}}"#);
    });
    with_routes(&format!(
        r#"{{"match":"POST /mcp","mcp":{{"method":"a","name":[{names}]}}}}"#
    ))
}

/// As many conditions as a configuration may have, from a text that is as short as
/// possible.
fn mcp_names_of_patterns(size: usize) -> String {
    let patterns = list(size / 3, 98, |number, text| {
        let _ = write!(text, r#""POST /{number}""#);
    });
    let names = list(size / 3, 98, |number, text| {
        let _ = write!(text, r#""{number}""#);
    });
    // Each host is a group of its own.
    let hosts = list(size / 3, 98, |number, text| {
        let _ = write!(text, r#""h{number}""#);
    });
    let own = list(size / 3, 98, |number, text| {
        let _ = write!(text, r#"{{"match":"GET /","hosts":["h{number}"]}}"#);
    });
    with_routes(&format!(
        r#"{{"match":[{patterns}],"hosts":[{hosts}],"mcp":{{"method":"a","name":[{names}]}}}},{own}"#
    ))
}

fn scopes(size: usize) -> String {
    let scopes = list(size, usize::MAX, |number, text| {
        let _ = write!(text, r#""s{number:x}""#);
    });
    with_routes(&format!(r#"{{"match":"GET /a","scopes":[{scopes}]}}"#))
}

fn claim_rules(size: usize) -> String {
    let claims = list(size, usize::MAX, |number, text| {
        let _ = write!(text, r#""c{number:x}.a.b.c.d.e.f":"x""#);
    });
    with_routes(&format!(r#"{{"match":"GET /a","claims":{{{claims}}}}}"#))
}

fn compared_values(size: usize) -> String {
    let values = list(size, usize::MAX, |number, text| {
        let _ = write!(
            text,
            r#""{number}","x{number:x}",{{"prefix":"p{number}:"}},"{{header.x-{number}}}""#
        );
    });
    with_routes(&format!(
        r#"{{"match":"GET /a","claims":{{"a.b.c":{{"any_of":[{values}]}}}}}}"#
    ))
}

/// A thousand providers at most, each as long as necessary.
pub(crate) fn providers(size: usize) -> String {
    let each = (size / 1_000).saturating_sub(200);
    let providers = list(size, 1_000, |number, text| {
        let audiences = list(each, usize::MAX, |audience, text| {
            let _ = write!(text, r#""a{audience:x}""#);
        });
        let comma = if audiences.is_empty() { "" } else { "," };
        let _ = write!(
            text,
            r#"{{"name":"p{number}","issuer":"https://issuer-{number}.example.com/t","audiences":["api"{comma}{audiences}],"jwks":{{"cluster":"issuer","uri":"https://keys.example.com/{number}"}}}}"#
        );
    });
    format!(r#"{{"providers":[{providers}],"routes":[{IN_FORCE}]}}"#)
}

fn audiences(size: usize) -> String {
    let audiences = list(size, usize::MAX, |number, text| {
        let _ = write!(text, r#""{number:x}""#);
    });
    with_provider(&format!(
        r#""audiences":[{audiences}],"jwks":{{"cluster":"issuer"}}"#
    ))
}

fn long_strings(size: usize) -> String {
    let long = "x".repeat(size / 2);
    with_provider(&format!(
        r#""audiences":["1{long}","2{long}"],"jwks":{{"cluster":"issuer"}}"#
    ))
}

fn escaped_strings(size: usize) -> String {
    let long = r"\u0061".repeat(size / 24);
    let short = list(size / 2, usize::MAX, |number, text| {
        let _ = write!(text, r#""\u0061{number:x}""#);
    });
    with_provider(&format!(
        r#""audiences":["1{long}","2{long}",{short}],"jwks":{{"cluster":"issuer"}}"#
    ))
}

/// The lists of `cors`, as long as necessary.
pub(crate) fn origins(size: usize) -> String {
    let origins = list(size, usize::MAX, |number, text| {
        let _ = write!(
            text,
            r#""https://h{number:x}.app.example.com","https://*.w{number:x}.example.com","http://l{number:x}.test:*""#
        );
    });
    with_member(&format!(r#""cors":{{"allow_origins":[{origins}]}}"#))
}

fn cors_of_routes(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let _ = write!(
            text,
            r#"{{"match":"GET /{number}","cors":{{"allow_origins":["https://a{number}.example.com"],"allow_headers":["x-{number}"],"max_age":"{number}s"}}}}"#
        );
    }))
}

fn cors_headers(size: usize) -> String {
    let headers = list(size, usize::MAX, |number, text| {
        let _ = write!(text, r#""x-{number:x}""#);
    });
    with_member(&format!(
        r#""cors":{{"allow_origins":["https://app.example.com"],"allow_headers":[{headers}]}}"#
    ))
}

fn white_space(size: usize) -> String {
    with_routes("") + &" ".repeat(size)
}
