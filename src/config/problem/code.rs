//! The kind of each problem, for programs and for explanations.

use super::{DocumentProblem, Problem, ProviderProblem, RouteProblem, ShapeProblem, ValueProblem};
use crate::cors::CorsProblem;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemCode {
    /// The text cannot be read.
    Syntax,
    /// A member is unknown.
    Unknown,
    /// A member is missing.
    Missing,
    /// A value has the wrong type.
    Type,
    /// Something is written twice.
    Twice,
    /// Two members contradict each other.
    Contradiction,
    /// Two routes match the same requests.
    Clash,
    /// A pattern is not valid.
    Pattern,
    /// A variable or part of the request cannot be used in a claim rule.
    Placeholder,
    /// A name does not exist.
    NoSuchName,
    /// A header or a place of tokens cannot be used.
    Header,
    /// A key or an algorithm cannot be used.
    Key,
    /// A URL, a host or an origin is not valid.
    Address,
    /// A CORS setting cannot work in a browser.
    Cors,
    /// A limit is exceeded.
    Limit,
    /// Another value that is not valid.
    Value,
}

impl Problem {
    /// What kind of problem it is.
    #[must_use]
    pub const fn code(&self) -> ProblemCode {
        match self {
            Self::Document(problem) => problem.code(),
            Self::Shape(problem) => problem.code(),
            Self::Value(problem) => problem.code(),
            Self::Provider(problem) => problem.code(),
            Self::Route(problem) => problem.code(),
            Self::Resource(_) => ProblemCode::Address,
            Self::Claim(_) => ProblemCode::Placeholder,
            Self::Header(_) => ProblemCode::Header,
            Self::Cors(problem) | Self::CorsEntry(_, problem) => of_cors(problem),
        }
    }
}

impl DocumentProblem {
    const fn code(&self) -> ProblemCode {
        match self {
            Self::Empty
            | Self::NotUtf8
            | Self::ByteOrderMark
            | Self::Syntax(_)
            | Self::TextAfterEnd => ProblemCode::Syntax,
            Self::TooLarge | Self::TooDeep => ProblemCode::Limit,
            Self::Incomplete => ProblemCode::Value,
        }
    }
}

impl ShapeProblem {
    const fn code(&self) -> ProblemCode {
        match self {
            Self::Unknown { .. } => ProblemCode::Unknown,
            Self::Duplicate | Self::Repeated { .. } => ProblemCode::Twice,
            Self::Missing { .. } => ProblemCode::Missing,
            Self::Kind { .. }
            | Self::EmptyList
            | Self::EmptyObject { .. }
            | Self::EmptyMap
            | Self::Bare { .. } => ProblemCode::Type,
            Self::ExactlyOne { .. } | Self::OnlyWith { .. } | Self::NotWith { .. } => {
                ProblemCode::Contradiction
            }
            Self::TooMany { .. } => ProblemCode::Limit,
        }
    }
}

impl ValueProblem {
    const fn code(&self) -> ProblemCode {
        match self {
            Self::UnquotedNumber(_)
            | Self::UnquotedBoolean(_)
            | Self::UnquotedBraces(_)
            | Self::NoUnit(_)
            | Self::NotADuration(_)
            | Self::Fraction(_)
            | Self::NotWholeSeconds(_) => ProblemCode::Type,
            Self::OutOfRange { .. } => ProblemCode::Limit,
            Self::EmptyText
            | Self::EmptyPrefix
            | Self::ControlCharacter(_)
            | Self::NotAChoice { .. } => ProblemCode::Value,
        }
    }
}

impl ProviderProblem {
    const fn code(&self) -> ProblemCode {
        match self {
            Self::Name(_) => ProblemCode::Value,
            Self::Uri(..)
            | Self::NotDiscoverable(..)
            | Self::IssuerQuery(_)
            | Self::ProofOrigin(..)
            | Self::Host(..)
            | Self::WildHost(_) => ProblemCode::Address,
            // As of other members of which exactly one is required.
            Self::NoCluster
            | Self::StaleBeforeRefresh { .. }
            | Self::OwnHost
            | Self::OtherHosts { .. } => ProblemCode::Contradiction,
            Self::Algorithm(_)
            | Self::AlgorithmNone
            | Self::SymmetricProof(_)
            | Self::KeySet(_)
            | Self::Key(_)
            | Self::Secret { .. } => ProblemCode::Key,
        }
    }
}

impl RouteProblem {
    const fn code(&self) -> ProblemCode {
        match self {
            Self::Pattern(..) | Self::Base(..) => ProblemCode::Pattern,
            Self::Host(..) => ProblemCode::Address,
            Self::Clash { .. } => ProblemCode::Clash,
            Self::OtherCors { .. }
            | Self::McpNotPost(_)
            | Self::NameOfSeveralMethods
            | Self::NoTokenNeeded(_) => ProblemCode::Contradiction,
            Self::LongMcpValue | Self::TooManySegments | Self::TooManyImplyingScopes => {
                ProblemCode::Limit
            }
            Self::NoSuchProvider { .. } => ProblemCode::NoSuchName,
            Self::NoProviders { .. } => ProblemCode::Missing,
            Self::Encoded(_) | Self::Scope(..) | Self::Acr(..) | Self::ScopeCircle(_) => {
                ProblemCode::Value
            }
        }
    }
}

const fn of_cors(problem: &CorsProblem) -> ProblemCode {
    match problem {
        CorsProblem::Missing => ProblemCode::Missing,
        CorsProblem::Repeats(_) => ProblemCode::Twice,
        CorsProblem::EmptyList
        | CorsProblem::Origin(_)
        | CorsProblem::AnyOriginWithCredentials
        | CorsProblem::AnyHostWithCredentials
        | CorsProblem::Method(_)
        | CorsProblem::NotAHeaderName
        | CorsProblem::AnyHeaderWithCredentials
        | CorsProblem::AnyHeaderWithToken(_)
        | CorsProblem::NotWholeSeconds
        | CorsProblem::TooLong => ProblemCode::Cors,
    }
}
