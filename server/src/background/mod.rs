//! What the server does by itself, beside answering requests.

mod check;
mod retention;
mod witness;

use store::Store;
use tokio::task::JoinSet;

/// Begins the background work. Dropping what is given back ends it: each step of it is whole, and
/// what is left is done by whoever begins next.
pub fn begin(store: &Store) -> JoinSet<()> {
    let mut work = JoinSet::new();
    work.spawn(retention::expire(store.clone()));
    let covered = store.clone();
    work.spawn(async move { covered.keep_covered().await });
    work.spawn(check::check(store.clone()));
    witness::begin(&mut work, store);
    work
}
