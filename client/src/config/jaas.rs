//! `sasl.jaas.config`: `module flag option=value … ;` (KIP-85).
//!
//! Tokens are those of Kafka's `JaasConfig`, which reads with a `java.io.StreamTokenizer`: words of letters,
//! digits and `- _ $ .`; texts in double or single quotes with escapes; `//`, `/` and `/* */` comments.
//! Reasons name what was expected and never what stands there: it may be a password.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The one login module of a client's JAAS line.
pub(super) struct Login {
    pub(super) module: Module,
    /// Any value may be a secret.
    pub(super) options: BTreeMap<String, Secret>,
}

/// A login module, by the last part of its class name: shaded and relocated copies are the same to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Module {
    /// `PlainLoginModule`.
    Plain,
    /// `ScramLoginModule`.
    Scram,
    /// `OAuthBearerLoginModule`.
    OAuthBearer,
}

impl Login {
    /// Reads a JAAS line, after its variables are resolved.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // With room for all of it the buffer does not move and leave an unwiped copy behind.
        let text_of_token = Zeroizing::new(String::with_capacity(text.len()));
        let mut tokens = Tokens { rest: text.chars().peekable(), text: text_of_token };
        let Some(Token::Text(class)) = tokens.next()? else {
            return Err("does not start with the class of a login module".into());
        };
        let module = module(class.expose())?;
        let flags = ["required", "requisite", "sufficient", "optional"];
        match tokens.next()? {
            Some(Token::Text(word)) if flags.iter().any(|flag| word.expose().eq_ignore_ascii_case(flag)) => {}
            _ => return Err("has no control flag after the login module: write `required`".into()),
        }
        let options = options(&mut tokens)?;
        match tokens.next()? {
            None => Ok(Login { module, options }),
            Some(_) => Err("has more after its first `;`: a client has one login module".into()),
        }
    }

    /// The text of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(Secret::expose)
    }
}

fn options(tokens: &mut Tokens<'_>) -> Result<BTreeMap<String, Secret>, String> {
    let mut options = BTreeMap::new();
    let mut place = "the control flag".to_owned();
    loop {
        let name = match tokens.next()? {
            Some(Token::Sign(';')) => return Ok(options),
            Some(Token::Text(name)) => name,
            Some(_) => return Err(format!("has neither an option nor `;` after {place}: {QUOTES}")),
            None => return Err(format!("does not end with `;` after {place}: {QUOTES}")),
        };
        if !matches!(tokens.next()?, Some(Token::Sign('='))) {
            return Err(format!("has an option without `=` after {place}: {QUOTES}"));
        }
        let shown =
            shown(name.expose()).map_or_else(|| "an option".to_owned(), |name| format!("option {name}"));
        match tokens.next()? {
            Some(Token::Text(value)) => options.insert(name.expose().to_owned(), value),
            _ => return Err(format!("has no value for {shown} after {place}: {QUOTES}")),
        };
        place = shown;
    }
}

const QUOTES: &str = "values stand in double quotes unless they are words of letters, digits, `-`, `_`, \
                      `$` and `.` that start with a letter, and the line ends with `;`";

/// A name that is an option's; any other word may be a piece of a password that lacks its quotes.
fn shown(name: &str) -> Option<&str> {
    let names = ["username", "password", "tokenauth", "clientId", "clientSecret", "scope"];
    names.into_iter().find(|known| *known == name)
}

fn module(class: &str) -> Result<Module, String> {
    match super::keys::simple_name(class) {
        "PlainLoginModule" => Ok(Module::Plain),
        "ScramLoginModule" => Ok(Module::Scram),
        "OAuthBearerLoginModule" => Ok(Module::OAuthBearer),
        "Krb5LoginModule" => Err(super::sasl::NO_KERBEROS.into()),
        "IAMLoginModule" => Err(super::sasl::NO_IAM_MODULE.into()),
        _ => Err(
            "names a login module that restow does not have: it has PlainLoginModule, ScramLoginModule and \
                  OAuthBearerLoginModule"
                .into(),
        ),
    }
}

/// What a JAAS line consists of.
enum Token {
    /// A word or a quoted text.
    Text(Secret),
    /// Any other character; a digit too, since Kafka takes no number for a name or a value.
    Sign(char),
}

struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    /// Of the token that is being read.
    text: Zeroizing<String>,
}

impl Tokens<'_> {
    fn next(&mut self) -> Result<Option<Token>, String> {
        loop {
            let Some(first) = self.rest.next() else { return Ok(None) };
            return match first {
                '\0'..=' ' => continue,
                '/' => {
                    self.skip_comment();
                    continue;
                }
                '"' | '\'' => self.quoted(first).map(Some),
                letter if is_letter(letter) => Ok(Some(self.word(letter))),
                sign => Ok(Some(Token::Sign(sign))),
            };
        }
    }

    fn word(&mut self, first: char) -> Token {
        self.text.clear();
        self.text.push(first);
        while let Some(next) = self.rest.next_if(|&c| is_letter(c) || is_digit(c)) {
            self.text.push(next);
        }
        Token::Text(Secret::new(self.text.as_str()))
    }

    /// What follows a `/`: also alone it starts a comment up to the end of the line, and takes the next
    /// character with it whatever that is.
    fn skip_comment(&mut self) {
        if self.rest.next() != Some('*') {
            while self.rest.next_if(|&c| c != '\n' && c != '\r').is_some() {}
            return;
        }
        let mut last = ' ';
        for next in self.rest.by_ref() {
            if last == '*' && next == '/' {
                break;
            }
            last = next;
        }
    }

    /// Java closes a quoted text at the end of the line without a word; that is a mistake for sure.
    fn quoted(&mut self, quote: char) -> Result<Token, String> {
        self.text.clear();
        loop {
            let next = match self.rest.next() {
                Some(end) if end == quote => return Ok(Token::Text(Secret::new(self.text.as_str()))),
                Some('\\') => self.escaped().ok_or(UNCLOSED)?,
                None | Some('\n' | '\r') => return Err(UNCLOSED.into()),
                Some(other) => other,
            };
            self.text.push(next);
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            digit @ '0'..='7' => self.octal(digit),
            other => other,
        })
    }

    /// One to three digits, up to `\377`.
    fn octal(&mut self, first: char) -> char {
        let more = if first <= '3' { 2 } else { 1 };
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..more {
            let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
            code = code * 8 + digit.to_digit(8).unwrap_or(0);
        }
        char::from_u32(code).unwrap_or_default()
    }
}

const UNCLOSED: &str = "has a quote that is not closed: in the file, a quote within a value is `\\\\\"` and a \
                        backslash is `\\\\\\\\`";

/// What `StreamTokenizer` starts a word with, as Kafka sets it up.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '\u{a0}'..)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || c == '.' || c == '-'
}
