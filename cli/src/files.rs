//! Files that are read with their name at hand, and written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Opens a file to read, and gives the name to call it by in errors.
pub fn open(path: &Path) -> Result<(BufReader<File>, String), Error> {
    let file = File::open(path).map_err(|error| Error::file(path, "read", &error))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(Error::usage(format!("{}: is a directory, not a file", path.display())));
    }
    Ok((BufReader::with_capacity(1 << 16, file), path.display().to_string()))
}

/// Writes a file beside its place and moves it there, so that a reader sees the old one or the new one.
/// If `fill` fails, nothing is left.
pub fn write<T>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
    let failed = |error: io::Error| Error::file(path, "write", &error);
    if path.is_dir() {
        return Err(Error::usage(format!("{}: is a directory, not a file", path.display())));
    }
    let name =
        path.file_name().ok_or_else(|| Error::usage(format!("{}: not a file name", path.display())))?;
    let beside = beside(path, name);
    let written = fill_and_move(&beside, path, fill).map_err(failed);
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill_and_move<T>(
    beside: &Path,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<T> {
    let mut to = BufWriter::with_capacity(1 << 16, File::create(beside)?);
    let value = fill(&mut to)?;
    let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    Ok(value)
}

/// Fills a directory beside its place and moves it there. The place must be free, or an empty directory.
pub fn write_dir(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let failed = |error: io::Error| Error::file(path, "write", &error);
    let taken = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    if taken {
        return Err(Error::usage(format!("{}: exists and is not empty", path.display()))
            .hint("name a new directory: files of two plans must not lie side by side"));
    }
    let name = path.components().next_back().map(|last| last.as_os_str().to_owned());
    let name = name.ok_or_else(|| Error::usage("the directory has no name"))?;
    let beside = beside(path, &name);
    fs::create_dir(&beside).map_err(failed)?;
    let written = fill(&beside).and_then(|()| fs::rename(&beside, path).map_err(failed));
    if written.is_err() {
        let _ = fs::remove_dir_all(&beside);
    }
    written
}

/// A free name in the same directory: a rename never crosses file systems.
fn beside(path: &Path, name: &std::ffi::OsStr) -> PathBuf {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    match path.parent() {
        Some(parent) => parent.join(hidden),
        None => PathBuf::from(hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("restow-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let dir = scratch("whole");
        let path = dir.join("f");
        write(&path, |to| to.write_all(b"one")).unwrap();
        let error =
            write(&path, |to| to.write_all(b"two").and_then(|()| Err::<(), _>(io::Error::other("full"))));
        assert!(error.unwrap_err().message.ends_with("cannot write: full"));
        assert_eq!((fs::read(&path).unwrap(), names(&dir)), (b"one".to_vec(), vec!["f".to_owned()]));
        assert_eq!(write(&dir, |_| Ok(())).unwrap_err().kind, Exit::Usage);
        assert_eq!(write(&dir.join("no/f"), |_| Ok(())).unwrap_err().kind, Exit::Usage);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_directory_is_fresh_and_whole() {
        let dir = scratch("dir");
        let path = dir.join("change");
        let failed = write_dir(&path, |at| {
            fs::write(at.join("x"), "x").unwrap();
            Err(Error::usage("no"))
        });
        assert!(failed.is_err());
        assert_eq!(names(&dir), Vec::<String>::new());
        fs::create_dir(&path).unwrap();
        write_dir(&path, |at| fs::write(at.join("x"), "x").map_err(|e| Error::file(at, "write", &e)))
            .unwrap();
        assert_eq!((names(&dir), names(&path)), (vec!["change".to_owned()], vec!["x".to_owned()]));
        assert_eq!(write_dir(&path, |_| Ok(())).unwrap_err().kind, Exit::Usage);
        fs::remove_dir_all(&dir).unwrap();
    }
}
