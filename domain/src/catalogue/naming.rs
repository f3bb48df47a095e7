//! Reading an action from its name, where no entry knows it.
//!
//! Names come in house styles (`WIDGET_CREATED`, `widget:create`, `org.add_member`,
//! `ec2:CreateVpc`); all are taken apart into the same words, and `words.toml` says which words
//! tell what was done. The verb depends on the words alone, not on how they were joined.

use std::borrow::Cow;

use super::Reading;
use crate::{category::Category, verb::Verb};

include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// A word, or two next to each other, that tells what was done.
struct Word {
    /// In lowercase.
    text: &'static str,
    verb: Verb,
    strength: Strength,
    /// The past form of a base form; `None` where the word is a past form or has none.
    past: Option<&'static str>,
}

/// How sure a word is to tell what was done. The weaker counts only where there is no stronger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// "create", "removed".
    Firm,
    /// As often the name of a thing: "run", "export".
    Noun,
    /// Tells how far it came: "started", "failed".
    Phase,
}

/// A word of a name.
struct Piece {
    lower: String,
    shown: String,
}

/// A [`Word`] found among the pieces of a name.
struct Found {
    at: usize,
    len: usize,
    word: &'static Word,
}

/// What services put before the names of their events without saying anything.
const DOMAIN: &str = ".amazonaws.com";

/// Verb and label as the name has them, in the category [`Category::Other`].
pub(super) fn read(action: &str) -> Reading<'static> {
    let name = action.replace(DOMAIN, "");
    let (verb, label) = command(&name).unwrap_or_else(|| sentence(&name));
    Reading {
        verb,
        category: Category::Other,
        label: Cow::Owned(if label.is_empty() {
            action.to_owned()
        } else {
            label
        }),
        description: None,
        known: false,
    }
}

/// A name whose last part is a command in camel case, as in `s3:GetObject`: "Get object". What is
/// before the command names the service.
fn command(name: &str) -> Option<(Verb, String)> {
    let last = without_version(name.rsplit([':', '.', '/']).next()?);
    if last.contains(['_', '-']) || !is_mixed(last) {
        return None;
    }
    let pieces = pieces(last);
    let found = find(&pieces);
    let first = found.first()?;
    let begins = pieces[..first.at]
        .iter()
        .all(|piece| OPENERS.contains(&&*piece.lower));
    if pieces.len() < 2 || !begins || first.word.past.is_none() {
        return None;
    }
    let chosen = choose(&found, pieces.len())?;
    // `InviteLinkRemoved` commands nothing: it ends with what was done.
    chosen.word.past?;
    Some((
        chosen.word.verb,
        join(pieces.iter().map(|piece| &*piece.shown)),
    ))
}

/// Any other name: the thing first, then what was done to it, in the past tense.
fn sentence(name: &str) -> (Verb, String) {
    let pieces = pieces(name);
    let found = find(&pieces);
    let Some(chosen) = choose(&found, pieces.len()) else {
        return (Verb::Other, join(pieces.iter().map(|piece| &*piece.shown)));
    };
    let after = chosen.at + chosen.len;
    let shown = |from: usize, to: usize| pieces[from..to].iter().map(|piece| &*piece.shown);
    let is_preposition = |at: usize| {
        pieces
            .get(at)
            .is_some_and(|piece| PREPOSITIONS.contains(&&*piece.lower))
    };
    // "Pull request ready for review": what follows a preposition is a thing.
    let past = chosen
        .word
        .past
        .filter(|_| chosen.at == 0 || !is_preposition(chosen.at - 1));
    let label = match past {
        Some(past) if after == pieces.len() || is_preposition(after) => join(
            shown(0, chosen.at)
                .chain([past])
                .chain(shown(after, pieces.len())),
        ),
        Some(past) if chosen.word.strength == Strength::Firm => join(
            shown(0, chosen.at)
                .chain(shown(after, pieces.len()))
                .chain([past]),
        ),
        None | Some(_) => join(shown(0, pieces.len())),
    };
    (chosen.word.verb, label)
}

/// The words of a name, in order.
fn pieces(name: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for part in name.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
        for word in without_version(part)
            .split('_')
            .filter(|word| !word.is_empty())
        {
            let mixed = is_mixed(word);
            for text in humps(word, mixed) {
                push(&mut pieces, text, mixed);
            }
        }
    }
    pieces
}

