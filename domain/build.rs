//! Turns the catalogue's data files into sorted tables, so that the program neither parses them
//! when it starts nor carries a parser into the browser. What is wrong in a file stops the build
//! with the file's name and the reason.

#[expect(dead_code, reason = "the crate uses the rest of it")]
#[path = "src/category.rs"]
mod category;
#[expect(dead_code, reason = "the crate uses the rest of it")]
#[path = "src/verb.rs"]
mod verb;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use category::Category;
use serde::Deserialize;
use verb::Verb;

/// One file under `packs/`; its name, without `.toml`, is the pack's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    /// The category of the entries that name none.
    category: Option<Category>,
    #[serde(rename = "entry")]
    entries: Vec<Entry>,
}

/// What is known of one action, under each of the names that products have for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    actions: Vec<String>,
    category: Option<Category>,
    verb: Verb,
    label: String,
    description: Option<String>,
}

/// `words.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    nouns: BTreeSet<String>,
    openers: BTreeSet<String>,
    phases: BTreeSet<String>,
    prepositions: BTreeSet<String>,
    spellings: Vec<String>,
    verbs: BTreeMap<Verb, BTreeMap<String, Forms>>,
}

/// The past form of a word, or all of them, the one to show first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Forms {
    One(String),
    Several(Vec<String>),
}

impl Forms {
    fn all(&self) -> Vec<&str> {
        match self {
            Self::One(form) if form.is_empty() => Vec::new(),
            Self::One(form) => vec![form],
            Self::Several(forms) => forms.iter().map(String::as_str).collect(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from("src/catalogue");
    for watched in [
        "build.rs",
        "src/catalogue",
        "src/category.rs",
        "src/verb.rs",
    ] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("packs.rs"), packs(&folder.join("packs"))?)?;
    fs::write(out.join("words.rs"), words(&folder.join("words.toml"))?)?;
    Ok(())
}

/// Every entry of every pack, sorted by action.
fn packs(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for file in fs::read_dir(folder)? {
        files.push(file?.path());
    }
    files.sort();
    let mut rows: BTreeMap<String, (String, String)> = BTreeMap::new();
    for path in &files {
        if path.extension().is_none_or(|extension| extension != "toml") {
            return Err(format!("{}: a pack is a .toml file", path.display()).into());
        }
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let pack: Pack = read(path)?;
        for entry in &pack.entries {
            check(entry).map_err(|problem| format!("{}: {problem}", path.display()))?;
            let category = entry.category.or(pack.category).ok_or_else(|| {
                format!(
                    "{}: {:?} has no category, nor has its pack",
                    path.display(),
                    entry.actions
                )
            })?;
            for action in &entry.actions {
                let row = format!(
                    "Entry {{ action: {action:?}, category: Category::{category:?}, \
                     verb: Verb::{:?}, label: {:?}, description: {:?}, pack: Some({name:?}) }},",
                    entry.verb, entry.label, entry.description
                );
                if let Some((_, other)) = rows.insert(action.clone(), (row, name.clone())) {
                    return Err(format!("{action} is in {name}.toml and in {other}.toml").into());
                }
            }
        }
    }
    let mut code = String::new();
    writeln!(
        code,
        "pub(super) static ENTRIES: [Entry<'static>; {}] = [",
        rows.len()
    )?;
    for (row, _) in rows.values() {
        writeln!(code, "    {row}")?;
    }
    code.push_str("];\n");
    Ok(code)
}

/// What an entry must be beyond what its fields' types say.
fn check(entry: &Entry) -> Result<(), String> {
    let Entry {
        actions,
        label,
        description,
        ..
    } = entry;
    if actions.is_empty() {
        return Err(format!("{label:?} names no action"));
    }
    for action in actions {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte);
        if !(1..=128).contains(&action.len()) || !action.bytes().all(allowed) {
            return Err(format!(
                "{action:?} is no action: 1 to 128 of A-Z a-z 0-9 _ . : / -"
            ));
        }
    }
    if label.is_empty() || label.trim() != label || label.ends_with('.') {
        return Err(format!(
            "{label:?} is no label: a few words without a full stop"
        ));
    }
    if let Some(text) = description
        && (text.trim() != text || !text.ends_with('.'))
    {
        return Err(format!(
            "{text:?} is no description: a sentence with its full stop"
        ));
    }
    Ok(())
}

/// The words that say what was done, and how to put them into a label.
fn words(path: &Path) -> Result<String, Box<dyn Error>> {
    let words: Words = read(path)?;
    let strength = |word: &str| match (words.nouns.contains(word), words.phases.contains(word)) {
        (true, _) => "Noun",
        (_, true) => "Phase",
        _ => "Firm",
    };
    let mut rows: BTreeMap<&str, (Verb, String)> = BTreeMap::new();
    // Base forms first: "read" is one, and the past form of "get" too.
    for (verb, list) in &words.verbs {
        for (base, forms) in list {
            let past = forms.all().first().copied();
            let row = format!(
                "Word {{ text: {base:?}, verb: Verb::{verb:?}, strength: Strength::{}, \
                 past: {past:?} }},",
                strength(base)
            );
            if let Some((other, _)) = rows.insert(base, (*verb, row)) {
                return Err(format!("words.toml: {base:?} means {other} and {verb}").into());
            }
        }
    }
    for (verb, list) in &words.verbs {
        for (base, forms) in list {
            let strength = if words.phases.contains(base) {
                "Phase"
            } else {
                "Firm"
            };
            for past in forms.all() {
                let row = format!(
                    "Word {{ text: {past:?}, verb: Verb::{verb:?}, \
                     strength: Strength::{strength}, past: None }},"
                );
                let (known, _) = rows.entry(past).or_insert((*verb, row));
                if known != verb {
                    return Err(format!("words.toml: {past:?} means {known} and {verb}").into());
                }
            }
        }
    }
    for word in words.nouns.iter().chain(&words.phases) {
        if !rows.contains_key(word.as_str()) {
            return Err(format!("words.toml: {word:?} belongs to no verb").into());
        }
    }
    let spellings: BTreeMap<String, &String> = words
        .spellings
        .iter()
        .map(|shown| (shown.to_lowercase(), shown))
        .collect();

    let mut code = String::new();
    writeln!(code, "static WORDS: [Word; {}] = [", rows.len())?;
    for (_, row) in rows.values() {
        writeln!(code, "    {row}")?;
    }
    writeln!(
        code,
        "];\nstatic SPELLINGS: [(&str, &str); {}] = [",
        spellings.len()
    )?;
    for (word, shown) in &spellings {
        writeln!(code, "    ({word:?}, {shown:?}),")?;
    }
    code.push_str("];\n");
    for (name, list) in [
        ("OPENERS", &words.openers),
        ("PREPOSITIONS", &words.prepositions),
    ] {
        writeln!(
            code,
            "static {name}: [&str; {}] = {:?};",
            list.len(),
            Vec::from_iter(list)
        )?;
    }
    Ok(code)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}
