//! The command line: one file for each subcommand.

mod arguments;
mod backup;
mod blame;
mod copy;
mod demo;
mod erase;
mod export;
mod hold;
mod import;
mod kept;
mod key;
mod plan;
mod reindex;
mod retention;
mod serve;
mod settings;
mod tenant;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod verify;
mod witness;
mod workspace;

use crate::environment::{self, VariableError};
use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};
use store::{
    DatabaseUrl, Options, PostgresUrl, Store, StoreError,
    administration::{AdministrationError, By},
    backup::BackupError,
    clock::{Clock, SystemClock},
    error::Moving,
    holds::HoldError,
    recording::RecordError,
    settings::SettingsError,
};
use tokio::signal::unix::{SignalKind, signal};

/// Daybook, a self-hosted audit log: who changed that, and when?
#[derive(Debug, Parser)]
#[command(name = "daybook", version, after_help = environment::help())]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Where the log is: sqlite:PATH, or `postgres://USER:PASSWORD@HOST/DATABASE` [default:
    /// `DAYBOOK_DATABASE_URL`, else sqlite:data/daybook.db]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// A read replica of the PostgreSQL database, which `serve` and `export` read from as far as it has
    /// kept up: `postgres://USER:PASSWORD@HOST/DATABASE` [default: `DAYBOOK_DATABASE_READ_URL`]
    #[arg(long, global = true, value_name = "URL")]
    read_database: Option<PostgresUrl>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    #[command(flatten)]
    OnTheLog(OnTheLog),
    Backup(backup::Backup),
    Copy(copy::Copy),
    Reindex(reindex::Reindex),
    Verify(verify::Verify),
    Erase(erase::Erase),
}

/// What is done on a log that is open.
#[derive(Debug, Subcommand)]
enum OnTheLog {
    /// Customer organizations
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Accounts inside a tenant
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// People who sign in
    #[command(subcommand)]
    User(user::User),
    /// API tokens, with which applications send and read events
    #[command(subcommand)]
    Token(token::Token),
    /// How long a workspace keeps its events, and whether it records
    #[command(subcommand)]
    Settings(settings::Settings),
    /// What the operator allows the workspaces of a tenant
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Deleting what has expired
    #[command(subcommand)]
    Retention(retention::Retention),
    /// Legal holds: while one stands, nothing of its workspace is deleted
    #[command(subcommand)]
    Hold(hold::Hold),
    /// The key that signs checkpoints
    #[command(subcommand)]
    Key(key::Key),
    /// Who keeps checkpoints outside this installation
    #[command(subcommand)]
    Witness(witness::Witness),
    Import(import::Import),
    Export(export::Export),
    Blame(blame::Blame),
}

/// Where the log and its secrets are.
#[derive(Debug)]
struct Installation {
    database: DatabaseUrl,
    /// What is read from beside it.
    replica: Option<PostgresUrl>,
    key_file: Option<PathBuf>,
}

