//! How long keys may be used, in the configuration of a world.

use std::time::Duration;

/// The time settings of a provider's `jwks`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) refresh: Duration,
    pub(super) max_stale: Duration,
}

pub(super) const SETTINGS: Settings = Settings {
    timeout: Duration::from_secs(5),
    refresh: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
};

impl Settings {
    /// A configuration with one provider for each issuer.
    pub(super) fn configuration(self) -> String {
        let Self {
            timeout,
            refresh,
            max_stale,
        } = self;
        let times = format!(
            r#""timeout":"{}ms","refresh":"{}ms","max_stale":"{}ms""#,
            timeout.as_millis(),
            refresh.as_millis(),
            max_stale.as_millis()
        );
        format!(
            r#"{{"providers":[
                {{"name":"a","issuer":"https://a.example","audiences":"any",
                  "jwks":{{"cluster":"a","uri":"https://a.example/keys",{times}}}}},
                {{"name":"b","issuer":"https://b.example","audiences":"any",
                  "jwks":{{"cluster":"b","hosts":{{"keys.example":"b"}},{times}}}}}],
               "routes":[{{"match":"$default"}},{{"match":"GET /public","access":"public"}}]}}"#
        )
    }
}
