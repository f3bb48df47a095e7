//! `daybook verify --export`: one thread reads, as many as there are cores check lines, and one takes them
//! in their order.

use super::super::{CommandError, import::unpacked, say};
use domain::{
    event::{Part, Parts},
    export::check::{
        CheckedFile, CheckedLine, Checker, FileFault, KeptCheckpoint, KeptStanding, LineFault,
        Trusted, check_line, read_keys,
    },
    formats::RECORD_MOST,
    proof::VerifierKey,
};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::{
    fs::{self, File},
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};
use store::proof::verify::Kept;

/// About so many bytes are checked at a time, in whole lines.
const PIECE: usize = 256 * 1024;
/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Some lines of a file.
struct Piece {
    bytes: Vec<u8>,
    /// What is wrong with the last line, which is not whole.
    broken: Option<&'static str>,
}

type Checked = Vec<Result<CheckedLine, LineFault>>;

/// Checks a file, and tells what that shows.
///
/// # Errors
///
/// It cannot be read, or the first thing that is wrong.
pub(super) async fn verify(
    path: PathBuf,
    keys: Option<&Path>,
    kept: Vec<Kept>,
) -> Result<(), CommandError> {
    let trusted = keys.map(trusted_keys).transpose()?;
    let name = if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let kept: Vec<KeptCheckpoint> = kept
        .into_iter()
        .map(|Kept { name, note }| KeptCheckpoint { name, note })
        .collect();
    let (told, with) = (name.clone(), trusted.clone());
    let checked = tokio::task::spawn_blocking(move || {
        let bar = bar_over(&path);
        let input = opened(&path, &bar);
        let checked = input.and_then(|input| checked(input, &bar));
        bar.finish_and_clear();
        let checker = match checked {
            Ok(checked) => checked,
            Err(error) => return Err(cannot_be_read(&told, &error)),
        };
        checker
            .and_then(|checker| checker.finish(with.as_deref(), &kept))
            .map_err(|fault| CommandError::Failed(in_place(&told, &fault)))
    })
    .await
    .unwrap_or_else(|_| Err(CommandError::Failed("checking the file failed".to_owned())))?;
    tell(&name, &checked)
}

/// What is wrong, and where: of a checkpoint that was kept, in its own file.
fn in_place(name: &str, fault: &FileFault) -> String {
    match fault {
        FileFault::Kept { .. } => fault.to_string(),
        _ => format!("{name}: {fault}"),
    }
}

fn cannot_be_read(name: &str, error: &io::Error) -> CommandError {
    CommandError::Failed(format!("{name} cannot be read: {error}"))
}

fn trusted_keys(path: &Path) -> Result<Vec<VerifierKey>, CommandError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| cannot_be_read(&name, &error))?;
    read_keys(&text).map_err(|error| CommandError::Failed(format!("{name}: {error}")))
}

/// A bar over the file's bytes; on a terminal only, and where it is known how many there are.
fn bar_over(path: &Path) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "Checking {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    );
    match fs::metadata(path) {
        Ok(about) if about.is_file() => ProgressBar::new(about.len())
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
        _ => ProgressBar::hidden(),
    }
}

fn opened(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == STANDARD_INPUT {
        return unpacked(io::stdin());
    }
    unpacked(bar.wrap_read(File::open(path)?))
}

/// Checks all lines.
fn checked(
    mut input: Box<dyn BufRead>,
    bar: &ProgressBar,
) -> io::Result<Result<Checker, FileFault>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let (mut work, mut results) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let (give, take) = sync_channel::<Piece>(1);
            let (tell, told) = sync_channel::<Checked>(1);
            work.push(give);
            results.push(told);
            scope.spawn(move || check_pieces(&take, &tell));
        }
        // Each takes every so-manieth piece, and gives it back in its turn.
        let taking = scope.spawn(move || take_in(&results));
        let mut read = Ok(());
        for give in work.iter().cycle() {
            match next_piece(&mut *input) {
                Ok(Some(piece)) => {
                    if give.send(piece).is_err() {
                        // Something was wrong before it.
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
        }
        drop(work);
        let taken = taking.join();
        bar.tick();
        let taken = taken.map_err(|_| io::Error::other("checking it failed"))?;
        match (taken, read) {
            // What was wrong before it could not be read any further is the first thing.
            (Err(fault), _) => Ok(Err(fault)),
            (Ok(_), Err(error)) => Err(error),
            (Ok(checker), Ok(())) => Ok(Ok(checker)),
        }
    })
}

