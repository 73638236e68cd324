//! The state directory of a cluster: one lock, and the list of its journals.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// `$XDG_STATE_HOME/restow/<cluster id>/`.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
}

/// Held while a process changes the cluster (promise E8: one executor per cluster and host).
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl State {
    /// The state of this cluster under `home`.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(home: &Path, cluster: &str) -> io::Result<Self> {
        // A cluster id is URL-safe base64, but a hostile broker may answer anything.
        let safe: String = cluster
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
            .collect();
        let folder = home.join("restow").join(safe);
        fs::create_dir_all(&folder)?;
        Ok(State { folder })
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// `Ok(Err(who))` if another process holds it: what that process wrote about itself.
    pub fn lock(&self, host: &str, pid: u32) -> io::Result<Result<Lock, String>> {
        let path = self.folder.join("lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                file.read_to_string(&mut who)?;
                return Ok(Err(who.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        write!(file, "pid {pid} on host {host}")?;
        file.sync_data()?;
        Ok(Ok(Lock { _file: file }))
    }

    /// The journal of what is removed from this cluster without a plan.
    pub fn own_journal(&self) -> PathBuf {
        self.folder.join("sweep.journal")
    }

    /// Remembers a journal of this cluster, by its absolute path. Hold the lock.
    ///
    /// # Errors
    /// As the file system says.
    pub fn remember(&self, journal: &Path) -> io::Result<()> {
        let journal = std::path::absolute(journal)?;
        if self.journals()?.contains(&journal) {
            return Ok(());
        }
        let mut file = OpenOptions::new().append(true).create(true).open(self.folder.join("journals"))?;
        writeln!(file, "{}", journal.display())?;
        file.sync_data()
    }

    /// The journals of this cluster that were ever opened on this host.
    ///
    /// # Errors
    /// As the file system says.
    pub fn journals(&self) -> io::Result<Vec<PathBuf>> {
        match fs::read_to_string(self.folder.join("journals")) {
            Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error),
        }
    }
}
