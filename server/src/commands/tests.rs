use super::*;
use clap::CommandFactory;

fn refused(line: &str) -> String {
    match Cli::try_parse_from(line.split(' ')) {
        Ok(cli) => format!("taken: {cli:?}"),
        Err(error) => in_one_line(&error),
    }
}

fn is_taken(line: &str) -> bool {
    Cli::try_parse_from(line.split(' ')).is_ok()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn only_the_commands_of_this_version_are_there() {
    let command = Cli::command();
    let names: Vec<_> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    assert_eq!(
        names,
        [
            "serve",
            "demo",
            "tenant",
            "workspace",
            "user",
            "token",
            "settings",
            "plan",
            "retention",
            "hold",
            "key",
            "witness",
            "import",
            "export",
            "blame",
            "backup",
            "copy",
            "reindex",
            "verify",
            "erase"
        ]
    );
}

#[test]
fn every_line_of_the_contract_is_taken() {
    for line in [
        "daybook serve",
        "daybook serve --listen 0.0.0.0:80",
        "daybook demo --events 100 --days 7 --seed 3",
        "daybook tenant create acme --name Acme",
        "daybook workspace create acme/growth --name Growth",
        "daybook user create --email a@b.example --name A --role owner --workspace a/b \
         --password-stdin --until 2026-12-31",
        "daybook user create --email a@b.example --name A --role tenant_admin --tenant a \
         --password-stdin",
        "daybook user deactivate --email a@b.example",
        "daybook user password --email a@b.example --password-stdin",
        "daybook token create --workspace a/b --name ci --scope events:write --scope events:read \
         --expires 2026-12-31 --oldest 30d",
        "daybook token create --tenant a --name ci --scope events:unredacted",
        "daybook erase --workspace a/b --person a@b.example --reason R --dry-run",
        "daybook erase --workspace a/b --event 01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a13 --part change \
         --part context --reason R",
        "daybook token list",
        "daybook token revoke --id tok_1",
        "daybook settings set --workspace a/b --retention 30d --recording off --now",
        "daybook settings set --workspace a/b --recording on",
        "daybook settings show --workspace a/b",
        "daybook settings cancel --workspace a/b",
        "daybook plan set --tenant a --min-retention 30d --max-retention none",
        "daybook retention run",
        "daybook retention run --workspace acme/growth",
        "daybook hold place --workspace a/b --reason lawsuit",
        "daybook hold lift --workspace a/b --reason over",
        "daybook hold list",
        "daybook hold list --workspace a/b",
        "daybook key rotate",
        "daybook import --workspace a/b --format cloudtrail --skip-expired --dry-run x.gz y",
        "daybook blame --workspace a/b integration int_1",
        "daybook blame --workspace a/b integration int/1 --at 2026-05-12T09:14:03Z --field a.b[0] \
         --removed --json",
        "daybook backup copy.db",
        "daybook export --workspace a/b --format csv --target-kind integration --since 2026-05-01",
        "daybook export --workspace a/b --format ndjson --action X --action Y --sort actor",
        "daybook copy --from sqlite:x.db --to postgres://daybook@db.example/daybook",
        "daybook verify",
        "daybook verify --checkpoint one.txt --checkpoint two.txt",
        "daybook reindex",
        "daybook reindex --database sqlite:x.db",
        "daybook --database sqlite:x.db token list",
        "daybook --database postgres://daybook:secret@db.example:5432/daybook serve",
        "daybook export --workspace a/b --format csv --database postgresql://db.example/daybook",
    ] {
        assert!(is_taken(line), "{}", refused(line));
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line_that_says_what_to_do() {
    for (line, told) in [
        ("daybook fly", "'fly'"),
        ("daybook tenant create Acme", "1 to 40 of the characters"),
        ("daybook tenant create audit", "is reserved"),
        ("daybook tenant create", "<SLUG>"),
        ("daybook workspace create growth", "TENANT/WORKSPACE"),
        (
            "daybook user create --email a --name A --role owner --password-stdin",
            "--workspace",
        ),
        (
            "daybook user create --email a --name A --role king --workspace a/b",
            "tenant_admin",
        ),
        ("daybook user password --email a", "--password-stdin"),
        ("daybook token create --workspace a/b --name ci", "--scope"),
        (
            "daybook token create --name ci --scope events:read",
            "--tenant",
        ),
        (
            "daybook token create --workspace a/b --tenant a --name ci --scope events:read",
            "cannot be used with",
        ),
        (
            "daybook token create --workspace a/b --name ci --scope all",
            "events:write",
        ),
        (
            "daybook token create --tenant a --name c --scope events:read --expires soon",
            "2026-05-31",
        ),
        ("daybook settings set --workspace a/b", "--retention"),
        ("daybook settings set --workspace a/b --now", "--retention"),
        (
            "daybook settings set --workspace a/b --retention 11y",
            "1y to 10y",
        ),
        ("daybook plan set --tenant a", "--min-retention"),
        (
            "daybook import --workspace a/b --format csv x",
            "daybook, cloudtrail, github",
        ),
        (
            "daybook import --workspace a/b --format github",
            "<FILE>...",
        ),
        ("daybook --database mysql:x token list", "sqlite:PATH"),
        ("daybook --database mysql:x token list", "postgres://"),
        (
            "daybook --database postgres://db:port/x token list",
            "no address of a PostgreSQL database",
        ),
        ("daybook serve --listen everywhere", "--listen"),
    ] {
        let refused = refused(line);
        assert!(refused.contains(told), "{line}: {refused}");
        assert!(
            !refused.contains('\n') && !refused.starts_with("error"),
            "{refused}"
        );
    }
}

#[test]
fn wrong_usage_ends_with_2_and_a_failure_with_1() {
    let usage = CommandError::from(AdministrationError::Invalid("too short".into()));
    assert_eq!(usage.status(), ExitCode::from(2));
    for failed in [
        CommandError::from(AdministrationError::Missing("tenant x".into())),
        CommandError::from(StoreError::DiskFull),
        CommandError::Told,
    ] {
        assert_eq!(failed.status(), ExitCode::from(1));
    }
}

#[test]
fn an_address_that_is_refused_is_not_repeated_with_its_password() {
    for line in [
        "daybook --database postgres://u:very-secret@h:port/db token list",
        "daybook --database mysql://u:very-secret@h/db token list",
        "daybook copy --from sqlite:x.db --to postgres://u:very-secret@h:port/db",
    ] {
        let told = refused(line);
        assert!(told.contains("invalid value for '--"), "{told}");
        assert!(!told.contains("very-secret"), "{told}");
    }
}
