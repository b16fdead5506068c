//! `edge-authz routes`: who may call what.

use std::io::Write;

use serde_json::{Value, json};

use super::load::Loaded;
use super::patterns::{Written, written};
use super::words;
use edge_authz::policy::routes::{McpCondition, McpName};
use edge_authz::policy::{Access, Mode, Route};

/// The table: one row for each pattern, in the order of the file.
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    pattern: String,
    hosts: Vec<String>,
    mcp: Option<McpCondition>,
    mode: &'static str,
    access: &'static str,
    who: String,
    needs: Vec<String>,
    cors: bool,
}

impl Table {
    /// The table of a configuration.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let policy = &loaded.policy;
        let row = |written: Written| {
            let route = policy.route(written.place.route)?;
            Some(Row {
                pattern: written.text,
                hosts: written.host_texts,
                mcp: written.mcp,
                mode: mode(route),
                access: access(route),
                who: words::who(policy, route),
                needs: words::needs(route),
                cors: route.cors.is_some(),
            })
        };
        let rows = written(policy, &loaded.subject);
        Self {
            rows: rows.into_iter().filter_map(row).collect(),
        }
    }

    /// Writes the table with aligned columns; empty columns are left out.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub(crate) fn show(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let columns = ["ROUTE", "MCP", "HOSTS", "WHO", "NEEDS", "MODE", "CORS"];
        let mut rows = vec![columns.map(str::to_owned)];
        rows.extend(self.rows.iter().map(|row| {
            [
                row.pattern.clone(),
                row.mcp.as_ref().map(words::mcp).unwrap_or_default(),
                row.hosts.join(", "),
                row.who.clone(),
                row.needs.join("; "),
                if row.mode == REPORT { REPORT } else { "" }.to_owned(),
                if row.cors { "yes" } else { "" }.to_owned(),
            ]
        }));
        let width = |column: usize| {
            let texts = rows.iter().skip(1).filter_map(|row| row.get(column));
            match texts.map(|text| text.chars().count()).max() {
                None | Some(0) => None,
                Some(width) => Some(width.max(5)),
            }
        };
        let widths: Vec<_> = (0..7).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths);
            let cells = cells.filter_map(|(text, width)| Some((text, (*width)?)));
            let cells: Vec<_> = cells
                .map(|(text, width)| format!("{text:width$}"))
                .collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// The same, for other programs.
    pub(crate) fn to_json(&self) -> Value {
        let row = |row: &Row| {
            let mut members = json!({
                "match": row.pattern,
                "hosts": row.hosts,
                "mode": row.mode,
                "access": row.access,
                "who": row.who,
                "needs": row.needs,
                "cors": row.cors,
            });
            if let (Some(members), Some(mcp)) = (members.as_object_mut(), &row.mcp) {
                members.insert("mcp".to_owned(), condition(mcp));
            }
            members
        };
        json!({"routes": self.rows.iter().map(row).collect::<Vec<_>>()})
    }
}

/// A condition as it is written.
fn condition(condition: &McpCondition) -> Value {
    let name = |name: &McpName| match name {
        McpName::Exact(name) => json!(name),
        McpName::Prefix(prefix) => json!({"prefix": prefix}),
    };
    let names: Vec<_> = condition.names.iter().map(name).collect();
    match names.as_slice() {
        [] => json!({"method": condition.methods}),
        names => json!({"method": condition.methods, "name": names}),
    }
}

const REPORT: &str = "report";

/// Whether the refusals of a route are enforced. Denied routes always refuse.
const fn mode(route: &Route) -> &'static str {
    match (route.mode, route.access) {
        (Mode::Report, Access::Public | Access::Optional | Access::Required) => REPORT,
        (Mode::Report, Access::Denied) | (Mode::Enforce, _) => "enforce",
    }
}

fn access(route: &Route) -> &'static str {
    match route.access {
        Access::Public => "public",
        Access::Optional => "optional",
        Access::Required => "required",
        Access::Denied => "denied",
    }
}
