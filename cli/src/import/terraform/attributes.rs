//! The attributes that an import reads, and what they are before the apply.

/// An attribute of a resource.
#[derive(Debug)]
pub(super) struct Attribute {
    /// Its name, after the names of the blocks around it.
    pub(super) path: &'static [&'static str],
    pub(super) shape: Shape,
    /// What it is, for people.
    pub(super) words: &'static str,
    /// A value of it.
    pub(super) example: &'static str,
}

/// What an attribute contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    List,
    Flag,
    /// The identifier of another resource: one of these kinds, with its attribute.
    Reference(&'static [(&'static str, &'static str)]),
    /// It matters only whether there is one. The provider chooses a harmless one.
    Present,
    /// A list which the provider chooses if the configuration does not.
    Computed,
}

impl Shape {
    /// Whether an attribute that is not configured gets a value that restricts nothing.
    pub(super) const fn has_default(self) -> bool {
        matches!(self, Self::Present | Self::Computed)
    }
}

const fn attribute(
    path: &'static [&'static str],
    shape: Shape,
    words: &'static str,
    example: &'static str,
) -> Attribute {
    Attribute {
        path,
        shape,
        words,
        example,
    }
}

const HTTP_API: Shape = Shape::Reference(&[("aws_apigatewayv2_api", "id")]);
const REST_API: Shape = Shape::Reference(&[("aws_api_gateway_rest_api", "id")]);
const REST_RESOURCE: Shape = Shape::Reference(&[
    ("aws_api_gateway_resource", "id"),
    ("aws_api_gateway_rest_api", "root_resource_id"),
]);

const API_ID: Attribute = attribute(
    &["api_id"],
    HTTP_API,
    "the API",
    "aws_apigatewayv2_api.main",
);
const REST_API_ID: Attribute = attribute(
    &["rest_api_id"],
    REST_API,
    "the API",
    "aws_api_gateway_rest_api.main",
);
const RESOURCE_ID: Attribute = attribute(
    &["resource_id"],
    REST_RESOURCE,
    "the resource",
    "aws_api_gateway_resource.main",
);
const HTTP_METHOD: Attribute = attribute(&["http_method"], Shape::Text, "the method", "GET");
const SCOPES: Attribute = attribute(
    &["authorization_scopes"],
    Shape::List,
    "the scopes",
    "pets/read,pets/write",
);
const KEY: Attribute = attribute(
    &["api_key_required"],
    Shape::Flag,
    "whether an API key is required by",
    "true",
);
const BODY: Attribute = attribute(&["body"], Shape::Present, "the definition", "");

/// The attributes of each kind of resource.
pub(super) const ATTRIBUTES: &[(&str, &[Attribute])] = &[
    (
        "aws_apigatewayv2_api",
        &[
            BODY,
            attribute(&["protocol_type"], Shape::Text, "the protocol", "HTTP"),
            attribute(&["target"], Shape::Present, "the target", ""),
            attribute(&["route_key"], Shape::Text, "the route", "$default"),
            attribute(
                &["cors_configuration", "allow_origins"],
                Shape::List,
                "the allowed origins",
                "https://app.example.com",
            ),
            attribute(
                &["cors_configuration", "allow_methods"],
                Shape::List,
                "the allowed methods",
                "GET,POST",
            ),
            attribute(
                &["cors_configuration", "allow_headers"],
                Shape::List,
                "the allowed headers",
                "authorization",
            ),
            attribute(
                &["cors_configuration", "expose_headers"],
                Shape::List,
                "the exposed headers",
                "x-request-id",
            ),
            attribute(
                &["cors_configuration", "allow_credentials"],
                Shape::Flag,
                "whether credentials are allowed by",
                "true",
            ),
            attribute(
                &["cors_configuration", "max_age"],
                Shape::Text,
                "the seconds for which a preflight is valid",
                "300",
            ),
        ],
    ),
    (
        "aws_apigatewayv2_authorizer",
        &[
            API_ID,
            attribute(&["authorizer_type"], Shape::Text, "the type", "JWT"),
            attribute(
                &["identity_sources"],
                Shape::List,
                "the places of the token",
                "$request.header.Authorization",
            ),
            attribute(
                &["jwt_configuration", "issuer"],
                Shape::Text,
                "the issuer",
                "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE",
            ),
            attribute(
                &["jwt_configuration", "audience"],
                Shape::List,
                "the audiences (for a user pool, the IDs of its clients)",
                "client-1,client-2",
            ),
        ],
    ),
    (
        "aws_apigatewayv2_route",
        &[
            API_ID,
            attribute(&["route_key"], Shape::Text, "the route", "GET /pets"),
            attribute(
                &["authorization_type"],
                Shape::Text,
                "the type of authorization",
                "JWT",
            ),
            attribute(
                &["authorizer_id"],
                Shape::Reference(&[("aws_apigatewayv2_authorizer", "id")]),
                "the authorizer",
                "aws_apigatewayv2_authorizer.main",
            ),
            SCOPES,
            KEY,
        ],
    ),
    (
        "aws_api_gateway_rest_api",
        &[
            BODY,
            attribute(&["policy"], Shape::Present, "the policy", ""),
            attribute(
                &["endpoint_configuration", "types"],
                Shape::Computed,
                "the types of endpoints",
                "REGIONAL",
            ),
        ],
    ),
    ("aws_api_gateway_rest_api_policy", &[REST_API_ID]),
    (
        "aws_api_gateway_authorizer",
        &[
            REST_API_ID,
            attribute(&["type"], Shape::Text, "the type", "COGNITO_USER_POOLS"),
            attribute(
                &["provider_arns"],
                Shape::List,
                "the ARNs of the user pools",
                "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_EXAMPLE",
            ),
            attribute(
                &["identity_source"],
                Shape::Text,
                "the place of the token",
                "method.request.header.Authorization",
            ),
            attribute(
                &["identity_validation_expression"],
                Shape::Text,
                "the regular expression for the audience",
                "^client-1$",
            ),
        ],
    ),
    (
        "aws_api_gateway_resource",
        &[
            REST_API_ID,
            attribute(
                &["parent_id"],
                REST_RESOURCE,
                "the parent",
                "aws_api_gateway_resource.main",
            ),
            attribute(
                &["path_part"],
                Shape::Text,
                "the last part of the path",
                "pets",
            ),
        ],
    ),
    (
        "aws_api_gateway_method",
        &[
            REST_API_ID,
            RESOURCE_ID,
            HTTP_METHOD,
            attribute(
                &["authorization"],
                Shape::Text,
                "the type of authorization",
                "COGNITO_USER_POOLS",
            ),
            attribute(
                &["authorizer_id"],
                Shape::Reference(&[("aws_api_gateway_authorizer", "id")]),
                "the authorizer",
                "aws_api_gateway_authorizer.main",
            ),
            SCOPES,
            KEY,
        ],
    ),
    (
        "aws_api_gateway_integration",
        &[
            REST_API_ID,
            RESOURCE_ID,
            HTTP_METHOD,
            attribute(&["type"], Shape::Text, "the type", "MOCK"),
        ],
    ),
    (
        "aws_api_gateway_integration_response",
        &[REST_API_ID, RESOURCE_ID, HTTP_METHOD],
    ),
];