/// Why a command did not do all that was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was asked wrongly.
    #[error("{0}")]
    Usage(String),
    /// An environment variable cannot be read.
    #[error(transparent)]
    Environment(#[from] VariableError),
    /// Something failed.
    #[error("{0}")]
    Failed(String),
    /// Something failed, and was told when it did.
    #[error("not everything was done")]
    Told,
    /// What was printed could not be written.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The store failed.
    #[error("{}", advise(.0))]
    Store(#[from] StoreError),
}

impl From<AdministrationError> for CommandError {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Store(error) => Self::Store(error),
            AdministrationError::Slug(_) | AdministrationError::Invalid(_) => {
                Self::Usage(error.to_string())
            }
            AdministrationError::Exists(_)
            | AdministrationError::Missing(_)
            | AdministrationError::LastOwner(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Store(error) => Self::Store(error),
            SettingsError::ReadOnly | SettingsError::NothingPending => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<HoldError> for CommandError {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Store(error) => Self::Store(error),
            HoldError::ReadOnly | HoldError::Stands(_) | HoldError::NoneStands => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<BackupError> for CommandError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => Self::Store(error),
            BackupError::Exists(_) | BackupError::File { .. } | BackupError::OnAServer => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<RecordError> for CommandError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => Self::Store(error),
            RecordError::Busy { .. } => Self::Failed(error.to_string()),
        }
    }
}

/// What went wrong, and what to do about it.
fn advise(error: &StoreError) -> String {
    let todo = match error {
        StoreError::DiskFull => "make room and try again; nothing that was recorded is lost",
        StoreError::ReadOnly(_) => {
            "check that the database's folder and files belong to the user who runs this"
        }
        StoreError::Indexing { .. } => "try again when it is made",
        StoreError::Unavailable(_) | StoreError::NodeUnavailable(_) => {
            "nothing was done; try again when the server answers"
        }
        StoreError::Moving(Moving::Now) => "try again when daybook copy is done",
        StoreError::Moving(Moving::Done) => "name the other database, with --database",
        StoreError::BeingCopied(_) => {
            "run daybook copy again to go on with it, or name another database"
        }
        StoreError::InDoubt(_) => "look whether it was done before you try again",
        StoreError::Keys(_)
        | StoreError::Replica(_)
        | StoreError::Damaged(_)
        | StoreError::Database(_)
        | StoreError::Closing => {
            return error.to_string();
        }
    };
    format!("{error}: {todo}")
}

impl CommandError {
    /// Says on standard error what went wrong, in one line.
    pub fn tell(&self) {
        if !matches!(self, Self::Told) {
            complain(self);
        }
    }

    /// 1 where something failed, 2 where it was asked wrongly.
    pub fn status(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Environment(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Told | Self::Output(_) | Self::Store(_) => ExitCode::from(1),
        }
    }
}

/// A line on standard error, with the program's name. Where nobody can read it, nothing is lost.
fn complain(what: impl Display) {
    // Of a file that was forged too: nothing of it moves the cursor.
    let line = what.to_string().replace(char::is_control, " ");
    let _ = writeln!(io::stderr(), "daybook: {line}");
}

/// A remark on standard error.
fn remark(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// A line on standard output. Whoever stops reading it (`| head`) has had enough: no failure.
fn say(line: impl Display) -> Result<(), CommandError> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Answers a command line that clap did not take: help and version on standard output, what is
/// wrong in one line on standard error.
pub fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(2)
        }
        _ => {
            complain(in_one_line(error));
            ExitCode::from(2)
        }
    }
}

/// What clap says in paragraphs, in one line: what is wrong, its tips, and where help is.
fn in_one_line(error: &clap::Error) -> String {
    let mut told = error.render().to_string();
    // An address may have a password in it, and what is complained of is kept in logs.
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && value.contains("://")
    {
        told = told.replace(&format!("'{value}' "), "");
    }
    let mut parts = Vec::new();
    for paragraph in told.split("\n\n") {
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(usage) = words.strip_prefix("Usage: ") {
            // `daybook token create --scope <SCOPE> …`: the command alone.
            let command: Vec<_> = usage
                .split(' ')
                .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
                .collect();
            parts.push(format!("see {} --help", command.join(" ")));
        } else if !words.is_empty() && !words.starts_with("For more information") {
            parts.push(words.strip_prefix("error: ").unwrap_or(&words).to_owned());
        }
    }
    parts.join("; ")
}

impl Installation {
    /// Opens the log with the machine's clock.
    async fn open(&self) -> Result<Store, CommandError> {
        self.open_at(Arc::new(SystemClock)).await
    }

