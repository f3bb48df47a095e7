//! Checkpoints that were kept elsewhere, as files hold them: one, many after each other, as a witness's
//! folder has them, or within the events of another Daybook.

use super::CommandError;
use domain::proof::Note;
use serde_json::{Deserializer, Value};
use std::{fs, path::Path};
use store::proof::verify::Kept;

/// What a checkpoint is called within an event.
const MEMBER: &str = "checkpoint";

/// All checkpoints in a file.
///
/// # Errors
///
/// It cannot be read, holds none, or one that is no signed note.
pub fn read(path: &Path) -> Result<Vec<Kept>, CommandError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| CommandError::Failed(format!("{name} cannot be read: {error}")))?;
    checkpoints(&name, &text).map_err(CommandError::Failed)
}

/// All checkpoints in a text; the name of each says where it stands.
fn checkpoints(name: &str, text: &str) -> Result<Vec<Kept>, String> {
    let mut notes = Vec::new();
    if text.trim_start().starts_with(['{', '[']) {
        let mut texts = Vec::new();
        for value in Deserializer::from_str(text).into_iter::<Value>() {
            let value = value.map_err(|error| format!("{name} is no JSON: {error}"))?;
            gather(&value, &mut texts);
        }
        for (at, text) in texts.iter().enumerate() {
            let note = text.parse::<Note>();
            notes.push(note.map_err(|error| format!("{name}, checkpoint {}, {error}", at + 1))?);
        }
    } else {
        notes = Note::all_of(text).map_err(|at| match at {
            // As one alone is complained of.
            1 => format!("{name} {}", domain::proof::NoteError::Malformed),
            at => format!(
                "{name}, checkpoint {at}, {}",
                domain::proof::NoteError::Malformed
            ),
        })?;
    }
    if notes.is_empty() {
        return Err(format!("{name} holds no checkpoint"));
    }
    let is_one = notes.len() == 1;
    let named = notes.into_iter().enumerate().map(|(at, note)| Kept {
        name: if is_one {
            name.to_owned()
        } else {
            format!("{name}, checkpoint {}", at + 1)
        },
        note,
    });
    Ok(named.collect())
}

/// The texts of all members of that name, wherever they stand.
fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (member, value) in object {
                match value {
                    Value::String(text) if member == MEMBER => found.push(text.clone()),
                    value => gather(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::proof::Signer;
    use serde_json::json;

    fn note(size: usize) -> Note {
        let signer = Signer::new("a", &[1; 32]).unwrap();
        signer.sign(format!("a\n{size}\nAAAA\n"))
    }

    fn read(text: &str) -> Vec<(String, Note)> {
        let read = checkpoints("f", text).unwrap();
        read.into_iter()
            .map(|kept| (kept.name, kept.note))
            .collect()
    }

    #[test]
    fn one_is_called_by_its_file_and_of_many_each_by_its_place() {
        let (one, two) = (note(1), note(2));
        assert_eq!(read(&one.to_string()), [("f".to_owned(), one.clone())]);
        let both = [
            ("f, checkpoint 1".to_owned(), one.clone()),
            ("f, checkpoint 2".to_owned(), two.clone()),
        ];
        assert_eq!(read(&format!("{one}{two}")), both);
        // As another Daybook has it: an event, a page of them, an export of a line for each.
        let event = |note: &Note| json!({"action": "CHECKPOINT_WITNESSED", "metadata": {"checkpoint": note.to_string()}});
        assert_eq!(
            read(&event(&one).to_string()),
            [("f".to_owned(), one.clone())]
        );
        let page = json!({"events": [event(&one), event(&two)]});
        assert_eq!(read(&page.to_string()), both);
        assert_eq!(read(&format!("{}\n{}\n", event(&one), event(&two))), both);
    }

    #[test]
    fn what_holds_none_is_told() {
        for text in [
            "",
            "\n",
            "{}",
            "[1]",
            "nothing",
            "{\"checkpoint\": \"x\"}",
            "{\"checkpoint\"",
        ] {
            assert!(checkpoints("f", text).is_err(), "{text}");
        }
        let cut = format!("{}{}", note(1), "a\n2\n");
        assert!(checkpoints("f", &cut).unwrap_err().contains("checkpoint 2"));
    }
}
