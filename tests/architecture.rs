//! The invariants of docs/architecture.md, read from the code: who takes what from whom.
//!
//! A file takes what its `use` lines and the paths in its code name. What its own tests take does not count, nor
//! does what a `mod.rs` only hands on: a name is followed to the file that defines it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written: `crate::store::Messages`.
type Names = Vec<String>;

/// The structure of a crate's source.
struct Source {
    /// From the top of the repository.
    path: String,
    /// The file that its crate begins with.
    root: String,
    /// Where it is in its crate.
    module: Names,
    /// What a `use` brings in: under which name, from where, and whether it hands it on.
    imports: Vec<Import>,
    /// The paths in its code.
    paths: BTreeSet<Names>,
    /// Every name in its code but for its `use` lines.
    names: BTreeSet<String>,
    /// Its code as text, one space between tokens.
    text: String,
}

/// What a `use` with a star brings in.
const ALL: &str = "*";

struct Import {
    name: String,
    path: Names,
    is_public: bool,
}

/// All of it, by path, and the path of each module of each crate.
struct Sources {
    files: BTreeMap<String, Source>,
    modules: BTreeMap<(String, Names), String>,
}

static SOURCES: LazyLock<Sources> = LazyLock::new(Sources::read);

impl Sources {
    fn read() -> Self {
        let mut files = Vec::new();
        for folder in ["shared/src", "functions/src", "local/src", "tests"] {
            walk(&repository().join(folder), &mut files);
        }
        let files: BTreeMap<String, Source> =
            files.iter().map(|file| Source::read(file)).map(|file| (file.path.clone(), file)).collect();
        let module = |file: &Source| ((file.root.clone(), file.module.clone()), file.path.clone());
        let modules = files.values().map(module).collect();
        Self { files, modules }
    }

    /// The file of a module.
    fn file(&self, root: &str, module: &[String]) -> Option<&Source> {
        self.files.get(self.modules.get(&(root.to_owned(), module.to_vec()))?)
    }

    /// Follows a path that a file names to the file that defines it, or out of its crate.
    fn follow<'a>(&'a self, from: &'a Source, path: &[String]) -> Lead<'a> {
        let keyword = path.iter().position(|name| name != "super").unwrap_or(path.len());
        let (start, mut module) = match path[0].as_str() {
            "crate" => (1, Names::new()),
            "self" => (1, from.module.clone()),
            "super" => (keyword, from.module[..from.module.len() - keyword].to_vec()),
            _ => (0, from.module.clone()),
        };
        for (at, name) in path.iter().enumerate().skip(start) {
            let inner = [&module[..], std::slice::from_ref(name)].concat();
            if self.file(&from.root, &inner).is_some() {
                module = inner;
                continue;
            }
            let holder = self.file(&from.root, &module).unwrap();
            let import = holder.imports.iter().find(|import| import.name == *name && import.path[0] != *name);
            let globs = holder.imports.iter().filter(|import| import.name == ALL);
            let mut globbed = globs.filter_map(|glob| {
                self.file(&from.root, &[&holder.module[..], &glob.path].concat())
                    .filter(|file| file.defines(name))
            });
            if let (None, Some(file)) = (import, globbed.next_back()) {
                return Lead::Inside(file);
            }
            return match import {
                Some(import) => self.follow(holder, &[&import.path, &path[at + 1..]].concat()),
                None if at == 0 => Lead::Outside(name.clone()),
                None => Lead::Inside(holder),
            };
        }
        Lead::Inside(self.file(&from.root, &module).unwrap())
    }

    /// What a file takes from others of its crate: from which, and the names.
    fn takes<'a>(&'a self, source: &'a Source) -> BTreeMap<&'a str, BTreeSet<String>> {
        let is_own = |import: &&Import| !import.is_public || source.names.contains(&import.name);
        let imported = source.imports.iter().filter(is_own).map(|import| &import.path);
        let mut takes: BTreeMap<&'a str, BTreeSet<String>> = BTreeMap::new();
        for path in imported.chain(&source.paths) {
            match self.follow(source, path) {
                Lead::Inside(other) if other.path != source.path => {
                    takes.entry(&other.path).or_default().insert(path.join("::"));
                }
                Lead::Inside(_) | Lead::Outside(_) => {}
            }
        }
        takes
    }

