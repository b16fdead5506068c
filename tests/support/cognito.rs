//! A Cognito-compatible issuer: `moto`'s server, used through the AWS CLI like the real
//! Cognito.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{Process, Scratch, wait_until};
use super::tokens::TokenMaker;
use super::tools;

/// The region of the emulated Cognito.
pub(crate) const REGION: &str = "us-east-1";

/// Prints the `kid` and the private key (PKCS#8 DER) in the issuer's package.
const PRINT_PRIVATE_KEY: &str = "
import gzip, json, os, moto
from joserfc.jwk import RSAKey
name = 'cognitoidp/resources/jwks-private.json.gz'
key = json.load(gzip.open(os.path.join(os.path.dirname(moto.__file__), name)))
der = RSAKey.import_key(key).as_der(private=True)
print(json.dumps({'kid': key['kid'], 'der': der.hex()}))
";

/// Makes a certificate authority and a certificate for 127.0.0.1 and the given name, in
/// the current directory.
const MAKE_CERTIFICATE: &str = "
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

def certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder()
        .subject_name(name(subject)).issuer_name(name(issuer))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1)))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(issuer_key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)

authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
names = x509.SubjectAlternativeName([
    x509.DNSName(sys.argv[1]), x509.IPAddress(ipaddress.ip_address('127.0.0.1'))])
identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
open('authority.pem', 'wb').write(certificate(
    'demo authority', authority_key, 'demo authority', authority_key,
    (x509.BasicConstraints(ca=True, path_length=0), True), (usage, True),
    (x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), False)))
open('server.pem', 'wb').write(certificate(
    sys.argv[1], server_key, 'demo authority', authority_key,
    (names, False), (identifier, False)))
open('server.key', 'wb').write(server_key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption()))
";

/// A running issuer.
pub(crate) struct Cognito {
    process: Process,
    address: SocketAddr,
    scratch: Scratch,
    /// The certificate authority of the server's certificate, if it has one.
    authority: Option<PathBuf>,
    commands: RefCell<Vec<String>>,
}

/// A user pool with one app client.
#[derive(Clone, Debug)]
pub(crate) struct UserPool {
    pub(crate) id: String,
    pub(crate) client: String,
}

/// The result of a sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) id: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Cognito {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        Self::launch(Scratch::new("cognito"), None)
    }

    /// Starts it on a free port with a certificate for the names of AWS.
    pub(crate) fn start_with_tls() -> Self {
        let scratch = Scratch::new("cognito");
        let made = Command::new(tools::python_tool("python"))
            .args(["-c", MAKE_CERTIFICATE])
            .arg(format!("cognito-idp.{REGION}.amazonaws.com"))
            .current_dir(scratch.path())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "a certificate");
        let authority = scratch.path().join("authority.pem");
        Self::launch(scratch, Some(authority))
    }

    fn launch(scratch: Scratch, authority: Option<PathBuf>) -> Self {
        let mut command = Command::new(tools::python_tool("moto_server"));
        if authority.is_some() {
            command
                .arg("--ssl-cert")
                .arg(scratch.path().join("server.pem"))
                .arg("--ssl-key")
                .arg(scratch.path().join("server.key"));
        }
        command
            .args(["--host", "127.0.0.1", "--port", "0"])
            .env("HOME", scratch.path())
            .env("PYTHONUNBUFFERED", "1");
        let mut process = Process::start(&command, &scratch.path().join("log")).expect("moto runs");
        let address = wait_until(Duration::from_mins(1), || {
            if let Some(status) = process.ended() {
                panic!("moto did not start ({status}):\n{}", process.log());
            }
            let log = process.log();
            let (_, rest) = log.split_once("Running on http")?;
            let (_, rest) = rest.split_once("://")?;
            rest.split_whitespace().next()?.parse().ok()
        })
        .unwrap_or_else(|| panic!("moto is not ready:\n{}", process.log()));
        Self {
            process,
            address,
            scratch,
            authority,
            commands: RefCell::default(),
        }
    }

    /// The certificate authority to trust, if it uses TLS.
    pub(crate) fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// The commands of the AWS CLI so far, as a user would type them.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.borrow().clone()
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The AWS CLI with this issuer as its endpoint, and without the user's
    /// own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tools::python_tool("aws"));
        let scheme = match &self.authority {
            Some(authority) => {
                command.env("AWS_CA_BUNDLE", authority);
                "https"
            }
            None => "http",
        };
        command
            .args(["--endpoint-url", &format!("{scheme}://{}", self.address)])
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

    /// Runs `aws cognito-idp …` and returns its output.
    #[track_caller]
    pub(crate) fn aws(&self, arguments: &[&str]) -> Value {
        let typed = format!("aws cognito-idp {}", arguments.join(" "));
        self.commands.borrow_mut().push(typed);
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

    /// The issuer's signing key, which its package contains. With it a test makes tokens
    /// that a real issuer would not issue, such as an expired one.
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
