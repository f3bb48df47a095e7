//! Where on this site somebody is: the address, which is the page's whole state.

use crate::address::{LogAddress, opening, with_query, without_open};

/// An address of this site, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    /// The query string without the open entry.
    pub(super) question: String,
    /// The id of the entry that is open.
    pub(super) open: Option<String>,
}

impl Place {
    /// Reads an address; `search` may begin with its question mark.
    pub(super) fn read(path: &str, search: &str) -> Self {
        let (question, open) = without_open(search.trim_start_matches('?'));
        Self {
            path: path.to_owned(),
            question,
            open,
        }
    }

    /// Whether a log is there.
    pub(super) fn is_log(&self) -> bool {
        LogAddress::read(&self.path).is_some()
    }

    /// The query string, with the open entry.
    pub(super) fn search(&self) -> String {
        match &self.open {
            None => self.question.clone(),
            Some(id) => opening(&self.question, id),
        }
    }

    /// The address.
    pub(super) fn address(&self) -> String {
        with_query(&self.path, &self.search())
    }

    /// Whether both show the same page, whichever entry is open on it.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        self.path == other.path && self.question == other.question
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn an_address_is_read_and_written() {
        for address in [
            "/acme/growth/audit",
            "/acme/growth/audit?q=a+b",
            "/acme/growth/audit?q=x&open=0197",
            "/acme/growth/audit?open=0197",
        ] {
            let (path, search) = address.split_once('?').unwrap_or((address, ""));
            assert_eq!(Place::read(path, search).address(), address);
        }
    }

    #[test]
    fn which_entry_is_open_is_no_part_of_what_is_asked() {
        let place = |search| Place::read("/acme/growth/audit", search);
        assert!(place("?q=x&open=1").asks_as(&place("q=x")));
        assert!(!place("?q=x").asks_as(&place("?q=y")));
    }
}
