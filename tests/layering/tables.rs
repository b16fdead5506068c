//! What the modules of each crate may import, from the bottom up.

/// The modules of a crate, each with the modules of the same crate that it may import.
pub(super) type Table = &'static [(&'static str, &'static [&'static str])];

pub(super) const CORE: Table = &[
    ("time", &[]),
    ("order", &[]),
    ("bytes", &[]),
    ("json", &["bytes"]),
    ("memory", &[]),
    ("crypto", &["memory"]),
    ("http", &["bytes"]),
    ("jwk", &["crypto", "json", "memory"]),
    ("jws", &["crypto", "json", "jwk"]),
    ("rules", &["bytes", "time"]),
    ("revocation", &["json", "memory", "order", "time"]),
    (
        "jwt",
        &[
            "bytes",
            "order",
            "crypto",
            "json",
            "jwk",
            "jws",
            "revocation",
            "rules",
            "time",
        ],
    ),
    ("dpop", &["bytes", "crypto", "json", "jwk", "jws", "time"]),
    ("cors", &["order", "http"]),
    ("telemetry", &["cors", "json", "jwk", "revocation"]),
    (
        "policy",
        &[
            "order",
            "cors",
            "crypto",
            "dpop",
            "http",
            "jwk",
            "jwt",
            "memory",
            "rules",
            "telemetry",
        ],
    ),
    (
        "config",
        &[
            "memory",
            "order",
            "cors",
            "crypto",
            "dpop",
            "http",
            "jwk",
            "json",
            "jwt",
            "policy",
            "rules",
            "telemetry",
        ],
    ),
    (
        "keys",
        &["http", "json", "jwk", "policy", "telemetry", "time"],
    ),
    (
        "authz",
        &[
            "bytes",
            "cors",
            "crypto",
            "dpop",
            "http",
            "jwk",
            "jwt",
            "policy",
            "revocation",
            "rules",
            "telemetry",
            "time",
        ],
    ),
    (
        "engine",
        &[
            "authz",
            "bytes",
            "cors",
            "crypto",
            "dpop",
            "http",
            "jwk",
            "jwt",
            "keys",
            "memory",
            "policy",
            "revocation",
            "telemetry",
            "time",
        ],
    ),
    (
        "host",
        &[
            "authz",
            "bytes",
            "cors",
            "crypto",
            "engine",
            "http",
            "keys",
            "policy",
            "telemetry",
            "time",
        ],
    ),
];

const MODULE: Table = &[
    ("host", &[]),
    ("memory", &[]),
    ("document", &["memory"]),
    ("port", &["host"]),
    ("listeners", &["host", "memory", "port"]),
    (
        "configuration",
        &["document", "host", "listeners", "memory"],
    ),
    ("pending", &["configuration", "host", "listeners", "memory"]),
    ("deny", &["port"]),
    ("request", &["port"]),
    (
        "root",
        &[
            "configuration",
            "deny",
            "host",
            "listeners",
            "pending",
            "port",
            "request",
        ],
    ),
];

/// What the hosts with native code share.
const NATIVE: Table = &[
    ("clock", &[]),
    ("lock", &[]),
    ("fields", &[]),
    ("collected", &["lock"]),
    ("shared", &["lock"]),
    ("signatures", &[]),
    ("proofs", &[]),
    ("effects", &[]),
    ("keeper", &["shared"]),
    ("shared_keys", &["keeper", "lock", "shared"]),
    ("seat", &["signatures"]),
];

const SERVER: Table = &[
    ("clock", &[]),
    ("edits", &[]),
    ("fields", &[]),
    ("signals", &[]),
    ("observation", &[]),
    ("files", &["observation"]),
    ("service", &["clock", "observation"]),
    ("access", &["observation", "service"]),
    ("answers", &["service"]),
    ("fetch", &["fields", "observation", "service"]),
    ("connections", &["observation", "service"]),
    ("reload", &["observation"]),
    (
        "admin",
        &["connections", "observation", "reload", "service"],
    ),
    ("ext_authz", &["access", "connections", "edits", "service"]),
    (
        "forward_auth",
        &[
            "access",
            "answers",
            "connections",
            "fields",
            "observation",
            "service",
        ],
    ),
    (
        "ext_authz_http",
        &[
            "access",
            "answers",
            "connections",
            "edits",
            "fields",
            "forward_auth",
            "service",
        ],
    ),
    (
        "front_ends",
        &["connections", "ext_authz", "ext_authz_http", "forward_auth"],
    ),
    (
        "arguments",
        &["admin", "ext_authz", "forward_auth", "front_ends"],
    ),
    (
        "run",
        &[
            "admin",
            "arguments",
            "connections",
            "fetch",
            "files",
            "front_ends",
            "observation",
            "reload",
            "service",
            "signals",
        ],
    ),
];