/// The next lines; none at the end.
fn next_piece(input: &mut dyn BufRead) -> io::Result<Option<Piece>> {
    let mut bytes = Vec::with_capacity(PIECE + PIECE / 4);
    let mut broken = None;
    while bytes.len() < PIECE {
        let before = bytes.len();
        let read = input
            .take(RECORD_MOST as u64 + 1)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        if bytes.last() != Some(&b'\n') {
            broken = Some(if bytes.len() - before > RECORD_MOST {
                "is longer than any row can be"
            } else {
                "has no end: the file breaks off in it"
            });
            break;
        }
    }
    Ok((!bytes.is_empty()).then_some(Piece { bytes, broken }))
}

/// Checks pieces by themselves, until there are none, or nobody takes them any more.
fn check_pieces(take: &Receiver<Piece>, tell: &SyncSender<Checked>) {
    for piece in take {
        let whole = piece.bytes.strip_suffix(b"\n").unwrap_or(&piece.bytes);
        let mut checked: Checked = whole.split(|byte| *byte == b'\n').map(check_line).collect();
        if let (Some(reason), Some(last)) = (piece.broken, checked.last_mut()) {
            *last = Err(LineFault {
                field: None,
                reason: reason.to_owned(),
            });
        }
        if tell.send(checked).is_err() {
            return;
        }
    }
}

/// Takes what was checked, in the order of the file.
fn take_in(results: &[Receiver<Checked>]) -> Result<Checker, FileFault> {
    let mut checker = Checker::new();
    for told in results.iter().cycle() {
        let Ok(lines) = told.recv() else {
            break;
        };
        for line in lines {
            checker.take(line)?;
        }
    }
    Ok(checker)
}

/// What a file that is right shows, and what it does not.
fn tell(name: &str, file: &CheckedFile) -> Result<(), CommandError> {
    let origin = &file.checkpoint.origin;
    let size = HumanCount(file.checkpoint.size);
    match file.rows {
        0 => say(format_args!(
            "{name}: no entries, under a checkpoint of {origin}, whose log had {size} entries"
        ))?,
        rows => say(format_args!(
            "{name}: all {} entries are in the log of {origin} as it was signed with {size} entries, and \
             what the file shows of them is what was recorded",
            HumanCount(rows)
        ))?,
    }
    tell_parts(file)?;
    let key = &file.key;
    match file.trusted {
        Trusted::Given => say(format_args!(
            "The checkpoint is signed by a key that you named with --keys: {key}"
        ))?,
        Trusted::OfTheFile => say(format_args!(
            "The checkpoint is signed by a key that the file itself names: {key}\nSo the file is of one \
             piece; who made it is not shown: anybody can sign what they made up with a key of their own. \
             Compare the key with one that you have from elsewhere, or name those that you trust with \
             --keys."
        ))?,
    }
    for (name, size, standing) in &file.kept {
        let size = HumanCount(*size);
        say(match standing {
            KeptStanding::Same => {
                format!("{name} is of the same {size} entries: both tell of one log.")
            }
            KeptStanding::Older | KeptStanding::Newer => format!(
                "{name} is a checkpoint of the same log, of {size} entries, and well signed. Not checked: \
                 that the shorter of the two is the beginning of the longer. No file tells that: \
                 /api/v1/proof/consistency does, or daybook verify --checkpoint beside the log."
            ),
        })?;
    }
    say(
        "Not shown by any such file: that no entry is missing between these, and in which order they are to \
         stand. Not proved, being read into entries when they are shown: verb and category where given does \
         not name them, and deactivated.",
    )
}

/// Which parts the rows show.
fn tell_parts(file: &CheckedFile) -> Result<(), CommandError> {
    if file.rows == 0 {
        return Ok(());
    }
    let (all, none) = (file.shown_by_all(), file.shown_by_none());
    if all == Parts::ALL {
        say("Each shows all of its parts.")?;
    } else if !all.is_empty() {
        say(format_args!("Each shows: {}.", listed(all)))?;
    }
    if !none.is_empty() {
        say(format_args!(
            "Not shown, nothing but their hashes: {}.",
            listed(none)
        ))?;
    }
    let counts = Part::ALL.iter().zip(file.shown.iter().zip(&file.erased));
    for (part, (shown, erased)) in counts {
        if !all.has(*part) && !none.has(*part) {
            say(format_args!("{} of them show: {part}.", HumanCount(*shown)))?;
        }
        if *erased > 0 {
            say(format_args!(
                "Erased of {} of them, they say: {part}. Ids that stand in its place are pseudonyms, and \
                 not proved.",
                HumanCount(*erased)
            ))?;
        }
    }
    Ok(())
}

fn listed(parts: Parts) -> String {
    let names: Vec<&str> = parts.iter().map(Part::as_str).collect();
    names.join(", ")
}