    /// Opens the log, whose schema is brought up to date; its folder is made where it is missing.
    async fn open_at(&self, clock: Arc<dyn Clock>) -> Result<Store, CommandError> {
        // With PostgreSQL only the key file is here.
        let key_file = self.key_file();
        let here = match &self.database {
            DatabaseUrl::Sqlite(path) => path,
            DatabaseUrl::Postgres(_) => &key_file,
        };
        if let Some(folder) = here
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(|error| {
                CommandError::Failed(format!(
                    "the database's folder {} cannot be made: {error}",
                    folder.display()
                ))
            })?;
        }
        let options = Options {
            clock,
            ..self.options()
        };
        Ok(Store::open(options).await?)
    }

    /// How the log is opened with the machine's clock.
    fn options(&self) -> Options {
        Options {
            replica: self.replica.clone(),
            key_file: self.key_file.clone(),
            ..Options::new(self.database.clone())
        }
    }

    /// Where the installation's secrets are.
    fn key_file(&self) -> PathBuf {
        self.options().key_file()
    }
}

/// Resolves when the program is told to stop, by SIGTERM or Ctrl-C.
fn told_to_stop() -> Result<impl Future<Output = ()>, CommandError> {
    let cannot = |error| CommandError::Failed(format!("signals cannot be taken: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The operator, by the name of the operating system's user.
fn operator() -> By {
    let name = whoami::username();
    By::operator(name.as_deref().unwrap_or("unknown"))
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    ///
    /// It could not be done, or not all of it.
    pub async fn run(self) -> Result<(), CommandError> {
        if let (Command::Copy(_), Some(_)) = (&self.command, &self.database) {
            return Err(CommandError::Usage(
                "copy names its databases with --from and --to, not with --database".to_owned(),
            ));
        }
        let database = match self.database {
            Some(database) => database,
            None => environment::DATABASE_URL.value()?,
        };
        // What reads little goes without: it would only wait for one that is away.
        let replica = match self.read_database {
            _ if !self.command.reads_much() => None,
            Some(replica) => Some(replica),
            None => environment::DATABASE_READ_URL.get()?,
        };
        if let (DatabaseUrl::Sqlite(_), Some(replica)) = (&database, &replica) {
            return Err(CommandError::Usage(format!(
                "{replica} is named as a read replica ({}), which only a log on PostgreSQL has; this \
                 one is {database}",
                environment::DATABASE_READ_URL.name
            )));
        }
        let installation = Installation {
            database,
            replica,
            key_file: environment::KEY_FILE.get()?,
        };
        match self.command {
            Command::Serve(serve) => serve.run(&installation).await,
            Command::Demo(demo) => demo.run(&installation).await,
            Command::Backup(backup) => backup.run(&installation).await,
            Command::Copy(copy) => copy.run(installation.key_file).await,
            Command::Reindex(reindex) => reindex.run(&installation).await,
            Command::Verify(verify) => verify.run(&installation).await,
            Command::Erase(erase) => erase.run(&installation).await,
            Command::OnTheLog(command) => {
                let store = installation.open().await?;
                let done = command.run(&store, &operator()).await;
                store.close().await;
                done
            }
        }
    }
}

impl Command {
    /// Whether a read replica is of use to it.
    const fn reads_much(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::OnTheLog(OnTheLog::Export(_)))
    }
}

impl OnTheLog {
    async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Tenant(tenant) => tenant.run(store, by).await,
            Self::Workspace(workspace) => workspace.run(store, by).await,
            Self::User(user) => user.run(store, by).await,
            Self::Token(token) => token.run(store, by).await,
            Self::Settings(settings) => settings.run(store, by).await,
            Self::Plan(plan) => plan.run(store, by).await,
            Self::Retention(retention) => retention.run(store, by).await,
            Self::Hold(hold) => hold.run(store, by).await,
            Self::Key(key) => key.run(store, by).await,
            Self::Witness(witness) => witness.run(store, by).await,
            Self::Import(import) => import.run(store, by).await,
            Self::Export(export) => export.run(store, by).await,
            Self::Blame(blame) => blame.run(store).await,
        }
    }
}