    /// The files below a folder that know one of these crates.
    fn who_knows<'a>(&'a self, folder: &'a str, crates: &[&str]) -> impl Iterator<Item = &'a str> {
        let outside = |source: &Source, path: &Names| match self.follow(source, path) {
            Lead::Outside(name) => crates.contains(&name.as_str()),
            Lead::Inside(_) => false,
        };
        let inside = self.files.values().filter(move |source| source.path.starts_with(folder));
        let knows = inside.filter(|source| source.all_paths().any(|path| outside(source, path)));
        knows.map(|source| source.path.as_str()).collect::<Vec<_>>().into_iter()
    }
}

/// Where a path leads.
enum Lead<'a> {
    Inside(&'a Source),
    Outside(String),
}

impl Source {
    fn read(file: &Path) -> Self {
        let path = file.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned();
        let (root, module) = place(&path);
        let tokens: TokenStream = fs::read_to_string(file).unwrap().parse().unwrap();
        let mut source = Self {
            path,
            root,
            module,
            imports: Vec::new(),
            paths: BTreeSet::new(),
            names: BTreeSet::new(),
            text: String::new(),
        };
        source.visit(tokens, 0);
        source
    }

    /// Whether a name is that of one of its own items.
    fn defines(&self, name: &str) -> bool {
        let kinds = ["struct", "enum", "const", "fn", "trait", "type"];
        kinds.iter().any(|kind| self.text.contains(&format!("{kind} {name} ")))
    }

    fn all_paths(&self) -> impl Iterator<Item = &Names> {
        self.imports.iter().map(|import| &import.path).chain(&self.paths)
    }