/// Adds a word as it is to be shown. Two that are one in the list of spellings ("o", "auth") become
/// one.
fn push(pieces: &mut Vec<Piece>, text: &str, mixed: bool) {
    let lower = text.to_lowercase();
    if mixed && let Some(before) = pieces.last_mut() {
        let both = format!("{}{lower}", before.lower);
        if let Some(shown) = spelling(&both) {
            *before = Piece { lower: both, shown };
            return;
        }
    }
    let is_acronym = |word: &str| word.len() > 1 && !word.chars().any(char::is_lowercase);
    let shown = spelling(&lower).unwrap_or_else(|| {
        if mixed && is_acronym(text.strip_suffix('s').unwrap_or(text)) {
            text.to_owned()
        } else {
            lower.clone()
        }
    });
    pieces.push(Piece { lower, shown });
}

/// How a word is written that has a spelling of its own, or the plural of one.
fn spelling(lower: &str) -> Option<String> {
    let listed = |lower: &str| {
        let at = SPELLINGS
            .binary_search_by(|(word, _)| (*word).cmp(lower))
            .ok()?;
        Some(SPELLINGS[at].1)
    };
    let plural = || Some(format!("{}s", listed(lower.strip_suffix('s')?)?));
    listed(lower).map(str::to_owned).or_else(plural)
}

fn is_mixed(word: &str) -> bool {
    word.chars().any(char::is_lowercase) && word.chars().any(char::is_uppercase)
}

/// Without the version that some services put after the names of their events
/// (`CreateFunction20150331v2`, `CreateDistribution2020_05_31`).
fn without_version(part: &str) -> &str {
    let name =
        part.trim_end_matches(|letter: char| letter.is_ascii_digit() || "_v".contains(letter));
    let version = part[name.len()..]
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    if version >= 8 && is_mixed(name) {
        name
    } else {
        part
    }
}

/// The words of a word in camel case: `GetDBInstance` is "Get", "DB", "Instance"; the "s" of an
/// acronym is its plural (`ListVPCs`).
fn humps(word: &str, mixed: bool) -> Vec<&str> {
    if !mixed {
        return vec![word];
    }
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let mut humps = Vec::new();
    let mut from = 0;
    for (index, pair) in letters.windows(2).enumerate() {
        let [(_, before), (at, letter)] = pair else {
            continue;
        };
        let mut after = letters[index + 2..].iter().map(|(_, letter)| *letter);
        let (next, then) = (after.next(), after.next());
        let plural = next == Some('s') && !then.is_some_and(char::is_lowercase);
        let begins = next.is_some_and(char::is_lowercase) && !plural;
        if letter.is_uppercase() && (!before.is_uppercase() || begins) {
            humps.push(&word[from..*at]);
            from = *at;
        }
    }
    humps.push(&word[from..]);
    humps
}

/// Every word that tells what was done, two at once before one.
fn find(pieces: &[Piece]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        let two = pieces
            .get(at + 1)
            .and_then(|next| lookup(&format!("{} {}", piece.lower, next.lower)))
            .map(|word| Found { at, len: 2, word });
        let hit = two.or_else(|| lookup(&piece.lower).map(|word| Found { at, len: 1, word }));
        at += hit.as_ref().map_or(1, |hit| hit.len);
        found.extend(hit);
    }
    found
}

fn lookup(text: &str) -> Option<&'static Word> {
    let at = WORDS.binary_search_by(|word| word.text.cmp(text)).ok()?;
    Some(&WORDS[at])
}

/// The one that counts: of the strongest that there are, the one that ends the name, else the one
/// that begins it, else the last.
fn choose(found: &[Found], pieces: usize) -> Option<&Found> {
    [Strength::Firm, Strength::Noun, Strength::Phase]
        .into_iter()
        .find_map(|strength| {
            let of = || {
                found
                    .iter()
                    .filter(move |hit| hit.word.strength == strength)
            };
            of().find(|hit| hit.at + hit.len == pieces)
                .or_else(|| of().find(|hit| hit.at == 0))
                .or_else(|| of().next_back())
        })
}

/// The words with spaces between them, beginning with a capital.
fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if text.is_empty() {
            let mut letters = word.chars();
            text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(letters.as_str());
        } else {
            text.push(' ');
            text.push_str(word);
        }
    }
    text
}
