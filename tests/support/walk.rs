//! A walk through requests: each is sent, printed with its response, and compared.
#![allow(clippy::print_stdout, reason = "a demonstration prints what happens")]

use super::echo::received;
use super::http::{Request, Response};

/// One request of a walk.
pub(crate) struct Check {
    pub(crate) request: Request,
    /// A description of the credentials.
    pub(crate) with: &'static str,
    pub(crate) status: u16,
    /// Extracts the part of the response that is printed.
    shown: fn(&Response) -> String,
    /// A text that this part must contain.
    expected: String,
    pub(crate) because: &'static str,
}

impl Check {
    pub(crate) fn new(
        request: Request,
        with: &'static str,
        status: u16,
        because: &'static str,
    ) -> Self {
        Self {
            request,
            with,
            status,
            shown: refusal,
            expected: String::new(),
            because,
        }
    }

    /// Sets the printed part, and a text that it must contain.
    pub(crate) fn showing(mut self, shown: fn(&Response) -> String, expected: &str) -> Self {
        self.shown = shown;
        expected.clone_into(&mut self.expected);
        self
    }

    /// Sends the request, prints it with its response, and compares the response.
    pub(crate) fn walk(
        &self,
        number: usize,
        send: impl FnOnce(&Request) -> Response,
    ) -> Result<(), String> {
        let line = format!(
            "{} {}",
            String::from_utf8_lossy(&self.request.method),
            String::from_utf8_lossy(self.request.target.as_deref().unwrap_or_default()),
        );
        let answer = send(&self.request);
        println!("{number:>2}. {line:<18} {}", self.with);
        let shown = (self.shown)(&answer);
        println!("    {} {}", answer.status, shown.trim_end());
        println!("    because {}", self.because);
        if answer.status != self.status || !shown.contains(&self.expected) {
            return Err(format!(
                "expected {} {}, got\n{answer}",
                self.status, self.expected
            ));
        }
        Ok(())
    }
}

/// Prints variables for the shell and commands that use them, and waits forever.
pub(crate) fn keep_running(variables: &[(&str, &str)], commands: &[&str]) -> ! {
    println!("Everything runs until Ctrl-C. In another shell:\n");
    for (name, value) in variables {
        println!("{name}={value}");
    }
    println!();
    for command in commands {
        println!("{command}");
    }
    loop {
        std::thread::park();
    }
}

/// The user ID that the upstream received in `x-user-id`.
pub(crate) fn user(answer: &Response) -> String {
    let users = received(&answer.json(), "x-user-id");
    match users.as_slice() {
        [] => "the upstream sees nobody".to_owned(),
        users => format!("the upstream sees x-user-id: {}", users.join(", ")),
    }
}

pub(crate) fn body(answer: &Response) -> String {
    answer.text()
}

pub(crate) fn refusal(answer: &Response) -> String {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    format!("{} {challenge}", answer.text())
}

pub(crate) fn allowed_origin(answer: &Response) -> String {
    let origin = answer.header("access-control-allow-origin");
    format!(
        "access-control-allow-origin: {}",
        origin.unwrap_or_default()
    )
}