    /// `depth`: in how many modules that stand in the file itself.
    fn visit(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(sign) if sign.as_char() == '#' && is_for_tests(tokens.get(at)) => {
                    at += 1 + item(&tokens[at + 1..]);
                }
                TokenTree::Ident(word) if word == "pub" && is_visibility(tokens.get(at)) => at += 1,
                TokenTree::Ident(word) if word == "mod" => {
                    at += 1;
                    if let Some(TokenTree::Group(inner)) = tokens.get(at) {
                        self.visit(inner.stream(), depth + 1);
                        at += 1;
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    let length = tokens[at..].iter().position(|token| is(token, ';')).unwrap();
                    let before = tokens[..at - 1].last();
                    let is_public =
                        before.is_some_and(|token| is_visibility(Some(token)) || token.to_string() == "pub");
                    self.import(&[], &tokens[at..at + length], is_public, depth);
                    at += length + 1;
                }
                TokenTree::Ident(word) => {
                    let mut path = vec![name(word)];
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), ..] =
                        &tokens[at..]
                        && one.as_char() == ':'
                        && two.as_char() == ':'
                    {
                        path.push(name(next));
                        at += 3;
                    }
                    self.names.insert(path[0].clone());
                    self.text.push_str(&path.join("::"));
                    self.text.push(' ');
                    if path.len() > 1 {
                        self.paths.insert(seen_from_the_file(path, depth));
                    }
                }
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Brace => ("{ ", "} "),
                        Delimiter::Parenthesis => ("( ", ") "),
                        Delimiter::Bracket => ("[ ", "] "),
                        Delimiter::None => ("", ""),
                    };
                    self.text.push_str(open);
                    self.visit(group.stream(), depth);
                    self.text.push_str(close);
                }
                TokenTree::Punct(sign) => self.text.push(sign.as_char()),
                TokenTree::Literal(_) => {}
            }
        }
    }

    /// Notes what a tree of a `use` line brings in.
    fn import(&mut self, above: &[String], tree: &[TokenTree], is_public: bool, depth: usize) {
        let mut path = above.to_vec();
        let mut alias = None;
        let mut rest = tree;
        while let Some((token, further)) = rest.split_first() {
            rest = further;
            match token {
                TokenTree::Group(branches) => {
                    let branches: Vec<TokenTree> = branches.stream().into_iter().collect();
                    for branch in branches.split(|token| is(token, ',')).filter(|branch| !branch.is_empty()) {
                        self.import(&path, branch, is_public, depth);
                    }
                    return;
                }
                TokenTree::Ident(word) if word == "as" => alias = rest.first().map(ToString::to_string),
                TokenTree::Ident(_) if alias.is_some() => {}
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(name(word)),
                TokenTree::Punct(sign) if sign.as_char() == '*' => alias = Some(ALL.to_owned()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        let name = alias.unwrap_or_else(|| path.last().unwrap().clone());
        let path = seen_from_the_file(path, depth);
        self.imports.push(Import { name, path, is_public });
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The file that a crate begins with, and the module that a file of it is.
fn place(path: &str) -> (String, Names) {
    let alone = (path.to_owned(), Names::new());
    let begins = ["lib.rs", "main.rs"];
    let is_there = |path: &String| repository().join(path).exists();
    let (mut folder, mut module) = (path, Names::new());
    while let Some((outer, name)) = folder.rsplit_once('/') {
        folder = outer;
        module.insert(0, name.trim_end_matches(".rs").to_owned());
        let Some(root) = begins.map(|name| format!("{folder}/{name}")).into_iter().find(is_there) else {
            if folder.ends_with("/bin") || folder.ends_with("/benches") {
                return alone;
            }
            continue;
        };
        if root == path || (module == ["main"]) {
            return alone;
        }
        return (root, module.into_iter().filter(|name| name != "mod").collect());
    }
    panic!("{path} is of no crate")
}

fn name(word: &proc_macro2::Ident) -> String {
    word.to_string().trim_start_matches("r#").to_owned()
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// What is `super` to a module that stands in a file is the file itself.
fn seen_from_the_file(mut path: Names, depth: usize) -> Names {
    for name in path.iter_mut().take(depth).take_while(|name| *name == "super") {
        *name = "self".to_owned();
    }
    path.dedup_by(|one, two| *one == "self" && *two == "self");
    path
}

/// Whether this is `[cfg(test)]`.
fn is_for_tests(token: Option<&TokenTree>) -> bool {
    token.is_some_and(|token| token.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Whether this is `(crate)` or so.
fn is_visibility(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else { return false };
    let first = group.stream().into_iter().next().map(|token| token.to_string()).unwrap_or_default();
    group.delimiter() == Delimiter::Parenthesis && ["crate", "super", "self", "in"].contains(&first.as_str())
}

/// How many tokens an item has.
fn item(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| {
        is(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1)
}

/// What is in circles: who takes from whom.
fn circles(mut takes: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>) -> String {
    // Who takes nothing from those that are left is in no circle, and neither is who gives them nothing.
    loop {
        let before = takes.len();
        let left: BTreeSet<String> = takes.keys().cloned().collect();
        takes.values_mut().for_each(|from| from.retain(|other, _| left.contains(other)));
        takes.retain(|_, from| !from.is_empty());
        let givers: BTreeSet<String> = takes.values().flat_map(|from| from.keys().cloned()).collect();
        takes.retain(|name, _| givers.contains(name));
        if takes.len() == before {
            break;
        }
    }
    let line = |(name, from): (&String, &BTreeMap<_, _>)| format!("{name} takes from {from:?}\n");
    takes.iter().map(line).collect()
}

#[test]
fn no_files_take_from_each_other_in_a_circle() {
    let takes = SOURCES.files.values().map(|source| {
        let from = SOURCES.takes(source).into_iter().map(|(other, names)| (other.to_owned(), names));
        (source.path.clone(), from.collect())
    });
    assert_eq!(circles(takes.collect()), "");
}

/// The modules of one parent, each with all that is inside it. What a parent has for its own modules, and takes
/// from them, is the business of the files alone.
#[test]
fn no_modules_take_from_each_other_in_a_circle() {
    let mut takes: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for source in SOURCES.files.values() {
        for other in SOURCES.takes(source).keys().map(|path| &SOURCES.files[*path]) {
            let common = source.module.iter().zip(&other.module).take_while(|(one, two)| one == two).count();
            let ends = [source, other]
                .map(|file| Some(format!("{} {}", file.root, file.module.get(..=common)?.join("::"))));
            if let [Some(one), Some(two)] = ends {
                let edge = format!("{} from {}", source.path, other.path);
                takes.entry(one).or_default().entry(two).or_default().insert(edge);
            }
        }
    }
    assert_eq!(circles(takes), "");
}

/// Where a crate may be known, below which folder. Each that is listed does know it.
const KNOWN: [(&[&str], &str, &[&str]); 15] = [
    // Lambda.
    (
        &["lambda_http", "lambda_runtime", "aws_lambda_events"],
        "functions/src/",
        &["trigger/", "runtime.rs", "functions.rs", "bin/"],
    ),
    // DynamoDB.
    (&["aws_sdk_dynamodb", "serde_dynamo"], "functions/src/", &["store/", "aws.rs", "config.rs"]),
    // S3.
    (&["aws_sdk_s3"], "functions/src/", &["media_store.rs"]),
    // `@connections`.
    (&["aws_sdk_apigatewaymanagement"], "functions/src/", &["connections_api.rs", "config.rs"]),
    // The parameter store.
    (&["aws_sdk_ssm"], "functions/src/", &["secret.rs"]),
    // The queue.
    (&["aws_sdk_sqs"], "functions/src/", &["undelivered.rs"]),
    // The business server.
    (&["aws_smithy_runtime_api", "aws_smithy_types"], "functions/src/", &["business_server.rs", "aws.rs"]),
    // CloudWatch.
    (&["metrics", "metrics_cloudwatch_embedded"], "functions/src/", &["record.rs"]),
    // The SDK.
    (&["aws_types", "aws_smithy_http_client"], "functions/src/", &["aws.rs", "config.rs"]),
    // The twin's sides: the engine, the event, the endpoint.
    (&["dynoxide", "rusqlite"], "local/src/", &["database.rs", "dynamodb.rs", "folder.rs", "stream.rs"]),
    (&["lambda_http"], "local/src/", &["gateway.rs", "lambda.rs"]),
    (&["aws_sdk_dynamodb", "aws_types", "aws_smithy_http_client"], "local/src/", &["sdk.rs"]),
    // tests -> local -> functions -> shared.
    (&["hongyan_local"], "", &["tests/", "local/src/bin/"]),
    (&["hongyan_functions"], "", &["tests/", "local/src/", "functions/src/bin/"]),
    (&["hongyan_shared"], "", &["tests/", "local/src/", "functions/src/"]),
];

#[test]
fn each_service_is_known_in_one_place() {
    for (crates, folder, places) in KNOWN {
        let knowing: Vec<&str> = SOURCES.who_knows(folder, crates).collect();
        let is_in =
            |place: &str, file: &str| file.strip_prefix(folder).is_some_and(|file| file.starts_with(place));
        for file in &knowing {
            assert!(places.iter().any(|place| is_in(place, file)), "{file} knows one of {crates:?}");
        }
        for place in places {
            assert!(
                knowing.iter().any(|file| is_in(place, file)),
                "{folder}{place} knows none of {crates:?}"
            );
        }
    }
}

#[test]
fn shared_is_pure() {
    let manifest = fs::read_to_string(repository().join("shared/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names =
        dependencies.lines().filter_map(|line| line.split(['.', ' ']).next()).filter(|name| !name.is_empty());
    let pure =
        ["base64", "flate2", "hmac", "serde", "serde_json", "serde_path_to_error", "sha2", "thiserror"];
    assert_eq!(names.collect::<Vec<_>>(), pure);
    for source in SOURCES.files.values().filter(|source| source.path.starts_with("shared/")) {
        assert!(!source.names.contains("async") && !source.names.contains("await"), "{}", source.path);
    }
}

/// Who takes nothing from whom, below functions/src and shared/src.
const APART: [(&str, &[&str]); 6] = [
    // An action knows no transport.
    ("functions/src/actions/", &["routes/", "trigger/", "runtime.rs", "functions.rs", "bin/"]),
    // A route knows no table and no connection but the caller's.
    (
        "functions/src/routes/",
        &["store/", "connections_api.rs", "notify.rs", "audience.rs", "presence.rs", "trigger/"],
    ),
    // The tables know nothing of what is done with them.
    (
        "functions/src/store/",
        &["actions/", "routes/", "trigger/", "notify.rs", "audience.rs", "presence.rs", "connections_api.rs"],
    ),
    // The model knows no wire.
    ("shared/src/model/", &["protocol/", "rest/", "callback/", "sig/"]),
    ("shared/src/sig/", &["protocol/", "rest/", "callback/", "model/"]),
    ("shared/src/media/", &["protocol/", "rest/", "callback/", "sig/"]),
];

#[test]
fn actions_know_no_transport_and_routes_no_table() {
    for (folder, strangers) in APART {
        let top = folder.split_inclusive('/').take(2).collect::<String>();
        let inside: Vec<&Source> =
            SOURCES.files.values().filter(|source| source.path.starts_with(folder)).collect();
        assert!(!inside.is_empty(), "{folder}");
        for source in inside {
            for (other, names) in SOURCES.takes(source) {
                let file = other.strip_prefix(&top).unwrap();
                let is_strange = strangers.iter().any(|stranger| file.starts_with(stranger));
                assert!(!is_strange, "{} takes {names:?} from {other}", source.path);
            }
        }
    }
}

#[test]
fn a_row_does_not_leave_the_store_and_the_store_knows_no_wire() {
    for source in SOURCES.files.values().filter(|source| !source.path.starts_with("tests/")) {
        let is_store = source.path.starts_with("functions/src/store/");
        let rows: Vec<&String> = source.names.iter().filter(|name| name.ends_with("Row")).collect();
        assert!(is_store || rows.is_empty(), "{}: {rows:?}", source.path);
        let knows = |wire: &str| {
            let wire = ["hongyan_shared", wire].map(str::to_owned);
            source.all_paths().any(|path| path.starts_with(&wire))
        };
        for wire in ["protocol", "rest", "callback"] {
            assert!(!(is_store && knows(wire)), "{} knows {wire}", source.path);
        }
    }
}

#[test]
fn who_asks_comes_from_the_authorizer_and_a_key_from_who_asks() {
    for source in SOURCES.files.values().filter(|source| !source.path.starts_with("tests/")) {
        let makes = |what: &str| {
            source.text.match_indices(what).any(|(at, _)| {
                let before = &source.text[..at];
                !["struct ", "impl ", "for ", ">"].iter().any(|word| before.ends_with(word))
            })
        };
        let may = |place: &str| source.path == place;
        assert!(!makes("Caller { ") || may("functions/src/caller.rs"), "{}", source.path);
        assert!(!makes("Caller::parse ") || may("functions/src/trigger/websocket.rs"), "{}", source.path);
        assert!(!makes("Actor { ") || may("functions/src/caller.rs"), "{}", source.path);
        assert!(
            !makes("Administrator::verified ") || may("functions/src/trigger/rest.rs"),
            "{}",
            source.path
        );
        assert!(!makes("MediaKey ( ") || may("shared/src/media/key.rs"), "{}", source.path);
        assert!(!makes("LogKey ( ") || may("shared/src/model/conversation.rs"), "{}", source.path);
        assert!(!makes("Membership::of_administrator ") || may("functions/src/caller.rs"), "{}", source.path);
        let reads_members = may("functions/src/store/rosters.rs") || may("functions/src/store/my_groups.rs");
        assert!(!makes("Membership::found ") || reads_members, "{}", source.path);
    }
}
