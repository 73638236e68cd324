//! Variables in values: `${provider:[path:]key}` (KIP-297, KIP-421).
//!
//! Kafka resolves them with the classes that `config.providers` names. Its own three are here:
//! `EnvVarConfigProvider` (KIP-887), `FileConfigProvider` and `DirectoryConfigProvider` (KIP-632). Where the
//! file does not declare `env`, `file` and `directory`, they stand for these.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use zeroize::Zeroizing;

use super::{keys, properties};
use crate::secret::Secret;

/// Resolves the variables of one file.
pub(super) struct Providers<'a> {
    /// All entries of the file: those of `config.providers` are among them.
    pub(super) entries: &'a BTreeMap<String, Secret>,
    pub(super) outside: &'a Outside<'a>,
}

/// Where values come from that do not stand in the file.
pub(super) struct Outside<'a> {
    /// Looks up an environment variable.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file.
    pub(super) files: &'a dyn Fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>,
}

/// A variable without a value.
#[derive(Debug)]
pub(super) struct Unresolved {
    /// As written; without what may be part of a password if `provider` is none that we know.
    pub(super) variable: String,
    pub(super) reason: String,
}

/// Where values come from.
enum Provider {
    Env { allowed: Option<Regex> },
    File { allowed: Option<Vec<PathBuf>> },
    Directory { allowed: Option<Vec<PathBuf>> },
}

const UNDECLARED: &str = "config.providers declares no such provider (env, file and directory need none)";

const UNSUPPORTED: &str = "restow does not have its class, only Kafka's EnvVarConfigProvider, \
                           FileConfigProvider and DirectoryConfigProvider";

impl Providers<'_> {
    /// A value with its variables replaced. What comes in is not looked at again, as in Kafka.
    pub(super) fn resolve(&self, text: &Secret) -> Result<Secret, Unresolved> {
        let text = text.expose();
        let variables = variables(text);
        let values = variables.iter().map(|variable| self.value(variable)).collect::<Result<Vec<_>, _>>()?;
        let room = values.iter().map(|value| value.expose().len()).sum::<usize>();
        let mut whole = String::with_capacity(text.len() + room);
        let mut end = 0;
        for (variable, value) in variables.iter().zip(&values) {
            whole.push_str(&text[end..variable.place.start]);
            whole.push_str(value.expose());
            end = variable.place.end;
        }
        whole.push_str(&text[end..]);
        Ok(Secret::new(whole))
    }

    /// The files that a value's variables are read from.
    pub(super) fn files(&self, text: &Secret) -> Vec<PathBuf> {
        let file = |variable: &Variable<'_>| match self.provider(variable.provider).ok()? {
            Provider::Env { .. } => None,
            Provider::File { .. } if variable.path.is_empty() => Some(PathBuf::from(variable.key)),
            Provider::File { .. } => Some(PathBuf::from(variable.path)),
            Provider::Directory { .. } => Some(Path::new(variable.path).join(variable.key)),
        };
        variables(text.expose()).iter().filter_map(file).collect()
    }

    fn value(&self, variable: &Variable<'_>) -> Result<Secret, Unresolved> {
        let Variable { provider: name, path, key, .. } = *variable;
        let unresolved = |variable: String, reason| Unresolved { variable, reason };
        let provider = self.provider(name).map_err(|reason| unresolved(hidden(name), reason))?;
        let value = match provider {
            Provider::Env { allowed } => self.variable(path, key, allowed.as_ref()),
            Provider::File { allowed } if path.is_empty() => {
                self.outside.whole(Path::new(key), allowed.as_deref())
            }
            Provider::File { allowed } => self.outside.entry(Path::new(path), key, allowed.as_deref()),
            Provider::Directory { allowed } => self.outside.file_in(Path::new(path), key, allowed.as_deref()),
        };
        value.map_err(|reason| {
            let path = if path.is_empty() { String::new() } else { format!("{path}:") };
            unresolved(format!("${{{name}:{path}{key}}}"), reason)
        })
    }

    /// What `config.providers` says of a name, or else what is built in. Only a name that is used is looked
    /// up: a file may declare providers for other programs.
    fn provider(&self, name: &str) -> Result<Provider, String> {
        let entry = |key: &str| self.entries.get(key).map(|value| value.expose().trim());
        let is_declared =
            entry("config.providers").is_some_and(|names| names.split(',').any(|n| n.trim() == name));
        let class = entry(&format!("config.providers.{name}.class")).filter(|_| is_declared);
        let param =
            |param: &str| entry(&format!("config.providers.{name}.param.{param}")).filter(|_| is_declared);
        let kind = match class {
            Some(class) => keys::simple_name(class),
            None if name == "env" => "EnvVarConfigProvider",
            None if name == "file" => "FileConfigProvider",
            None if name == "directory" => "DirectoryConfigProvider",
            None => return Err(UNDECLARED.into()),
        };
        // Kafka takes an empty list for none; an empty pattern is one that no name fits.
        let allowed_paths =
            || param("allowed.paths").filter(|list| !list.is_empty()).map(absolute).transpose();
        match kind {
            "EnvVarConfigProvider" => {
                Ok(Provider::Env { allowed: param("allowlist.pattern").map(whole_name).transpose()? })
            }
            "FileConfigProvider" => Ok(Provider::File { allowed: allowed_paths()? }),
            "DirectoryConfigProvider" => Ok(Provider::Directory { allowed: allowed_paths()? }),
            _ => Err(UNSUPPORTED.into()),
        }
    }

    fn variable(&self, path: &str, key: &str, allowed: Option<&Regex>) -> Result<Secret, String> {
        if !path.is_empty() {
            return Err("environment variables have no path: write ${env:NAME}".into());
        }
        if allowed.is_some_and(|pattern| !pattern.is_match(key)) {
            return Err("allowlist.pattern does not allow this name".into());
        }
        (self.outside.env)(key).map(Secret::new).ok_or_else(|| "there is no such environment variable".into())
    }
}

