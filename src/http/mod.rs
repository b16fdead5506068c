//! The parts of a request as the proxy passes it on, in a form that is safe to
//! judge: header fields as bytes, the path in its normal form, hosts, the
//! patterns of routes, and the filter's own responses.
//!
//! This module does not know tokens, which route applies, or the proxy's calls,
//! and it never assumes that a field is UTF-8.

mod edit;
mod head;
mod headers;
mod host;
mod lengths;
mod mcp;
mod method;
mod name;
pub mod pairs;
pub mod path;
mod reply;
mod single;
mod text;

pub use edit::{EditedName, HeaderEdit};
pub use head::RequestHead;
pub use headers::{HeaderMap, Spelling};
pub use host::{BadHost, BadHostPattern, Host, HostPattern};
pub use lengths::Lengths;
pub use mcp::{BadMcp, MAX_MCP_VALUE, McpFault, McpHeader, McpRequest};
pub use method::{BadMethod, Method, MethodPattern};
pub use name::{FoldedName, HeaderName, NotAToken, fold_together, is_same_name, is_token};
pub use path::{
    BadPath, BadPattern, BadRoutePattern, EncodedCharacter, EncodedSet, NormalPath, PathFlags,
    PathPattern, PathRules, RoutePattern,
};
pub use reply::LocalReply;
pub use text::{SafeText, is_header_value};
