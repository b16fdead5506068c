//! A record of counted instructions, which is kept in the repository.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The recorded costs, by scenario; none if there is no record yet.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> BTreeMap<String, T> {
    let text = std::fs::read_to_string(path).ok();
    let all = text.and_then(|text| serde_json::from_str(&text).ok());
    all.unwrap_or_default()
}

/// Replaces the record.
pub(crate) fn write<T: Serialize>(path: &Path, all: &BTreeMap<String, T>) {
    let text = serde_json::to_string_pretty(all).expect("JSON") + "\n";
    std::fs::write(path, text).expect("the record");
}

/// Whether a scenario has grown by at most this fraction. Otherwise prints the functions that
/// grew most.
pub(crate) fn is_within(
    most: f64,
    [recorded, now]: [u64; 2],
    [before, functions]: [&BTreeMap<String, u64>; 2],
) -> bool {
    let growth = now as f64 / recorded as f64 - 1.0;
    if growth <= most {
        return true;
    }
    println!("    {:.1} % more than recorded:", growth * 100.0);
    let known = |name: &str| before.get(name).copied().unwrap_or(0);
    let mut grown: Vec<(&str, u64, u64)> = functions
        .iter()
        .map(|(name, count)| (name.as_str(), known(name), *count))
        .filter(|(_, before, count)| count > before)
        .collect();
    grown.sort_by_key(|(_, before, count)| std::cmp::Reverse(count - before));
    for (name, before, count) in grown.iter().take(5) {
        println!("    {before:>9} -> {count:>9}  {name}");
    }
    false
}
