//! The codes of findings, and what each one means.
//!
//! A finding has the code of the first entry that has a part of its message. Every finding
//! has one: the last entries are general.

use super::report::{Finding, Severity};

/// A kind of finding.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// Parts of messages, one of which a finding has.
    parts: &'static [&'static str],
}

const fn code(
    id: &'static str,
    title: &'static str,
    parts: &'static [&'static str],
    text: &'static str,
) -> Code {
    Code {
        id,
        title,
        text,
        parts,
    }
}

/// All codes.
const ALL: &[Code] = &[
    code(
        "EA001",
        "The file is not YAML or JSON",
        &[
            "not YAML",
            "not JSON",
            "is indented with a tab",
            "YAML reads an unquoted `*`",
            "in YAML",
            "YAML reads unquoted braces",
        ],
        "The file cannot be read. Frequent causes: a tab in the indentation, `*` or `{id}` without quotes inside `{…}` or `[…]`, and a text that begins with `@` or `%`. Quote such texts: \"GET /pets/{id}\", \"*\".",
    ),
    code(
        "EA002",
        "A member is unknown",
        &["is unknown"],
        "The configuration has a member that does not exist. It is refused, because a misspelt rule would otherwise not be applied. The message names a similar member, or all members that are possible there.",
    ),
    code(
        "EA003",
        "A member is missing",
        &["is missing", "has none of"],
        "A required member is absent. The message says what to write.",
    ),
    code(
        "EA004",
        "A value has the wrong type",
        &[
            "not text",
            "not a list",
            "must be a list",
            ", not an object",
            ", not a ",
            "has no value",
            "not a duration",
            "without a unit",
            "is not allowed here",
            "out of range",
            "has a fraction",
        ],
        "YAML gives some words a type: `off` is false, `0123` is 83, and `10` is a number. Where text is expected, quote it. Durations have a unit: `30s`, `10m`.",
    ),
    code(
        "EA005",
        "Something is written twice",
        &["is written twice", "is the same as", "repeats entry"],
        "Of two members with one name only one could count, and readers disagree about which. Remove one.",
    ),
    code(
        "EA006",
        "Two members contradict each other",
        &[
            "has no effect",
            "is not allowed on a route",
            "has both",
            "write exactly one of",
        ],
        "A member is without effect beside another one, such as `scopes` on a public route. It is refused, because somebody expects it to have an effect.",
    ),
    code(
        "EA007",
        "Two routes match the same requests",
        &["matches the same requests"],
        "Routes have no order, so it is not defined which of the two rules applies. The names of variables make no difference: `/pets/{id}` and `/pets/{name}` are equal. Change or remove one of them.",
    ),
    code(
        "EA008",
        "A pattern is not valid",
        &[
            "write a method, one space and a path",
            "write the method before the path",
            "a variable is a whole segment",
            "no request matches it",
            "a pattern has at most",
            "nothing can follow",
        ],
        "A pattern is a method, one space and a path, as in `GET /pets/{id}`. `ANY` stands for every method, `{name}` for one segment, `{name+}` at the end for one or more.",
    ),
    code(
        "EA009",
        "A rule names a variable that its pattern lacks",
        &["is not a variable of", "path variable"],
        "`{id}` in a claim rule stands for a variable of the path, which every pattern of the route must have.",
    ),
    code(
        "EA010",
        "A name does not exist",
        &["is not the name of a provider"],
        "A route names a provider that the document does not define.",
    ),
    code(
        "EA011",
        "The filter cannot be found in the file",
        &[
            "has no configuration of edge-authz",
            "exactly one configuration",
        ],
        "The filter is recognised by `edge_authz` in the name of the plugin, its `root_id`, `vm_id`, file or image, or by a configuration with `routes`.",
    ),
    code(
        "EA101",
        "A weaker route comes before a stricter one",
        &["comes before the stricter"],
        "Two patterns overlap and neither contains the other. For the requests of both, the precedence chooses the weaker route: literal segments come before variables, from the left, and patterns without `{name+}` before those with it. Add a route for these requests.",
    ),
    code(
        "EA102",
        "`$default` is weaker than the other routes",
        &[
            "paths without another route",
            "every path without another route",
        ],
        "Paths that the API adds later fall to `$default`. Protect it, and list the public paths.",
    ),
    code(
        "EA103",
        "A path is not covered",
        &["does not match `"],
        "`/x/{proxy+}` does not match `/x` itself. Add it to the route's `match`.",
    ),
    code(
        "EA104",
        "A pattern repeats the base",
        &["begins with `paths.base`"],
        "`paths.base` is cut off before a path is matched, so patterns are written without it.",
    ),
    code(
        "EA105",
        "A method that no client sends",
        &["no known client sends"],
        "The method is probably misspelt. Its requests match another route.",
    ),
    code(
        "EA106",
        "Refusals are only reported",
        &["edge_authz.reported", "mode: report", "only reported"],
        "With `mode: report`, requests that would be refused pass. Write `enforce` when the metrics show that no good request is refused.",
    ),
    code(
        "EA201",
        "Every audience is accepted",
        &["for other services"],
        "With `audiences: any`, a token that the issuer made for another service is accepted. List the audiences of your API.",
    ),
    code(
        "EA202",
        "A shared key",
        &["shared key"],
        "With `HS256` and its relatives, everybody who can read the configuration can make tokens. Use a key pair.",
    ),
    code(
        "EA203",
        "Keys are fetched without TLS",
        &[
            "fetched over http",
            "without TLS",
            "accepts every certificate",
            "is not verified",
            "does not verify the issuer",
        ],
        "Whoever controls the network path can send other keys, and so make valid tokens. Fetch keys over https, from a cluster that verifies the certificate.",
    ),
    code(
        "EA204",
        "The issuer's certificate is not checked completely",
        &[
            "any other host",
            "server name",
            "asks for the certificate",
            "which names the certificate",
            "which authorities",
            "does not say",
        ],
        "The cluster of the keys needs a server name (SNI), trusted authorities and the name that the certificate must have.",
    ),
    code(
        "EA205",
        "An issuer that no token has",
        &[
            "no token has as `iss`",
            "every token is answered 401",
            "names the region",
        ],
        "The issuer is compared with `iss` character by character. It is the issuer itself, not the address of its metadata, and without a slash at the end for Cognito.",
    ),
    code(
        "EA206",
        "The binding of tokens",
        &["cnf", "no proof of possession", "bound to its holder"],
        "A token with `cnf` is bound to a key or certificate of its holder. With `binding: ignore`, anybody who has it can \
         use it. Proofs of possession are accepted only with `dpop`, and only in `Authorization`.",
    ),
    code(
        "EA207",
        "A scope allows nothing",
        &["allows no token", "no token can pass"],
        "The scope is required and forbidden at the same time.",
    ),
    code(
        "EA208",
        "A scope is probably misspelt",
        &["resembles"],
        "The scope occurs once and differs from another one in a letter.",
    ),
    code(
        "EA209",
        "`*` stands for itself",
        &["a `*` stands for itself", "a `*` inside a name"],
        "Claims are compared as they are. Write `{prefix: …}` for the beginning of a value.",
    ),
    code(
        "EA301",
        "Pages of other sites can read responses",
        &[
            "any matching page",
            "`null` is the origin",
            "anybody can get a host",
        ],
        "A wildcard in `allow_origins` matches pages that strangers may publish.",
    ),
    code(
        "EA302",
        "Browsers cannot send the token",
        &["browsers refuse to send a token", "browsers send no cookie"],
        "For a request with `Authorization`, a browser first asks whether the header is allowed. Write `allow_headers: [Authorization]`. A cookie is sent only with `allow_credentials: true`.",
    ),
    code(
        "EA303",
        "Browsers cannot send a method of the routes",
        &["browsers refuse these requests"],
        "`allow_methods` lists the methods that pages of other origins may use. Without it, these are the methods of the path's routes.",
    ),
    code(
        "EA304",
        "Wrong CORS settings",
        &[
            "origin",
            "allow_credentials",
            "header name",
            "whole seconds",
        ],
        "The message says which entry of `cors` cannot work in a browser.",
    ),
    code(
        "EA401",
        "Requests can pass unchecked",
        &["pass unchecked"],
        "The setting lets requests pass while the filter is absent or has failed. Use `FAIL_RELOAD`, a local file for the dynamic module, and a public route instead of a disabled filter.",
    ),
    code(
        "EA402",
        "A cluster or resource does not exist",
        &[
            "no cluster of the bootstrap",
            "`ServiceEntry`",
            "no `Gateway` here",
            "no `EnvoyProxy` here",
            "is no module of the",
            "leads to port",
        ],
        "Keys cannot be fetched, and tokens are answered 503. Names and ports must be the same in all resources. `edge-authz check FOLDER` compares the files of a folder, and `edge-authz render` writes resources that fit.",
    ),
    code(
        "EA403",
        "Keys cannot be fetched in every network",
        &["IPv6"],
        "`dns_lookup_family` chooses addresses that some networks cannot reach. Write `ALL` with `type: LOGICAL_DNS`: Envoy \
         then tries IPv4 and IPv6.",
    ),
    code(
        "EA404",
        "The filter is not first",
        &["filters of Istio"],
        "Without `phase: AUTHN`, other filters see requests before they are checked.",
    ),
    code(
        "EA405",
        "A path has two readings",
        &["decodes `%2F`"],
        "Proxy, filter and upstream must read a path in the same way. Refuse encoded slashes.",
    ),
    code(
        "EA406",
        "The module is missing",
        &["names no module", "does not exist, so the proxy"],
        "The proxy refuses the configuration if it cannot load the module.",
    ),
];

/// The codes of all other findings.
const OTHER_ERROR: Code = code(
    "EA000",
    "A value is not valid",
    &[],
    "The message says what is wrong, where, and what to write instead.",
);
const OTHER_WARNING: Code = code(
    "EA100",
    "A risky setting",
    &[],
    "The message says what can happen, and what to write instead.",
);

/// The code of a finding.
pub(crate) fn of(finding: &Finding) -> &'static Code {
    let has = |code: &&Code| code.parts.iter().any(|part| finding.message.contains(part));
    let found = ALL.iter().find(has);
    found.unwrap_or(match finding.severity {
        Severity::Error => &OTHER_ERROR,
        Severity::Warning => &OTHER_WARNING,
    })
}

/// All codes in their order.
pub(crate) fn all() -> Vec<&'static Code> {
    let mut all: Vec<_> = ALL.iter().chain([&OTHER_ERROR, &OTHER_WARNING]).collect();
    all.sort_by_key(|code| code.id);
    all
}

/// The code of this name, in any letter case.
pub(crate) fn named(id: &str) -> Option<&'static Code> {
    all()
        .into_iter()
        .find(|code| code.id.eq_ignore_ascii_case(id))
}
