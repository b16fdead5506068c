//! The file of the configuration.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use edge_authz::config::MAX_BYTES;
use edge_authz::policy::Policy;

/// The maximum size of the file, in bytes. YAML is longer than the JSON that it stands for,
/// and has comments.
const MAX_FILE_BYTES: usize = MAX_BYTES.saturating_mul(4);

/// The text of the file.
pub type Text = Vec<u8>;

/// The file of the configuration.
#[derive(Clone, Debug)]
pub struct ConfigurationFile {
    path: PathBuf,
}

impl ConfigurationFile {
    /// The file with this path. It may be a symbolic link, which is followed each time.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is too large; for people.
    pub fn read(&self) -> Result<Text, String> {
        let name = self.path.display();
        let failed = |error| format!("{name}: {error}");
        let file = File::open(&self.path).map_err(failed)?;
        let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
        let mut text = Vec::new();
        file.take(most.saturating_add(1))
            .read_to_end(&mut text)
            .map_err(failed)?;
        if text.len() > MAX_FILE_BYTES {
            return Err(format!(
                "{name}: the file is larger than {MAX_FILE_BYTES} bytes"
            ));
        }
        Ok(text)
    }

    /// Compiles a text of the file.
    ///
    /// # Errors
    ///
    /// All its errors, for people.
    pub fn compile(&self, text: Text) -> Result<Policy, String> {
        edge_authz_cli::compiled(&self.path.display().to_string(), text)
    }
}
