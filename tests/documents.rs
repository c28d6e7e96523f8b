//! What the documents say of versions, decisions, metrics and one another, and the picture of the architecture.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use hongyan_functions::record::Metric;

use crate::harness::template::template;

/// The version of the workspace, in `Cargo.toml`.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder with that ending, in order.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

/// Where the version stands besides: a file, and what is before and behind it.
const PLACES: [(&str, &str, &str); 9] = [
    ("client/package.json", "\n  \"version\": \"", "\""),
    ("client/package-lock.json", "\"name\": \"hongyan-tim\",\n  \"version\": \"", "\""),
    ("client/package-lock.json", "\"name\": \"hongyan-tim\",\n      \"version\": \"", "\""),
    (
        "template.yaml",
        "  Version:\n    Description: The version of Hongyan, as login says it too.\n    Value: \"",
        "\"",
    ),
    ("docs/protocol.md", "\n    \"version\": \"", "\""),
    ("README.md", "hongyan-tim-", ".tgz"),
    ("README.zh-CN.md", "hongyan-tim-", ".tgz"),
    ("docs/client.md", "hongyan-tim-", ".tgz"),
    ("docs/client.zh-CN.md", "hongyan-tim-", ".tgz"),
];

#[test]
fn there_is_one_version() {
    for (file, before, after) in PLACES {
        let text = read(file);
        let mut pieces = text.split(before);
        let mut expected = pieces.next().unwrap().to_owned();
        let mut places = 0;
        for piece in pieces {
            let (_, rest) = piece.split_once(after).unwrap();
            expected += &[before, VERSION, after, rest].concat();
            places += 1;
        }
        assert!(places > 0, "{file} has no version any more behind {before:?}");
        if text != expected && env::var_os("UPDATE").is_some() {
            fs::write(path(file), &expected).unwrap();
        } else {
            assert!(
                text == expected,
                "{file} has another version than Cargo.toml, {VERSION}: run `make version`"
            );
        }
    }
}

#[test]
fn the_changelog_has_this_version_or_what_is_to_come_first() {
    let text = read("CHANGELOG.md");
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for (index, heading) in headings.iter().enumerate() {
        let is_first_and_to_come = index == 0 && *heading == "Unreleased";
        let released = heading.split_once(" · ");
        assert!(
            is_first_and_to_come || released.is_some_and(|(_, date)| is_date(date)),
            "CHANGELOG.md: {heading:?} is not `1.2.3 · 2026-12-31`"
        );
    }
    let newest = headings.iter().find_map(|heading| heading.split_once(" · "));
    assert!(headings[0] == "Unreleased" || newest.unwrap().0 == VERSION, "{} is released first", headings[0]);
}

/// Whether this is a day such as `2026-12-31`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    widths == [4, 2, 2] && parts.concat().bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn every_decision_has_a_status_and_a_date_and_is_in_the_list() {
    let list = read("docs/decisions/README.md");
    let rows: Vec<&str> =
        list.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).collect();
    let mut expected = Vec::new();
    for (index, file) in files("docs/decisions", ".md").iter().filter(|name| *name != "README.md").enumerate()
    {
        let number = index + 1;
        let text = read(&format!("docs/decisions/{file}"));
        let mut lines = text.lines();
        assert!(file.starts_with(&format!("{number:04}-")), "{file} is number {number}");
        let title = lines.next().unwrap().strip_prefix(&format!("# {number}. "));
        let title = title.unwrap_or_else(|| panic!("{file} does not begin with its number"));
        let status = lines.nth(1).and_then(|line| line.strip_prefix("Status: ")?.split_once(" · "));
        let (status, date) =
            status.unwrap_or_else(|| panic!("{file}: its third line is not `Status: … · date`"));
        assert!(is_date(date), "{file}: {date}");
        let is_known =
            ["proposed", "accepted", "superseded by ["].iter().any(|known| status.starts_with(known));
        assert!(is_known, "{file}: {status}");
        expected.push(format!("| {number} | [{title}]({file}) | {status} | {date} |"));
    }
    assert_eq!(rows, expected);
}

#[test]
fn every_metric_is_explained() {
    for file in ["docs/operate.md", "docs/operate.zh-CN.md"] {
        let text = read(file);
        for metric in Metric::ALL {
            assert!(text.contains(&format!("`{}`", metric.name())), "{file} has no {}", metric.name());
        }
    }
}

/// What GitHub makes of the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = page.split("\n```").step_by(2);
    let headings = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let texts = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
        _ => None,
    };
    texts.map(|text| text.chars().filter_map(kept).collect()).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut links = 0;
    for folder in [".", "docs", "docs/decisions"] {
        for file in files(folder, ".md") {
            let text = read(&format!("{folder}/{file}"));
            for piece in text.split("](").skip(1) {
                let (link, _) = piece.split_once(')').unwrap();
                if link.contains("://") {
                    continue;
                }
                let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = format!("{folder}/{}", if target.is_empty() { &file } else { target });
                assert!(path(&target).exists(), "{folder}/{file}: {link}");
                let is_there = anchor.is_empty() || anchors(&read(&target)).contains(anchor);
                assert!(is_there, "{folder}/{file}: {link} has no such heading");
                links += 1;
            }
        }
    }
    assert!(links > 150, "{links}");
}

