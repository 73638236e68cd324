//! The journal on disk: one record a line, `CRC32C space JSON`, synced before what it announces is done.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::records::{FORMAT, Record};

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("journal {journal}: {source}")]
    Io {
        /// The journal.
        journal: String,
        /// Why.
        source: io::Error,
    },
    /// A line before the last is damaged: this is no torn end, something else wrote here.
    #[error(
        "journal {journal}, line {line}: {reason}; the file was edited or the disk lost data. Move it away to start anew: restow then continues from what the cluster shows"
    )]
    Damaged {
        /// The journal.
        journal: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It was written by a newer restow.
    #[error("journal {journal} has format {found}; this restow reads up to {FORMAT}")]
    Newer {
        /// The journal.
        journal: String,
        /// Its format.
        found: u32,
    },
}

/// Bytes that can be appended and made durable.
pub trait Backing: std::fmt::Debug {
    /// What it is called in messages.
    fn name(&self) -> String;
    /// All bytes.
    ///
    /// # Errors
    /// As the file system says.
    fn read(&mut self) -> io::Result<Vec<u8>>;
    /// Appends, without promise.
    ///
    /// # Errors
    /// As the file system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// As the file system says.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts to a length.
    ///
    /// # Errors
    /// As the file system says.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// A journal file.
#[derive(Debug)]
pub struct FileBacking {
    path: PathBuf,
    file: File,
}

impl FileBacking {
    /// Opens or creates the file and makes its existence durable.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let wrong = |source| JournalError::Io { journal: path.display().to_string(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(wrong)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        }
        Ok(FileBacking { path: path.to_owned(), file })
    }
}

impl Backing for FileBacking {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.file.sync_data()
    }
}

/// A journal in memory, which loses what was not synced when [`MemoryBacking::crash`] is called.
#[derive(Debug, Clone, Default)]
pub struct MemoryBacking(Rc<RefCell<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    durable: usize,
}

impl MemoryBacking {
    /// Forgets what was not synced, as a machine does that loses power.
    pub fn crash(&self) {
        let mut memory = self.0.borrow_mut();
        let durable = memory.durable;
        memory.bytes.truncate(durable);
    }
}

impl Backing for MemoryBacking {
    fn name(&self) -> String {
        "in memory".into()
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.borrow().bytes.clone())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut memory = self.0.borrow_mut();
        memory.durable = memory.bytes.len();
        Ok(())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        let mut memory = self.0.borrow_mut();
        memory.bytes.truncate(len as usize);
        memory.durable = memory.bytes.len();
        Ok(())
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    backing: Box<dyn Backing>,
}

impl Journal {
    /// Opens a journal and gives what stands in it. A torn last line, left by a crash in the middle of a
    /// write, is cut off: its record was never acted on.
    ///
    /// # Errors
    /// If it cannot be read, is damaged before its end, or is of a newer format.
    pub fn open(mut backing: Box<dyn Backing>) -> Result<(Self, Vec<Record>), JournalError> {
        let name = backing.name();
        let io = |source| JournalError::Io { journal: name.clone(), source };
        let bytes = backing.read().map_err(io)?;
        let (records, sound) = parse(&bytes, &name)?;
        if sound < bytes.len() {
            backing.cut(sound as u64).map_err(io)?;
        }
        Ok((Journal { backing }, records))
    }

    /// Reads the records of a journal without opening it for writing.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn read(path: &Path) -> Result<Vec<Record>, JournalError> {
        let name = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|source| JournalError::Io { journal: name.clone(), source })?;
        parse(&bytes, &name).map(|(records, _)| records)
    }

    /// Appends records; when this returns they are durable (promise E1), unless all are `Answered`, whose
    /// absence only means "unknown".
    ///
    /// # Errors
    /// If they cannot be made durable: nothing may be sent then.
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let name = self.backing.name();
        let io = |source| JournalError::Io { journal: name.clone(), source };
        let mut lines = Vec::new();
        for record in records {
            let json = serde_json::to_vec(record).map_err(|e| io(io::Error::other(e)))?;
            lines.extend_from_slice(format!("{:08x} ", crc32c::crc32c(&json)).as_bytes());
            lines.extend_from_slice(&json);
            lines.push(b'\n');
        }
        self.backing.append(&lines).map_err(io)?;
        if records.iter().any(|record| !matches!(record, Record::Answered { .. })) {
            self.backing.sync().map_err(io)?;
        }
        Ok(())
    }

    /// What the journal is called in messages.
    pub fn name(&self) -> String {
        self.backing.name()
    }
}

/// The records, and the length of the sound part.
fn parse(bytes: &[u8], journal: &str) -> Result<(Vec<Record>, usize), JournalError> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|b| *b == b'\n').map(|n| at + n);
        let line = &bytes[at..end.unwrap_or(bytes.len())];
        let last = end.is_none_or(|end| end + 1 == bytes.len());
        match parse_line(line) {
            Ok(record) if end.is_some() => records.push(record),
            Err(reason) if !last => {
                let damaged =
                    JournalError::Damaged { journal: journal.into(), line: records.len() + 1, reason };
                return Err(damaged);
            }
            _ => return Ok((records, at)),
        }
        match records.last() {
            Some(Record::Opened(opened)) if opened.format > FORMAT => {
                return Err(JournalError::Newer { journal: journal.into(), found: opened.format });
            }
            _ => {}
        }
        at = end.map_or(bytes.len(), |end| end + 1);
    }
    Ok((records, bytes.len()))
}

fn parse_line(line: &[u8]) -> Result<Record, String> {
    let (sum, json) = line.split_at_checked(9).ok_or("the line is too short")?;
    let sum = std::str::from_utf8(sum).ok().and_then(|s| u32::from_str_radix(s.trim_end(), 16).ok());
    if sum != Some(crc32c::crc32c(json)) {
        return Err("the checksum does not fit the line".into());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::records::Gate;
    use super::*;

    fn approved() -> Record {
        Record::Approved { gate: Gate::Swap }
    }

    #[test]
    fn a_torn_last_line_is_cut_and_a_damaged_one_is_refused() {
        let mut memory = MemoryBacking::default();
        let (mut journal, _) = Journal::open(Box::new(memory.clone())).unwrap();
        journal.append(&[approved(), Record::Settled { seq: 7 }]).unwrap();
        let whole = memory.read().unwrap();

        memory.append(b"0badc0de {\"rec").unwrap();
        let (_, records) = Journal::open(Box::new(memory.clone())).unwrap();
        assert_eq!(records, [approved(), Record::Settled { seq: 7 }]);
        assert_eq!(memory.read().unwrap(), whole, "the torn end is gone");

        let mut edited = whole;
        edited[20] ^= 1;
        memory.cut(0).unwrap();
        memory.append(&edited).unwrap();
        let error = Journal::open(Box::new(memory.clone())).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("checksum"), "{error}");
    }

    #[test]
    fn a_crash_loses_only_what_was_not_synced() {
        let memory = MemoryBacking::default();
        let (mut journal, _) = Journal::open(Box::new(memory.clone())).unwrap();
        journal.append(&[approved()]).unwrap();
        journal
            .append(&[Record::Answered { seq: 1, sent: super::super::records::Sent::Items(vec![]) }])
            .unwrap();
        memory.crash();
        let (_, records) = Journal::open(Box::new(memory)).unwrap();
        assert_eq!(records, [approved()]);
    }
}
