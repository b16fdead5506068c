//! The codes of findings, and what each one means.
//!
//! A finding gets its code where it is made. The list here is the only one:
//! `explain-error`, SARIF and the other formats use it.

use edge_authz::config::ProblemCode;

/// Defines the codes, each with its identifier, title and explanation.
macro_rules! codes {
    ($($name:ident $id:literal $title:literal $text:literal;)+) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            /// All codes in their order.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The identifier, such as `EA101`.
            pub(crate) const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }

            /// What it is, in a few words.
            pub(crate) const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }

            /// What it means and what to do.
            pub(crate) const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    Value "EA000" "A value is not valid"
        "The message says what is wrong, where, and what to write instead.";
    Syntax "EA001" "The file is not YAML or JSON"
        "The file cannot be read. Frequent causes: a tab in the indentation, `*` or `{id}` without quotes inside `{…}` or `[…]`, and a text that begins with `@` or `%`. Quote such texts: \"GET /pets/{id}\", \"*\".";
    Unknown "EA002" "A member is unknown"
        "The configuration has a member that does not exist. It is refused, because a misspelt rule would otherwise not be applied. The message names a similar member, or all members that are possible there.";
    Missing "EA003" "A member is missing"
        "A required member is absent. The message says what to write.";
    Type "EA004" "A value has the wrong type"
        "YAML gives some words a type: `off` is false, `0123` is 83, and `10` is a number. Where text is expected, quote it. Durations have a unit: `30s`, `10m`.";
    Twice "EA005" "Something is written twice"
        "Of two members with one name only one could count, and readers disagree about which. Remove one.";
    Contradiction "EA006" "Two members contradict each other"
        "A member is without effect beside another one, such as `scopes` on a public route. It is refused, because somebody expects it to have an effect.";
    Clash "EA007" "Two routes match the same requests"
        "Routes have no order, so it is not defined which of the two rules applies. The names of variables make no difference: `/pets/{id}` and `/pets/{name}` are equal. Change or remove one of them.";
    Pattern "EA008" "A pattern is not valid"
        "A pattern is a method, one space and a path, as in `GET /pets/{id}`. `ANY` stands for every method, `{name}` for one segment, `{name+}` at the end for one or more.";
    Placeholder "EA009" "A rule names a variable that its pattern lacks"
        "`{id}` in a claim rule stands for a variable of the path, which every pattern of the route must have.";
    NoSuchName "EA010" "A name does not exist"
        "A route names a provider that the document does not define.";
    NoFilter "EA011" "The filter cannot be found in the file"
        "The filter is recognised by `edge_authz` in the name of the plugin, its `root_id`, `vm_id`, file or image, or by a configuration with `routes`.";
    Header "EA012" "A header or a place of tokens cannot be used"
        "Some headers belong to the connection, to the proxy or to the filter itself, and others could be forged. Choose another name, such as `x-user-id`. Two places of tokens must not read the same header.";
    Key "EA013" "A key or an algorithm cannot be used"
        "Algorithms are those of the issuer's keys, such as `RS256` or `ES256`. Inline keys are a JWK Set with public keys of these algorithms.";
    Address "EA014" "A URL or a host is not valid"
        "Issuers, key sets, resources and origins are absolute URLs, and hosts are names without a scheme. The message says which part is wrong.";
    Limit "EA015" "A limit is exceeded"
        "The limits keep the memory and the time of a request bounded. `docs/configuration.md` lists them.";
    WeakerFirst "EA101" "A weaker route comes before a stricter one"
        "Two patterns overlap and neither contains the other. For the requests of both, the precedence chooses the weaker route: literal segments come before variables, from the left, and patterns without `{name+}` before those with it. Add a route for these requests.";
    WeakDefault "EA102" "`$default` is weaker than the other routes"
        "Paths that the API adds later fall to `$default`. Protect it, and list the public paths.";
    NotCovered "EA103" "A path is not covered"
        "`/x/{proxy+}` does not match `/x` itself. Add it to the route's `match`.";
    RepeatedBase "EA104" "A pattern repeats the base"
        "`paths.base` is cut off before a path is matched, so patterns are written without it.";
    UnknownMethod "EA105" "A method that no client sends"
        "The method is probably misspelt. Its requests match another route.";
    ReportOnly "EA106" "Refusals are only reported"
        "With `mode: report`, requests that would be refused pass. Write `enforce` when the metrics show that no good request is refused.";
    McpCondition "EA107" "A condition that no client meets"
        "Clients of the Model Context Protocol send methods in lower case, and a name only with `tools/call`, `resources/read` and `prompts/get`. The route matches no request.";
    ManyOverlaps "EA108" "Not all overlaps were compared"
        "Many patterns have variables at the same places, so a weaker route before a stricter one may not be seen. Write fewer such patterns.";
    EveryAudience "EA201" "Every audience is accepted"
        "With `audiences: any`, a token that the issuer made for another service is accepted. List the audiences of your API.";
    SharedKey "EA202" "A shared key"
        "With `HS256` and its relatives, everybody who can read the configuration can make tokens. Use a key pair.";
    KeysWithoutTls "EA203" "Keys are fetched without TLS"
        "An attacker on the network path can send other keys, and so make valid tokens. Fetch keys over https, from a cluster that verifies the certificate.";
    WeakTls "EA204" "The issuer's certificate is not checked completely"
        "The cluster of the keys needs a server name (SNI), trusted authorities and the name that the certificate must have.";
    IssuerOfNoToken "EA205" "An issuer that no token has"
        "The issuer is compared with `iss` character by character. It is the issuer itself, not the address of its metadata, and without a slash at the end for Cognito.";
    Binding "EA206" "The binding of tokens"
        "A token with `cnf` is bound to a key or certificate of its holder. With `binding: ignore`, anybody who has it can use it. Proofs of possession are accepted only with `dpop`, and only in `Authorization`.";
    ImpossibleScope "EA207" "A scope allows nothing"
        "The scope is required and forbidden at the same time.";
    SimilarScope "EA208" "A scope is probably misspelt"
        "The scope occurs once and differs from another one in a letter.";
    Asterisk "EA209" "`*` stands for itself"
        "Claims are compared as they are. Write `{prefix: …}` for the beginning of a value.";
    UnevenRevocation "EA210" "A revocation list that does not apply to every token"
        "Two providers accept the same tokens, but only one has the list. A token that it names may be accepted through the other provider.";
    UselessMetadata "EA211" "Metadata that do not help clients"
        "The metadata of a resource name issuers and scopes. Clients need at least one issuer, and scopes that a route requires.";
    OpenToPages "EA301" "Pages of other sites can read responses"
        "A wildcard in `allow_origins` matches pages that strangers may publish.";
    TokenNotSent "EA302" "Browsers cannot send the token"
        "For a request with `Authorization`, a browser first asks whether the header is allowed. Write `allow_headers: [Authorization]`. A cookie is sent only with `allow_credentials: true`.";
    MethodNotAllowed "EA303" "Browsers cannot send a method of the routes"
        "`allow_methods` lists the methods that pages of other origins may use. Without it, these are the methods of the path's routes.";
    Cors "EA304" "Wrong CORS settings"
        "The message says which entry of `cors` cannot work in a browser.";
    Bypass "EA401" "Requests can pass unchecked"
        "The setting lets requests pass while the filter is absent or has failed. Use `FAIL_RELOAD`, a local file for the dynamic module, and a public route instead of a disabled filter.";
    NoSuchResource "EA402" "A cluster or resource does not exist"
        "Keys cannot be fetched, and tokens are answered 503. Names and ports must be the same in all resources. `edge-authz check FOLDER` compares the files of a folder, and `edge-authz render` writes resources that fit.";
    Unreachable "EA403" "Keys cannot be fetched in every network"
        "`dns_lookup_family` chooses addresses that some networks cannot reach. Write `ALL` with `type: LOGICAL_DNS`: Envoy then tries IPv4 and IPv6.";
    NotFirst "EA404" "The filter is not first"
        "Without `phase: AUTHN`, other filters see requests before they are checked.";
    TwoReadings "EA405" "A path has two readings"
        "Proxy, filter and upstream must read a path in the same way. Refuse encoded slashes.";
    NoModule "EA406" "The module is missing"
        "The proxy refuses the configuration if it cannot load the module.";
    NotImported "EA501" "The source cannot be imported"
        "The import writes nothing if it does not understand a part of the source, because that part could restrict access. The message says what to change, or which other file to import.";
    ValueNeeded "EA502" "The source does not contain a value"
        "Some values are known only after a deployment, such as the ID of a user pool. `--param NAME=VALUE` gives them; the message has the name.";
    CaseFile "EA601" "A case file cannot be played"
        "The message says which part of the case file is wrong. `docs/case-files.md` describes the format.";
}

impl Code {
    /// The code with an identifier, in any letter case.
    pub(crate) fn named(id: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.id().eq_ignore_ascii_case(id))
    }
}

impl From<ProblemCode> for Code {
    fn from(code: ProblemCode) -> Self {
        match code {
            ProblemCode::Syntax => Self::Syntax,
            ProblemCode::Unknown => Self::Unknown,
            ProblemCode::Missing => Self::Missing,
            ProblemCode::Type => Self::Type,
            ProblemCode::Twice => Self::Twice,
            ProblemCode::Contradiction => Self::Contradiction,
            ProblemCode::Clash => Self::Clash,
            ProblemCode::Pattern => Self::Pattern,
            ProblemCode::Placeholder => Self::Placeholder,
            ProblemCode::NoSuchName => Self::NoSuchName,
            ProblemCode::Header => Self::Header,
            ProblemCode::Key => Self::Key,
            ProblemCode::Address => Self::Address,
            ProblemCode::Cors => Self::Cors,
            ProblemCode::Limit => Self::Limit,
            ProblemCode::Value => Self::Value,
        }
    }
}
