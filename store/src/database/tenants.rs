//! Every statement names its tenant: what grows with a tenant may lie on a node of its own (see the
//! migration `nodes`), and a statement that does not say whose rows it is for would be one for all nodes.
//! Debug builds refuse such a statement, on any PostgreSQL.

/// What is distributed by its tenant, and what is read of it by another name.
const OF_TENANTS: [&str; 31] = [
    "tenant_head",
    "leaf",
    "content",
    "entry",
    "idempotency",
    "log_class",
    "text_head",
    "actor",
    "via",
    "action",
    "kind",
    "target",
    "related",
    "tally",
    "tally_change",
    "tallied",
    "tile",
    "checkpoint",
    "by_time",
    "by_actor",
    "own_by_actor",
    "beside_by_actor",
    "by_action",
    "by_kind",
    "own_by_kind",
    "beside_by_kind",
    "by_target",
    "own_by_target",
    "beside_by_target",
    "by_outcome",
    "by_operation",
];

/// How the views of `tallied` begin.
const COUNTS: &str = "count_";

/// What a statement says that is meant for all tenants: it is not put to a database that is spread over
/// nodes.
const OF_ALL: &str = "/* of all tenants */";

/// Whether a statement compares a tenant as often as it reads or changes what belongs to one, and gives
/// one with what it adds.
pub(super) fn names_its_tenant(statement: &str) -> bool {
    if statement.contains(OF_ALL) {
        return true;
    }
    let words: Vec<&str> = statement
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_.=$(".contains(letter)))
        .filter(|word| !word.is_empty())
        .collect();
    let is_of_tenants = |word: &str| OF_TENANTS.contains(&word) || word.starts_with(COUNTS);
    let (mut named, mut compared) = (0, 0);
    for pair in words.windows(2) {
        match pair {
            ["FROM" | "JOIN" | "UPDATE" | "USING", table] if is_of_tenants(table) => named += 1,
            ["INTO", table] if is_of_tenants(table) && !statement.contains("(tenant") => {
                return false;
            }
            [column, "="] if *column == "tenant" || column.ends_with(".tenant") => compared += 1,
            _ => {}
        }
    }
    named <= compared
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn a_statement_says_whose_rows_it_is_for() {
        for (statement, is_so) in [
            ("SELECT id FROM workspace", true),
            ("SELECT seq FROM leaf WHERE tenant = $1 AND id = $2", true),
            ("SELECT seq FROM leaf WHERE id = $1", false),
            (
                "SELECT 1 FROM leaf l JOIN content c ON c.seq = l.seq WHERE l.tenant = $1",
                false,
            ),
            ("UPDATE tenant_head SET seq = $2 WHERE tenant = $1", true),
            ("DELETE FROM tally", false),
            ("/* of all tenants */ SELECT count(*) FROM tally", true),
            ("INSERT INTO via (ws, num) VALUES ($1, $2)", false),
            (
                "INSERT INTO via (tenant, ws, num) VALUES ($1, $2, $3)",
                true,
            ),
            (
                "SELECT actor, kind FROM tallied WHERE tenant = ANY($1)",
                true,
            ),
        ] {
            assert_eq!(names_its_tenant(statement), is_so, "{statement}");
        }
    }

    /// The texts in quotes of a program.
    fn texts(program: &str) -> Vec<String> {
        let mut texts = Vec::new();
        // Without comments, and with the lines that go on put together.
        let lines = program
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let program = lines.collect::<Vec<_>>().join("\n");
        let mut rest = program.as_str();
        while let Some(begin) = rest.find('"') {
            let text = &rest[begin + 1..];
            let end = text.find('"').unwrap_or(text.len());
            texts.push(text[..end].replace("\\\n", " "));
            rest = text.get(end + 1..).unwrap_or_default();
        }
        texts
    }

    #[test]
    fn so_does_each_that_is_for_postgresql_alone() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres")];
        let mut checked = 0;
        while let Some(folder) = folders.pop() {
            for file in fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                for text in texts(&fs::read_to_string(path).unwrap()) {
                    // What a replica is compared by, once: all tenants'.
                    let is_for_all =
                        text == "SELECT tenant, seq, id FROM tenant_head WHERE id IS NOT NULL";
                    assert!(is_for_all || names_its_tenant(&text), "{text}");
                    checked += usize::from(text.contains("tenant ="));
                }
            }
        }
        assert!(checked > 10, "{checked}");
    }

    #[test]
    fn so_does_each_in_a_function_of_the_schema() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/postgres");
        let mut checked = 0;
        for file in fs::read_dir(folder).unwrap() {
            let schema = fs::read_to_string(file.unwrap().path()).unwrap();
            // What stands between `$$` and `$$`.
            for body in schema.split("$$").skip(1).step_by(2) {
                for statement in body.split(';') {
                    assert!(names_its_tenant(statement), "{statement}");
                    checked += usize::from(statement.contains("tenant ="));
                }
            }
        }
        assert!(checked > 20, "{checked}");
    }
}