#[test]
fn every_file_that_the_architecture_names_is_there() {
    let page = read("docs/architecture.md");
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|name| name.contains("/src/")).collect();
    for name in &named {
        assert!(path(name).exists(), "{name}");
    }
    assert!(named.len() > 60, "{}", named.len());
}

/// In which directions a character of a picture goes on: up, right, down, left.
fn arms(letter: char) -> Option<[bool; 4]> {
    let arms = match letter {
        '─' => [false, true, false, true],
        '│' => [true, false, true, false],
        '┌' => [false, true, true, false],
        '┐' => [false, false, true, true],
        '└' => [true, true, false, false],
        '┘' => [true, false, false, true],
        '├' => [true, true, true, false],
        '┤' => [true, false, true, true],
        '┬' => [false, true, true, true],
        '┴' => [true, true, false, true],
        '┼' => [true, true, true, true],
        _ => return None,
    };
    Some(arms)
}

/// A terminal and a browser show it alike: box characters, which are as wide as letters everywhere, in at most 100 columns.
#[test]
fn the_picture_of_the_architecture_is_aligned_and_names_what_is_there() {
    let page = read("docs/architecture.md");
    let picture = page.split("```\n").nth(1).unwrap();
    let rows: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
    let at = |x: usize, y: usize| rows.get(y).and_then(|row| row.get(x)).copied().unwrap_or(' ');
    for (y, row) in rows.iter().enumerate() {
        assert!(row.len() <= 100, "line {}: {} columns", y + 1, row.len());
        for (x, letter) in row.iter().enumerate() {
            let Some(own) = arms(*letter) else {
                assert!(letter.is_ascii(), "line {}: {letter}", y + 1);
                continue;
            };
            let neighbours = [at(x, y.wrapping_sub(1)), at(x + 1, y), at(x, y + 1), at(x.wrapping_sub(1), y)];
            for (direction, neighbour) in neighbours.into_iter().enumerate() {
                let meets = arms(neighbour).map_or(neighbour != ' ', |arms| arms[(direction + 2) % 4]);
                assert!(!own[direction] || meets, "line {}, column {}: {letter} leads nowhere", y + 1, x + 1);
            }
        }
    }

    let words = || picture.split(|letter: char| letter.is_whitespace() || "│├─<".contains(letter));
    let folders: Vec<&str> = words().filter_map(|word| word.strip_suffix('/')).collect();
    assert_eq!(folders, ["trigger", "client", "routes", "actions", "store"]);
    for folder in folders {
        let is_there = path(folder).is_dir() || path("functions/src").join(folder).is_dir();
        assert!(is_there, "{folder}/");
    }
    for module in ["notify", "connections_api"] {
        assert!(picture.contains(module) && path(&format!("functions/src/{module}.rs")).exists(), "{module}");
    }
    for (name, resource) in template()["Resources"].as_object().unwrap() {
        let is_table = resource["Type"] == "AWS::DynamoDB::Table";
        assert!(!is_table || picture.contains(name.as_str()), "the table {name} is not in the picture");
    }
}

/// Sources and documents that people read: what git would list, without what is built and what is Chinese.
fn texts() -> Vec<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> =
        ["functions", "shared", "local", "tests", "docs"].iter().map(|name| root.join(name)).collect();
    let mut texts: Vec<_> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "template.yaml"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_text = [".rs", ".md", ".py", ".toml"].iter().any(|ending| name.ends_with(ending));
            if path.is_dir() {
                folders.push(path);
            } else if is_text && !name.ends_with("zh-CN.md") {
                texts.push(path);
            }
        }
    }
    texts
}

#[test]
fn a_user_is_they_in_every_text() {
    let others = ["he", "his", "him", "himself", "she", "hers", "herself", "whoever", "whomever"];
    let mut found = Vec::new();
    for path in texts() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split(|letter: char| !letter.is_alphabetic()).map(str::to_lowercase);
            // This one has to name them.
            if !line.contains("let others = ") && words.any(|word| others.contains(&word.as_str())) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_reserved_concurrency_takes_is_multiplied_by_how_many_functions_there_are() {
    let template = template();
    let resources = template["Resources"].as_object().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function").count();
    assert!(read("docs/operate.md").contains(&format!("{functions} times your number")));
    assert!(read("docs/operate.zh-CN.md").contains(&format!("你填的数的 {functions} 倍")));
}

#[test]
fn no_heading_of_a_document_stands_twice() {
    for folder in ["docs", "docs/decisions"] {
        for name in files(folder, ".md") {
            let text = read(&format!("{folder}/{name}"));
            let mut seen = BTreeSet::new();
            for heading in text.lines().filter(|line| line.starts_with("## ")) {
                assert!(seen.insert(heading), "{folder}/{name} has `{heading}` twice");
            }
        }
    }
}
