//! Why something could not be measured.

use domain::event::FieldError;
use std::{io, path::PathBuf};
use store::{
    StoreError, access::MissingScope, administration::AdministrationError, question::QuestionError,
    recording::RecordError, settings::SettingsError,
};

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The network, or a program that was started.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Tenants, workspaces, people and tokens.
    #[error(transparent)]
    Administration(#[from] AdministrationError),
    /// A workspace's settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A token's rights.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// Recording.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An event that was not let in.
    #[error("an event was refused: {0:?}")]
    Refused(Vec<FieldError>),
    /// A question that was not answered.
    #[error("{question}: {source}")]
    Question {
        /// The question.
        question: String,
        /// Why not.
        source: QuestionError,
    },
    /// The plain table.
    #[error("the plain table: {0}")]
    Plain(#[from] sqlx::Error),
    /// The PostgreSQL server.
    #[error("the PostgreSQL server: {0}")]
    Postgres(#[source] sqlx::Error),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Anything else that is not as it must be to be measured.
    #[error("{0}")]
    Unfit(String),
}

impl BenchError {
    /// A file or folder cannot be used.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
