//! What a source file names: every path, resolved as far as the room it is in, and every `select!`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A path that a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Its segments; `crate`, `self` and `super` are resolved to `crate::…`.
    pub path: Vec<String>,
    /// Its line.
    pub line: usize,
    /// Whether it stands in test code.
    pub test: bool,
}

/// One source file.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Path from the root of the workspace, with `/`.
    pub file: String,
    /// What it names.
    pub mentions: Vec<Mention>,
    /// Lines of `select!` that do not begin with `biased;`.
    pub unbiased: Vec<usize>,
    /// Lines before its test module.
    pub lines: usize,
    /// Modules declared under `#[cfg(test)]` whose source is another file.
    pub test_modules: Vec<Vec<String>>,
}

impl Source {
    /// The folder of its crate.
    pub fn krate(&self) -> &str {
        self.file.split('/').next().unwrap_or_default()
    }

    /// Its room: the first folder or file under `src`, if it lies there.
    pub fn room(&self) -> Option<&str> {
        let inside = self.file.split_once("/src/")?.1;
        Some(inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs"))
    }

    /// Its module path, if it lies under `src`.
    pub fn module(&self) -> Vec<String> {
        let Some((_, inside)) = self.file.split_once("/src/") else { return Vec::new() };
        let inside = inside.trim_end_matches(".rs");
        let inside = inside.strip_suffix("/mod").unwrap_or(inside);
        if inside == "lib" || inside == "main" {
            return Vec::new();
        }
        inside.split('/').map(str::to_owned).collect()
    }
}

/// Reads a source file.
pub fn scan(file: &str, text: &str) -> Source {
    let tree = syn::parse_file(text).unwrap_or_else(|error| {
        let at = error.span().start();
        panic!("{file}:{}:{}: {error}", at.line, at.column)
    });
    let mut source = Source { file: file.to_owned(), ..Source::default() };
    source.lines = before_tests(&tree, text);
    let module = source.module();
    let test = ["/tests/", "/benches/", "/examples/"].iter().any(|folder| file.contains(folder));
    let mut eye = Eye { source, module, test };
    eye.visit_file(&tree);
    eye.source
}

fn before_tests(tree: &syn::File, text: &str) -> usize {
    let tests = tree.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.content.is_some() => cfg_test(&module.attrs),
        _ => None,
    });
    tests.map_or_else(|| text.lines().count(), |span| span.start().line - 1)
}

fn cfg_test(attributes: &[Attribute]) -> Option<Span> {
    let is_test = |attribute: &&Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                list.tokens.clone().into_iter().any(|t| matches!(t, TokenTree::Ident(i) if i == "test"))
            })
    };
    attributes.iter().find(is_test).map(|attribute| attribute.pound_token.span)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

struct Eye {
    source: Source,
    module: Vec<String>,
    test: bool,
}

impl Eye {
    fn mention(&mut self, path: Vec<String>, at: Span) {
        let path = resolve(path, &self.module);
        self.source.mentions.push(Mention { path, line: at.start().line, test: self.test });
    }

    fn tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |ident: &syn::Ident| [prefix, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.mention(with(&name.ident), name.ident.span()),
            UseTree::Rename(name) => self.mention(with(&name.ident), name.ident.span()),
            UseTree::Glob(glob) => self.mention(prefix.to_vec(), glob.star_token.spans[0]),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(prefix, tree)),
        }
    }

    /// Paths and `select!` in the tokens of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenStream) {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < all.len() {
            match &all[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let mut path = vec![first.to_string()];
                    while let [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(next), ..] =
                        &all[at + 1..]
                    {
                        if (a.as_char(), b.as_char()) != (':', ':') {
                            break;
                        }
                        path.push(next.to_string());
                        at += 3;
                    }
                    let is_select = path.last().is_some_and(|last| last == "select");
                    if let [TokenTree::Punct(bang), TokenTree::Group(body), ..] = &all[at + 1..]
                        && is_select
                        && bang.as_char() == '!'
                    {
                        self.select(&body.stream(), first.span());
                    }
                    self.mention(path, first.span());
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn select(&mut self, body: &TokenStream, at: Span) {
        let mut tokens = body.clone().into_iter();
        let biased = matches!(tokens.next(), Some(TokenTree::Ident(i)) if i == "biased")
            && matches!(tokens.next(), Some(TokenTree::Punct(p)) if p.as_char() == ';');
        if !biased {
            self.source.unbiased.push(at.start().line);
        }
    }
}

impl<'ast> Visit<'ast> for Eye {
    fn visit_item(&mut self, item: &'ast Item) {
        let before = self.test;
        self.test |= cfg_test(attributes(item)).is_some();
        visit::visit_item(self, item);
        self.test = before;
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        if module.content.is_none() && self.test {
            self.source.test_modules.push(self.module.clone());
        }
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(segments, first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.segments.last().is_some_and(|last| last.ident == "select") {
            let at = call.path.segments[0].ident.span();
            self.select(&call.tokens, at);
        }
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Ok(list) = attribute.meta.require_list() {
            self.tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

/// `crate::…` for what begins with `crate`, `self` or `super`; all else as it is.
fn resolve(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("crate") => {
            base.clear();
            rest = &rest[1..];
        }
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|segment| segment == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        _ => return path,
    }
    let mut full = vec!["crate".to_owned()];
    full.extend(base);
    full.extend_from_slice(rest);
    full
}