const DYNAMIC_MODULE: Table = &[
    ("clock", &[]),
    ("ticker", &[]),
    ("abi", &[]),
    ("port", &["abi"]),
    ("series", &[]),
    ("metrics", &["abi", "series"]),
    ("sink", &["abi", "metrics", "series"]),
    ("alarm", &["abi"]),
    ("waiting", &["alarm"]),
    ("routes", &["sink"]),
    ("document", &["alarm", "clock"]),
    (
        "listener",
        &[
            "abi", "alarm", "clock", "document", "metrics", "routes", "sink", "ticker",
        ],
    ),
    (
        "worker",
        &[
            "abi", "alarm", "clock", "document", "listener", "routes", "sink", "waiting",
        ],
    ),
    ("narrowed", &["abi", "worker"]),
    (
        "request",
        &[
            "abi", "alarm", "listener", "narrowed", "routes", "sink", "worker",
        ],
    ),
    ("hooks", &["abi", "listener", "request", "routes"]),
];

const COMMAND: Table = &[
    ("seen", &[]),
    ("outcome", &[]),
    ("cases", &["seen"]),
    ("words", &[]),
    ("source", &[]),
    ("tree", &[]),
    ("codes", &[]),
    ("report", &["codes", "source"]),
    ("subject", &["codes", "report", "source", "tree"]),
    ("patterns", &["subject", "tree"]),
    (
        "check",
        &[
            "codes", "patterns", "report", "source", "subject", "tree", "words",
        ],
    ),
    ("load", &["check", "codes", "report", "source", "subject"]),
    (
        "import",
        &["check", "codes", "report", "source", "subject", "tree"],
    ),
    ("routes", &["load", "patterns", "words"]),
    ("explain", &["load", "patterns", "words"]),
    ("inspect", &["check", "explain", "load", "seen", "source"]),
    (
        "test",
        &[
            "cases", "codes", "load", "report", "source", "subject", "tree",
        ],
    ),
    ("render", &["check", "load", "subject", "tree"]),
    ("init", &["check", "report", "source", "tree"]),
    ("arguments", &["explain", "import", "init", "render"]),
    (
        "terminal",
        &[
            "arguments",
            "check",
            "codes",
            "explain",
            "import",
            "init",
            "load",
            "outcome",
            "render",
            "report",
            "routes",
            "source",
            "test",
        ],
    ),
    (
        "command",
        &[
            "arguments",
            "check",
            "import",
            "load",
            "outcome",
            "render",
            "source",
            "terminal",
            "test",
        ],
    ),
];

const PLAYGROUND: Table = &[
    ("call", &[]),
    ("complete", &[]),
    ("outcome", &[]),
    ("providers", &[]),
    ("session", &["call", "complete", "outcome", "providers"]),
    ("abi", &["session"]),
];

/// Two modules in place of the dynamic module's, for tests.
const TRAPDOOR: Table = &[("clock", &[]), ("request", &[])];

/// The count of the module's instructions.
const INSTRUCTIONS: Table = &[
    ("tokens", &[]),
    ("counted", &[]),
    ("steps", &[]),
    ("profile", &["steps"]),
    ("host", &["counted", "profile"]),
    ("proxy", &["counted", "host", "profile"]),
    (
        "scenario",
        &["counted", "host", "profile", "proxy", "tokens"],
    ),
];

const COUNTS: Table = &[
    ("callgrind", &[]),
    ("revocations", &[]),
    ("scenario", &["revocations"]),
    ("tokens", &[]),
    ("requests", &["scenario", "tokens"]),
];

/// Each crate's folder with its modules.
pub(super) const CRATES: &[(&str, Table)] = &[
    ("", CORE),
    ("hosts/proxy-wasm", MODULE),
    ("hosts/dynamic-module", DYNAMIC_MODULE),
    ("hosts/native", NATIVE),
    ("hosts/playground", PLAYGROUND),
    ("hosts/server", SERVER),
    ("cli", COMMAND),
    ("tests/trapdoor", TRAPDOOR),
    ("tests/trapdoor-server", &[("clock", &[])]),
    ("benches/instructions", COUNTS),
    ("benches/module", INSTRUCTIONS),
];