impl Outside<'_> {
    /// `${file:PATH:KEY}`: one value of a file of properties, in UTF-8 as `FileConfigProvider` reads it.
    fn entry(&self, path: &Path, key: &str, allowed: Option<&[PathBuf]>) -> Result<Secret, String> {
        let text = self.text(path, allowed)?;
        let mut entries = properties::parse(&properties::utf16(&text))
            .map_err(|bad| format!("line {} of the file is malformed: {}", bad.line, bad.reason))?;
        entries.remove(key).ok_or_else(|| "the file has no such key".into())
    }

    /// `${file:PATH}`: a whole file, which Kafka has no name for.
    fn whole(&self, path: &Path, allowed: Option<&[PathBuf]>) -> Result<Secret, String> {
        self.text(path, allowed).map(|text| Secret::new(without_line_end(&text)))
    }

    /// `${directory:DIR:FILE}`: a whole file. Kafka keeps a line end at its end, which no password has and
    /// which breaks a JAAS line; here it goes.
    fn file_in(&self, directory: &Path, name: &str, allowed: Option<&[PathBuf]>) -> Result<Secret, String> {
        let mut components = Path::new(name).components();
        let (Some(Component::Normal(_)), None) = (components.next(), components.next()) else {
            return Err("its last part is not the name of a file: write ${directory:DIRECTORY:FILE}".into());
        };
        let directory = within(directory, allowed)?;
        self.text(&directory.join(name), None).map(|text| Secret::new(without_line_end(&text)))
    }

    fn text(&self, path: &Path, allowed: Option<&[PathBuf]>) -> Result<Zeroizing<String>, String> {
        let path = within(path, allowed)?;
        let bytes = (self.files)(&path).map_err(|error| format!("the file cannot be read: {error}"))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Zeroizing::new(text.to_owned())),
            Err(_) => Err("the file cannot be read: not UTF-8".into()),
        }
    }
}

/// `${provider:[path:]key}` in a text.
struct Variable<'a> {
    place: Range<usize>,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

/// Kafka's pattern (`ConfigTransformer`): no part has a `}`, only the last may have a `:`.
fn variables(text: &str) -> Vec<Variable<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at) {
        let inner = start + 2;
        let Some(end) = text[inner..].find('}').map(|at| inner + at) else { break };
        from = end + 1;
        if let Some((provider, rest)) = text[inner..end].split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            found.push(Variable { place: start..from, provider, path, key });
        }
    }
    found
}

/// A password can have `${…:…}` in it by chance: only what looks like a provider's name is shown.
fn hidden(provider: &str) -> String {
    let is_name =
        provider.len() <= 32 && provider.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if is_name { format!("${{{provider}:…}}") } else { "${…}".into() }
}

/// Java's `matches`: the pattern is for all of a name.
fn whole_name(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|_| "its allowlist.pattern is not a regular expression".into())
}

fn absolute(list: &str) -> Result<Vec<PathBuf>, String> {
    let paths: Vec<PathBuf> = list.split(',').map(|path| normal(Path::new(path.trim()))).collect();
    let all_absolute = paths.iter().all(|path| path.is_absolute());
    all_absolute.then_some(paths).ok_or_else(|| "its allowed.paths are not all absolute".into())
}

/// The path to open. As `AllowedPaths` does, limits are by name, after `.` and `..` are gone; links are not
/// followed.
fn within(path: &Path, allowed: Option<&[PathBuf]>) -> Result<PathBuf, String> {
    let Some(allowed) = allowed else { return Ok(path.to_owned()) };
    let path = normal(path);
    let is_within = allowed.iter().any(|root| path.starts_with(root));
    is_within.then_some(path).ok_or_else(|| "the path is not within allowed.paths".into())
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = normal.pop(),
            other => normal.push(other),
        }
    }
    normal
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
