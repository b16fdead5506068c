//! A server of a test, in its own process group, which never outlives it.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Runs the program given as arguments while standard input stays open. The test process
/// holds the other end, so that even a `SIGKILL` of the test ends the program: the
/// watcher reads the end of file and kills the group.
const WHILE_INPUT_IS_OPEN: &str = r#"
    exec 3<&0
    (read -r _ <&3; kill -9 0) >/dev/null 2>&1 &
    exec "$@" 3<&- </dev/null
"#;

/// A running program whose standard output and error go to one log file.
pub(crate) struct Process {
    child: Child,
    /// Dropped after the child has ended, which ends the watcher.
    _lifeline: ChildStdin,
    log: PathBuf,
}

impl Process {
    /// Starts `command` (its program, arguments, environment and directory),
    /// with its output in `log`.
    pub(crate) fn start(command: &Command, log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        let mut guarded = Command::new("sh");
        guarded
            .args(["-c", WHILE_INPUT_IS_OPEN, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            guarded.current_dir(directory);
        }
        let mut child = guarded.spawn()?;
        let lifeline = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("no pipe to the child"))?;
        Ok(Self {
            child,
            _lifeline: lifeline,
            log: log.to_owned(),
        })
    }

    /// The program's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map_or_else(
            |error| format!("(no log: {error})"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// How the program ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until the program ends by itself, at most `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_until(limit, || self.ended())
    }

    /// Sends a signal by name, such as `TERM`, `STOP` or `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only this child: its id cannot be reused before it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `poll` every 10 ms, for `limit` at most.
pub(crate) fn wait_until<T>(limit: Duration, mut poll: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = poll() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A directory for one server's files. It is kept if the test fails.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty directory whose name starts with `name`.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = super::tools::root()
            .join("target/harness")
            .join(format!("{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory below target/");
        Self(path)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it and returns the path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        self.write_bytes(name, content.as_bytes())
    }

    /// Writes a binary file in it and returns the path.
    pub(crate) fn write_bytes(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a file below target/");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
