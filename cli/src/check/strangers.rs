//! Domains below which anybody can get a host.

/// Hosting services: each gives its customers hosts below these names.
const HOSTING: [&str; 38] = [
    "amazonaws.com",
    "amplifyapp.com",
    "appspot.com",
    "azureedge.net",
    "azurestaticapps.net",
    "azurewebsites.net",
    "b-cdn.net",
    "bitbucket.io",
    "cloudapp.net",
    "cloudfront.net",
    "codesandbox.io",
    "deno.dev",
    "elasticbeanstalk.com",
    "firebaseapp.com",
    "fly.dev",
    "github.dev",
    "github.io",
    "githubpreview.dev",
    "gitlab.io",
    "gitpod.io",
    "glitch.me",
    "herokuapp.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "now.sh",
    "onrender.com",
    "pages.dev",
    "railway.app",
    "repl.co",
    "replit.dev",
    "run.app",
    "surge.sh",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
];

/// Second labels under which names of countries are registered, as in `co.uk`.
const SECOND: [&str; 7] = ["ac", "co", "com", "edu", "net", "or", "org"];

/// The domain of an origin pattern whose `*` matches hosts of strangers.
pub(super) fn is_open_to_strangers(origin: &str) -> Option<&str> {
    let (_, host) = origin.split_once("://*.")?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let lower = host.to_ascii_lowercase();
    let hosted = HOSTING.iter().any(|known| {
        let above = lower.strip_suffix(known);
        above.is_some_and(|above| {
            // `*.eu-west-1.amazonaws.com` is as open as `*.amazonaws.com`, while
            // `*.shop.netlify.app` is one customer's.
            above.is_empty() || (above.ends_with('.') && has_regions(known))
        })
    });
    let registry = match lower.split('.').collect::<Vec<_>>().as_slice() {
        [top] => *top != "localhost",
        [second, country] => country.len() == 2 && SECOND.contains(second),
        _ => false,
    };
    (hosted || registry).then_some(host)
}

/// Whether the service has names of regions or services between its name and the customer's.
fn has_regions(service: &str) -> bool {
    [
        "amazonaws.com",
        "run.app",
        "appspot.com",
        "windows.net",
        "azurestaticapps.net",
    ]
    .contains(&service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_of_one_owner_is_no_risk() {
        for (origin, domain) in [
            ("https://*.example.com", None),
            ("https://*.shop.netlify.app", None),
            ("http://*.localhost:8080", None),
            ("https://app.github.io", None),
            ("https://*.github.io", Some("github.io")),
            ("https://*.com", Some("com")),
            ("https://*.co.uk:8443", Some("co.uk")),
            (
                "https://*.s3.eu-west-1.amazonaws.com",
                Some("s3.eu-west-1.amazonaws.com"),
            ),
        ] {
            assert_eq!(is_open_to_strangers(origin), domain, "{origin}");
        }
    }
}
