//! A Cognito-compatible issuer: `moto`'s server, driven by the AWS CLI as a
//! user of Cognito drives the real one.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{Process, Scratch, wait_until};
use super::tokens::TokenMaker;
use super::tools;

/// The region whose Cognito it plays.
pub(crate) const REGION: &str = "us-east-1";

/// Prints `kid` and private key (PKCS#8 DER) that the issuer's package holds.
const PRINT_PRIVATE_KEY: &str = "
import gzip, json, os, moto
from joserfc.jwk import RSAKey
name = 'cognitoidp/resources/jwks-private.json.gz'
key = json.load(gzip.open(os.path.join(os.path.dirname(moto.__file__), name)))
der = RSAKey.import_key(key).as_der(private=True)
print(json.dumps({'kid': key['kid'], 'der': der.hex()}))
";

/// A running issuer.
pub(crate) struct Cognito {
    process: Process,
    address: SocketAddr,
    scratch: Scratch,
}

/// A user pool with one app client.
#[derive(Clone, Debug)]
pub(crate) struct UserPool {
    pub(crate) id: String,
    pub(crate) client: String,
}

/// What a user gets who signs in.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) id: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Cognito {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        Self::start_at(0)
    }

    /// Starts it on the given port; 0 is any.
    pub(crate) fn start_at(port: u16) -> Self {
        let scratch = Scratch::new("cognito");
        let mut command = Command::new(tools::python_tool("moto_server"));
        command
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .env("HOME", scratch.path())
            .env("PYTHONUNBUFFERED", "1");
        let mut process = Process::start(&command, &scratch.path().join("log")).expect("moto runs");
        let address = wait_until(Duration::from_mins(1), || {
            if let Some(status) = process.ended() {
                panic!("moto did not start ({status}):\n{}", process.log());
            }
            let log = process.log();
            let (_, rest) = log.split_once("Running on http://")?;
            rest.split_whitespace().next()?.parse().ok()
        })
        .unwrap_or_else(|| panic!("moto is not ready:\n{}", process.log()));
        Self {
            process,
            address,
            scratch,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The AWS CLI with this issuer as its endpoint, and without the user's
    /// own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tools::python_tool("aws"));
        command
            .args(["--endpoint-url", &format!("http://{}", self.address)])
            .args(["--output", "json", "cognito-idp"])
            .args(arguments)
            .env("HOME", self.scratch.path())
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_PAGER", "")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
        command
    }

    /// Runs `aws cognito-idp …` and returns what it printed.
    #[track_caller]
    pub(crate) fn aws(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().expect("the AWS CLI runs");
        assert!(
            output.status.success(),
            "aws cognito-idp {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        if output.stdout.trim_ascii().is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Makes a user pool with an app client for passwords.
    pub(crate) fn user_pool(&self, name: &str) -> UserPool {
        let pool = self.aws(&["create-user-pool", "--pool-name", name]);
        let id = text(&pool["UserPool"]["Id"]);
        let client = self.aws(&[
            "create-user-pool-client",
            "--user-pool-id",
            &id,
            "--client-name",
            "web",
            "--explicit-auth-flows",
            "ALLOW_USER_PASSWORD_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
        ]);
        let client = text(&client["UserPoolClient"]["ClientId"]);
        UserPool { id, client }
    }

    /// Signs a user up and confirms them; returns their `sub`.
    pub(crate) fn sign_up(&self, pool: &UserPool, user: &str, password: &str) -> String {
        let signed_up = self.aws(&[
            "sign-up",
            "--client-id",
            &pool.client,
            "--username",
            user,
            "--password",
            password,
        ]);
        self.aws(&[
            "admin-confirm-sign-up",
            "--user-pool-id",
            &pool.id,
            "--username",
            user,
        ]);
        text(&signed_up["UserSub"])
    }

    /// Signs a user in.
    pub(crate) fn sign_in(&self, pool: &UserPool, user: &str, password: &str) -> Tokens {
        let result = self.aws(&[
            "initiate-auth",
            "--client-id",
            &pool.client,
            "--auth-flow",
            "USER_PASSWORD_AUTH",
            "--auth-parameters",
            &format!("USERNAME={user},PASSWORD={password}"),
        ]);
        let result = &result["AuthenticationResult"];
        Tokens {
            id: text(&result["IdToken"]),
            access: text(&result["AccessToken"]),
            refresh: text(&result["RefreshToken"]),
        }
    }

    /// The key the issuer signs with, which its package holds. With it a test
    /// makes what a real issuer would not hand out, such as a token that has
    /// expired.
    pub(crate) fn signing_key() -> TokenMaker {
        let printed = Command::new(tools::python_tool("python"))
            .args(["-c", PRINT_PRIVATE_KEY])
            .output()
            .expect("Python runs");
        let key: Value = serde_json::from_slice(&printed.stdout).expect("moto's key");
        let der: Vec<u8> = text(&key["der"])
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hex"))
            .collect();
        TokenMaker::rsa_from_der("RS256", &text(&key["kid"]), &der)
    }
}

impl UserPool {
    /// The `iss` of its tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("https://cognito-idp.{REGION}.amazonaws.com/{}", self.id)
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}
