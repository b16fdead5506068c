//! The differences from the case files that a proxy makes unavoidable: `differences.yaml`.
//!
//! No entry excuses a request that reaches the upstream although the core refuses it, nor an
//! identity header that differs from the core's.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use edge_authz_cli::cases::Difference;
use serde::Deserialize;

use crate::proxies::Kind;
use crate::support::tools;

/// What differs, where and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The proxies.
    proxies: Vec<String>,
    /// Texts; one of them occurs in `FILE: CASE (ROW)`. A text that begins with `=` is the
    /// whole.
    cases: Vec<String>,
    /// The only version of HTTP; absent: both.
    http: Option<u8>,
    /// What may differ, such as `status`; a text that ends with `*` is a beginning.
    differs: Vec<String>,
    /// Why the proxy cannot do otherwise.
    because: String,
}

/// All entries.
pub(crate) struct Differences {
    entries: Vec<Entry>,
    used: Mutex<BTreeSet<usize>>,
}

impl Differences {
    pub(crate) fn read() -> Self {
        let path = tools::root().join("tests/forward_auth/differences.yaml");
        let text = fs::read_to_string(path).expect("the differences");
        let entries: Vec<Entry> = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        for entry in &entries {
            let known = |name: &String| Kind::ALL.iter().any(|kind| kind.name() == name);
            assert!(entry.proxies.iter().all(known), "{entry:?}");
            assert!(entry.because.len() > 10, "{entry:?}");
        }
        Self {
            entries,
            used: Mutex::default(),
        }
    }

    /// The differences that no entry explains.
    pub(crate) fn unexplained(
        &self,
        kind: Kind,
        case: &str,
        http: u8,
        found: Vec<Difference>,
    ) -> Vec<Difference> {
        let mut rest = found;
        for (index, entry) in self.entries.iter().enumerate() {
            if !entry.is_about(kind, case, http) {
                continue;
            }
            let before = rest.len();
            rest.retain(|difference| !entry.allows(&difference.what));
            if rest.len() < before {
                self.used.lock().unwrap().insert(index);
            }
        }
        rest
    }

    /// Fails the test if an entry explains nothing.
    pub(crate) fn assert_all_used(&self) {
        let used = self.used.lock().unwrap();
        let unused = (0..self.entries.len()).filter(|index| !used.contains(index));
        let unused: Vec<&Entry> = unused.map(|index| &self.entries[index]).collect();
        assert!(unused.is_empty(), "nothing differs any more: {unused:#?}");
    }
}

impl Entry {
    fn is_about(&self, kind: Kind, case: &str, http: u8) -> bool {
        self.proxies.iter().any(|name| name == kind.name())
            && self.http.is_none_or(|only| only == http)
            && self.cases.iter().any(|text| match text.strip_prefix('=') {
                Some(whole) => case == whole,
                None => case.contains(text.as_str()),
            })
    }

    fn allows(&self, what: &str) -> bool {
        self.differs
            .iter()
            .any(|text| match text.strip_suffix('*') {
                Some(beginning) => what.starts_with(beginning),
                None => what == text,
            })
    }
}
