//! The hash of a file's bytes up to its last line, on the way out and on the way in.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

fn show(sha: Sha256) -> String {
    let digest = sha.finalize();
    let mut text = String::from("sha256:");
    for byte in digest {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Hashes what it passes on.
pub(super) struct Sealing<'a> {
    to: &'a mut dyn Write,
    sha: Sha256,
    /// What waits to be passed on: small writes are many.
    waiting: Vec<u8>,
}

const CHUNK: usize = 1 << 16;

impl<'a> Sealing<'a> {
    pub fn new(to: &'a mut dyn Write) -> Self {
        Sealing { to, sha: Sha256::new(), waiting: Vec::with_capacity(CHUNK) }
    }

    fn pass(&mut self) -> io::Result<()> {
        self.sha.update(&self.waiting);
        self.to.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Writes the last line and gives the hash of all before it.
    pub fn seal(mut self) -> io::Result<String> {
        self.pass()?;
        let hash = show(self.sha);
        self.to.write_all(format!("\"hash\":\"{hash}\"}}\n").as_bytes())?;
        Ok(hash)
    }
}

impl Write for Sealing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            self.pass()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass()?;
        self.to.flush()
    }
}

/// Hashes what is read through it, up to the line that is the last so far.
pub(super) struct Sealed<R> {
    from: R,
    sha: Sha256,
    /// The last line so far; it is hashed when another one begins.
    line: Vec<u8>,
}

impl<R: Read> Sealed<R> {
    pub fn new(from: R) -> Self {
        Sealed { from, sha: Sha256::new(), line: Vec::new() }
    }

    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.line.last() == Some(&b'\n') {
                self.sha.update(&self.line);
                self.line.clear();
            }
            let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
        }
    }

    /// The hash, if it is the one that the file names and the last line names nothing else.
    pub fn verify(self, named: &str) -> Result<String, String> {
        let hash = show(self.sha);
        if self.line != format!("\"hash\":\"{hash}\"}}\n").as_bytes() {
            return Err(format!(
                "the file was edited or cut after it was written: its hash is {hash}, and it names {named}; \
                 plan again, or take the file as it was written"
            ));
        }
        Ok(hash)
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        self.see(&to[..count]);
        Ok(count)
    }
}
