//! Watches the file of the configuration.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use edge_authz::policy::Policy;
use edge_authz::telemetry::Level;
use tokio::sync::mpsc;

use super::{ConfigurationFile, Text, Updates};
use crate::observation::Log;

/// The time between two looks at the file. Reading it again costs less than a notification
/// that is lost: those of a file system do not report every replacement of a symbolic link,
/// and network file systems have none.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a new text must stay the same before it is used. A program that writes the file
/// in place may have written a part of it, and a part may be a valid configuration.
const SETTLED: Duration = Duration::from_millis(500);

/// Asks for a look at the file at once.
#[derive(Clone, Debug)]
pub struct Watcher(SyncSender<()>);

impl Watcher {
    /// Looks at the file soon, as after a SIGHUP.
    pub fn look(&self) {
        // If a look is due already, another one is not needed.
        let _ = self.0.try_send(());
    }
}

/// Watches the file in a thread of its own. Returns the policies of new texts, from which
/// only the latest should be used.
///
/// # Errors
///
/// The system cannot start a thread.
pub fn watch(
    file: ConfigurationFile,
    current: Text,
    log: Arc<Log>,
    updates: Arc<Updates>,
) -> io::Result<(Watcher, mpsc::Receiver<Policy>)> {
    let (ask, asked) = sync_channel(1);
    let (found, receiver) = mpsc::channel(1);
    let watching = Watching {
        file,
        current,
        log,
        updates,
        complaint: None,
    };
    let builder = thread::Builder::new().name("configuration".to_owned());
    builder.spawn(move || watching.run(&asked, &found))?;
    Ok((Watcher(ask), receiver))
}

struct Watching {
    file: ConfigurationFile,
    /// The text that was compiled last, active or not.
    current: Text,
    log: Arc<Log>,
    updates: Arc<Updates>,
    /// Why the file cannot be read, as it was logged.
    complaint: Option<String>,
}

impl Watching {
    fn run(mut self, asked: &Receiver<()>, found: &mpsc::Sender<Policy>) {
        loop {
            match asked.recv_timeout(PERIOD) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Some(policy) = self.look()
                && found.blocking_send(policy).is_err()
            {
                return;
            }
        }
    }

    /// The policy of a new text, if there is one without errors.
    fn look(&mut self) -> Option<Policy> {
        let text = self.read().filter(|text| *text != self.current)?;
        thread::sleep(SETTLED);
        // If it has changed again, the next look finds it.
        let text = self.read().filter(|again| *again == text)?;
        self.current.clone_from(&text);
        match self.file.compile(text) {
            Ok(policy) => Some(policy),
            Err(errors) => {
                self.updates.refuse();
                let line = format!(
                    "the new configuration has errors, and the former one stays active:\n{errors}"
                );
                self.log.write(Level::Error, &line);
                None
            }
        }
    }

    fn read(&mut self) -> Option<Text> {
        match self.file.read() {
            Ok(text) => {
                self.complaint = None;
                Some(text)
            }
            Err(why) => {
                if self.complaint.as_ref() != Some(&why) {
                    let line = format!("{why}; the former configuration stays active");
                    self.log.write(Level::Error, &line);
                    self.complaint = Some(why);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use super::*;

    const FIRST: &str = r#"{"routes": [{"match": "GET /1", "access": "public"}]}"#;
    const SECOND: &str = r#"{"routes": [{"match": "GET /2", "access": "public"}]}"#;

    /// A folder that is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("edge-authz-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn watching(path: &Path) -> Watching {
        let file = ConfigurationFile::new(path.to_owned());
        Watching {
            current: file.read().unwrap(),
            file,
            log: Arc::new(Log::none()),
            updates: Arc::default(),
            complaint: None,
        }
    }

    #[test]
    fn a_link_that_points_elsewhere_is_an_update() {
        // As Kubernetes replaces the files of a ConfigMap.
        let folder = Folder::new("link");
        let [one, two, data, next] = ["one", "two", "data", "next"].map(|name| folder.0.join(name));
        for (path, text) in [(&one, FIRST), (&two, SECOND)] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("c.yaml"), text).unwrap();
        }
        symlink(&one, &data).unwrap();
        let file = folder.0.join("c.yaml");
        symlink(data.join("c.yaml"), &file).unwrap();
        let mut watching = watching(&file);
        assert!(watching.look().is_none());
        symlink(&two, &next).unwrap();
        fs::rename(&next, &data).unwrap();
        assert!(watching.look().is_some());
        assert!(watching.look().is_none());
    }

    #[test]
    fn a_text_with_errors_and_an_absent_file_change_nothing() {
        let folder = Folder::new("errors");
        let file = folder.0.join("c.yaml");
        fs::write(&file, FIRST).unwrap();
        let mut watching = watching(&file);
        fs::write(&file, "routes: [").unwrap();
        assert!(watching.look().is_none());
        assert_eq!(watching.updates.counts().refused, 1);
        fs::remove_file(&file).unwrap();
        assert!(watching.look().is_none());
        assert!(watching.complaint.is_some());
        fs::write(&file, SECOND).unwrap();
        assert!(watching.look().is_some());
        assert!(watching.complaint.is_none());
    }

    #[test]
    fn a_text_that_still_changes_is_not_used() {
        let folder = Folder::new("changing");
        let file = folder.0.join("c.yaml");
        fs::write(&file, FIRST).unwrap();
        let mut watching = watching(&file);
        // A part of the text is a configuration, too.
        fs::write(&file, "routes: [{match: GET /2, access: public}]\n").unwrap();
        let writer = thread::spawn({
            let file = file.clone();
            move || {
                thread::sleep(SETTLED / 4);
                fs::write(&file, SECOND).unwrap();
            }
        });
        assert!(watching.look().is_none());
        writer.join().unwrap();
        assert!(watching.look().is_some());
    }
}
