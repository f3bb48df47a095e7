//! The words that a member's name is made of.

/// The words of a name, in lowercase and run together; digits separate and count for nothing.
///
/// `dbPassword`, `DB_PASSWORD`, `db-password` and `db.password2` all have the words "db" and
/// "password"; `APIKey` has "api" and "key".
pub(super) struct Words {
    joined: String,
    /// Where each word begins, and where the last one ends.
    bounds: Vec<usize>,
}

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let mut joined = String::with_capacity(name.len());
        let mut bounds = Vec::with_capacity(8);
        let mut before = None;
        let mut letters = name.chars().peekable();
        while let Some(letter) = letters.next() {
            if !letter.is_alphabetic() {
                before = None;
                continue;
            }
            let begins = match before {
                None => true,
                Some(before) => {
                    letter.is_uppercase() && {
                        let last_capital = letters.peek().is_some_and(|next| next.is_lowercase());
                        char::is_lowercase(before) || last_capital
                    }
                }
            };
            if begins {
                bounds.push(joined.len());
            }
            joined.extend(letter.to_lowercase());
            before = Some(letter);
        }
        bounds.push(joined.len());
        Self { joined, bounds }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The words from `first` up to `end`, run together; empty where there are none.
    pub(super) fn run(&self, first: usize, end: usize) -> &str {
        let bound = |at: usize| self.bounds.get(at).copied();
        bound(first)
            .zip(bound(end))
            .and_then(|(from, to)| self.joined.get(from..to))
            .unwrap_or_default()
    }

    /// The word at `at`; empty where there is none.
    pub(super) fn word(&self, at: usize) -> &str {
        self.run(at, at + 1)
    }

    /// All of them, run together.
    pub(super) fn joined(self) -> String {
        self.joined
    }
}
