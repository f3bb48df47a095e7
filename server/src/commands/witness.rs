//! `daybook witness`.

use super::{CommandError, arguments::minute, remark, say};
use crate::witness::{Address, Folder};
use clap::{ArgGroup, Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use domain::proof::WitnessKey;
use std::{
    io::{self, BufRead, IsTerminal},
    path,
    path::PathBuf,
    time::Duration,
};
use store::{
    Store,
    access::Secret,
    administration::By,
    proof::witness::{NewWitness, Place, WitnessListed},
};

#[derive(Debug, Subcommand)]
pub enum Witness {
    // In a box: it is much larger than the others.
    Add(Box<Add>),
    /// Removes a witness: it gets no more checkpoints. What it holds it keeps
    Remove {
        /// Its name
        name: String,
    },
    /// Lists witnesses, with what they hold of each tenant, and since when they take nothing
    List,
}

/// Adds a witness, which gets each tenant's newest checkpoint from now on
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").required(true))]
pub struct Add {
    /// By which name it is removed again
    name: String,
    /// A folder of this machine: each tenant has a file there, to which every checkpoint is added
    #[arg(long, value_name = "FOLDER", group = "place")]
    folder: Option<PathBuf>,
    /// An address that takes the checkpoint as the body of a POST
    #[arg(long, value_name = "URL", group = "place")]
    webhook: Option<Address>,
    /// Another Daybook, which records the checkpoint as an event; needs --token-stdin
    #[arg(long, value_name = "URL", group = "place", requires = "token_stdin")]
    daybook: Option<Address>,
    /// A witness that speaks C2SP tlog-witness, by its submission prefix; needs --key
    #[arg(long, value_name = "URL", group = "place", requires = "key")]
    tlog: Option<Address>,
    /// The verifier key of the witness, as it publishes it: NAME+ID+KEY, of Ed25519 cosignatures
    #[arg(long, value_parser = key, requires = "tlog")]
    key: Option<WitnessKey>,
    /// The other Daybook's token, with the scope events:write, is the first line of standard input
    #[arg(long, requires = "daybook")]
    token_stdin: bool,
    /// How many seconds there are at least between two checkpoints of a tenant
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    every: u32,
}

fn key(text: &str) -> Result<WitnessKey, String> {
    text.parse().map_err(|_| {
        "is not a witness's verifier key of Ed25519 cosignatures, which is written NAME+ID+KEY"
            .to_owned()
    })
}

impl Add {
    fn place(&self) -> Result<Place, CommandError> {
        let Self {
            folder,
            webhook,
            daybook,
            tlog,
            key,
            ..
        } = self;
        if let Some(folder) = folder {
            // The server that writes there may be started elsewhere.
            let cannot = |error: io::Error| {
                CommandError::Failed(format!("{} cannot be used: {error}", folder.display()))
            };
            let folder = path::absolute(folder).map_err(cannot)?;
            let folder = folder.to_string_lossy().into_owned();
            Folder::new(&folder).make().map_err(cannot)?;
            return Ok(Place::File(folder));
        }
        match (webhook, daybook, tlog, key) {
            (Some(address), ..) => Ok(Place::Webhook(address.to_string())),
            (_, Some(address), ..) => Ok(Place::Daybook(address.to_string(), token()?)),
            (_, _, Some(address), Some(key)) => Ok(Place::Tlog(address.to_string(), key.clone())),
            _ => Err(CommandError::Usage(
                "a witness is one of --folder, --webhook, --daybook, --tlog".to_owned(),
            )),
        }
    }
}

/// The token of another Daybook.
fn token() -> Result<Secret, CommandError> {
    let mut input = io::stdin().lock();
    if io::stdin().is_terminal() {
        remark("The other Daybook's token, then Enter (it is shown as you type):");
    }
    let mut line = String::new();
    input.read_line(&mut line).map_err(|error| {
        CommandError::Usage(format!(
            "the token cannot be read from standard input: {error}"
        ))
    })?;
    let token = line.trim();
    if token.starts_with("dbk_") && token.chars().all(|letter| letter.is_ascii_graphic()) {
        Ok(Secret::from(token.to_owned()))
    } else {
        Err(CommandError::Usage(
            "the first line of standard input is no token of a Daybook, which begins with dbk_"
                .to_owned(),
        ))
    }
}

impl Witness {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Add(add) => {
                let new = NewWitness {
                    place: add.place()?,
                    name: add.name,
                    every: Duration::from_secs(add.every.into()),
                };
                store.add_witness(&new, by).await?;
                say(format_args!(
                    "Each tenant's newest checkpoint is brought to {} while the server runs.",
                    new.name
                ))
            }
            Self::Remove { name } => {
                store.remove_witness(&name, by).await?;
                say(format_args!("{name} gets no more checkpoints."))
            }
            Self::List => {
                let witnesses = store.listed_witnesses().await?;
                if witnesses.is_empty() {
                    remark(
                        "There are no witnesses: whoever controls this machine could write another \
                         history and sign it (daybook witness add --help).",
                    );
                    return Ok(());
                }
                say(table(&witnesses))
            }
        }
    }
}

/// The witnesses as a table, a line for each tenant.
fn table(witnesses: &[WitnessListed]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "WITNESS",
            "KIND",
            "WHERE",
            "TENANT",
            "HOLDS",
            "SINCE",
            "TAKES NOTHING SINCE",
            "WHY",
        ]);
    for witness in witnesses {
        let row = |tenant: &str, holds: [String; 4]| {
            [
                witness.name.clone(),
                witness.kind.clone(),
                witness.address.clone(),
                tenant.to_owned(),
            ]
            .into_iter()
            .chain(holds)
        };
        if witness.holds.is_empty() {
            table.add_row(row("-", ["nothing yet", "-", "-", "-"].map(str::to_owned)));
        }
        for holds in &witness.holds {
            let (size, at) = match holds.newest {
                Some((size, at)) => (format!("{size} entries"), minute(at)),
                None => ("nothing yet".to_owned(), "-".to_owned()),
            };
            let (since, why) = match &holds.failing {
                Some((since, why)) => (minute(*since), why.clone()),
                None => ("-".to_owned(), "-".to_owned()),
            };
            table.add_row(row(holds.tenant.as_str(), [size, at, since, why]));
        }
    }
    table.trim_fmt()
}
