//! The page on which users sign in at the issuer, and the requests for it.

use crate::support::server::Answer;

/// The only accepted method of PKCE challenges: the other one, `plain`, protects from less.
pub(crate) const METHOD: &str = "S256";

const TEMPLATE: &str = include_str!("sign-in.html");

/// The fields of a form or a query.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of a field that occurs exactly once, or else an empty text.
    pub(crate) fn one(&self, name: &str) -> &str {
        let mut values = self.0.iter().filter(|(field, _)| field == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value,
            _ => "",
        }
    }
}

/// The client that the issuer knows.
pub(crate) struct Registered {
    pub(crate) client: &'static str,
    /// The only URI to which users are sent back.
    pub(crate) redirect: String,
}

/// A request to sign a user in (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
pub(crate) struct SignIn {
    redirect: String,
    state: String,
    client: &'static str,
    pub(crate) scope: String,
    pub(crate) challenge: String,
}

/// Why a request is refused.
pub(crate) enum Refusal {
    /// The client is unknown, so nobody is sent anywhere.
    ToUser(&'static str),
    /// The client learns the error (RFC 6749 section 4.1.2.1).
    ToClient(Box<SignIn>, &'static str),
}

/// The page with the form.
pub(crate) struct Page(String);

impl SignIn {
    /// Checks a request.
    pub(crate) fn check(form: &Form, registered: &Registered) -> Result<Self, Refusal> {
        let is_known = form.one("client_id") == registered.client
            && form.one("redirect_uri") == registered.redirect;
        if !is_known {
            return Err(Refusal::ToUser("The page that sent you here is not known."));
        }
        let request = Self {
            redirect: registered.redirect.clone(),
            state: form.one("state").to_owned(),
            client: registered.client,
            scope: form.one("scope").to_owned(),
            challenge: form.one("code_challenge").to_owned(),
        };
        if form.one("response_type") != "code" {
            return Err(Refusal::ToClient(
                request.into(),
                "unsupported_response_type",
            ));
        }
        // A SHA-256 has 43 characters in base64url.
        if form.one("code_challenge_method") != METHOD || request.challenge.len() != 43 {
            return Err(Refusal::ToClient(request.into(), "invalid_request"));
        }
        Ok(request)
    }

    /// The form, with the request in hidden fields and an error of the last attempt.
    pub(crate) fn form(&self, error: &str) -> Page {
        let fields = [
            ("response_type", "code"),
            ("client_id", self.client),
            ("redirect_uri", &self.redirect),
            ("scope", &self.scope),
            ("state", &self.state),
            ("code_challenge", &self.challenge),
            ("code_challenge_method", METHOD),
        ];
        let hidden = fields.map(|(name, value)| {
            let value = escaped(value);
            format!(r#"<input type="hidden" name="{name}" value="{value}">"#)
        });
        let text = TEMPLATE.replace("{{error}}", &escaped(error));
        let text = text.replace("{{page}}", &escaped(&self.redirect));
        // The values of the client come last: what they contain is not replaced.
        Page(text.replace("{{hidden}}", &hidden.join("\n")))
    }

    /// Sends the user back with these parameters, the state and the issuer (RFC 9207).
    pub(crate) fn redirect(&self, issuer: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        query.append_pair("state", &self.state);
        query.append_pair("iss", issuer);
        let to = format!("{}?{}", self.redirect, query.finish());
        Answer::redirect(303, &to).header("referrer-policy", "no-referrer")
    }
}

impl Refusal {
    pub(crate) fn answer(self, issuer: &str) -> Answer {
        match self {
            Self::ToUser(message) => {
                Answer::new(400, message).header("content-type", "text/plain; charset=utf-8")
            }
            Self::ToClient(request, error) => request.redirect(issuer, &[("error", error)]),
        }
    }
}

impl Page {
    /// The answer with the page. No other page may show it in a frame, and its form leads
    /// only to the issuer and back to the page of this origin.
    pub(crate) fn answer(self, origin: &str) -> Answer {
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'self' {origin}"
        );
        Answer::new(200, self.0)
            .header("content-type", "text/html; charset=utf-8")
            .header("content-security-policy", &policy)
            .header("referrer-policy", "no-referrer")
    }
}

/// A text as the value of an attribute, or between tags.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
