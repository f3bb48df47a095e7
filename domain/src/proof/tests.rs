//! Against the definitions of RFC 9162 as they stand there, and notes that others signed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as expected fails the test"
)]

use super::*;
use crate::{leaf::Hash, slug::Slug};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::ops::Range;

fn leaf(number: u64) -> Hash {
    Hash(Sha256::digest(number.to_be_bytes()).into())
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(leaf).collect()
}

/// The largest power of two below `size`.
fn below(size: usize) -> usize {
    let mut power = 1;
    while power * 2 < size {
        power *= 2;
    }
    power
}

/// `PATH` of RFC 9162, section 2.1.3.1.
fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = below(d.len());
    let (mut found, other) = if m < k {
        (path(m, &d[..k]), &d[k..])
    } else {
        (path(m - k, &d[k..]), &d[..k])
    };
    found.push(root(other));
    found
}

/// `SUBPROOF` of RFC 9162, section 2.1.4.1.
fn subproof(m: usize, d: &[Hash], b: bool) -> Vec<Hash> {
    if m == d.len() {
        return if b { Vec::new() } else { vec![root(d)] };
    }
    let k = below(d.len());
    let (mut found, other) = if m <= k {
        (subproof(m, &d[..k], b), &d[k..])
    } else {
        (subproof(m - k, &d[k..], false), &d[..k])
    };
    found.push(root(other));
    found
}

fn over(leaves: &[Hash], ranges: &[Range<u64>]) -> Vec<Hash> {
    let place = |at: u64| usize::try_from(at).unwrap();
    ranges
        .iter()
        .map(|range| root(&leaves[place(range.start)..place(range.end)]))
        .collect()
}

/// All tiles of a tree, and its edge.
fn grown(size: u64) -> (Edge, Tiles) {
    let (mut edge, mut tiles) = (Edge::default(), Tiles::default());
    for number in 0..size {
        edge.push(leaf(number), |id, tile| {
            assert_eq!(tile.len(), TILE);
            assert!(tiles.0.insert(id, tile).is_none(), "{id:?} came twice");
        });
    }
    tiles
        .0
        .extend(edge.growing().map(|(id, tile)| (id, tile.to_vec())));
    (edge, tiles)
}

#[test]
fn the_paths_of_every_small_tree_are_those_of_the_definition() {
    for size in 0..40 {
        let all = leaves(size);
        let (edge, tiles) = grown(size);
        assert_eq!(edge.root(), root(&all), "{size}");
        for index in 0..size {
            let place = usize::try_from(index).unwrap();
            let ranges = inclusion_ranges(index, size).unwrap();
            let expected = path(place, &all);
            assert_eq!(over(&all, &ranges), expected, "{index} of {size}");
            assert_eq!(
                tiles.path(&ranges),
                Some(expected.clone()),
                "{index} of {size}"
            );
            assert_eq!(
                inclusion_path(&all, place),
                Some(expected),
                "{index} of {size}"
            );
        }
        for from in 1..=size {
            let older = &all[..usize::try_from(from).unwrap()];
            let ranges = consistency_ranges(from, size).unwrap();
            let expected = subproof(older.len(), &all, true);
            assert_eq!(over(&all, &ranges), expected, "{from} to {size}");
            assert_eq!(
                tiles.path(&ranges),
                Some(expected.clone()),
                "{from} to {size}"
            );
            let (from, to) = ((from, root(older)), (size, root(&all)));
            assert_eq!(
                check_consistency(from, to, &expected),
                Ok(()),
                "{from:?} to {to:?}"
            );
        }
    }
}

#[test]
fn a_larger_trees_tiles_say_everything_of_a_smaller_one() {
    // Beyond a whole tile of the second level.
    const LARGEST: u64 = 66_100;
    let all = leaves(LARGEST);
    let (_, tiles) = grown(LARGEST);
    let mut edge = Edge::default();
    for (number, leaf) in (1..=LARGEST).zip(&all) {
        edge.push(*leaf, |id, tile| assert_eq!(tiles.0.get(&id), Some(&tile)));
        if [
            1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, LARGEST,
        ]
        .contains(&number)
        {
            assert_eq!(Edge::of(number, &tiles).as_ref(), Ok(&edge), "{number}");
            let ids: Vec<TileId> = edge.growing().map(|(id, _)| id).collect();
            let expected: Vec<TileId> = Edge::tiles_of(number)
                .into_iter()
                .map(|(id, _)| id)
                .collect();
            assert_eq!(ids, expected, "{number}");
            let older = &all[..usize::try_from(number).unwrap()];
            assert_eq!(tiles.hash_over(&(0..number)), Some(root(older)), "{number}");
            assert_eq!(edge.root(), root(older), "{number}");
            let ranges = consistency_ranges(number, LARGEST).unwrap();
            let path = tiles.path(&ranges).unwrap();
            let (from, to) = ((number, root(older)), (LARGEST, root(&all)));
            assert_eq!(check_consistency(from, to, &path), Ok(()), "{number}");
            let needed = Tiles::needed(&ranges);
            assert!(needed.iter().all(|id| tiles.0.contains_key(id)), "{number}");
            let only = needed
                .into_iter()
                .map(|id| (id, tiles.0[&id].clone()))
                .collect();
            assert_eq!(
                Tiles(only).path(&ranges),
                Some(path),
                "{number}: what is needed is enough"
            );
        }
    }
}

#[test]
fn an_edge_without_its_tiles_is_refused() {
    let (_, mut tiles) = grown(700);
    let edge = Edge::of(700, &tiles);
    assert!(edge.is_ok());
    let last = TileId { level: 0, index: 2 };
    tiles.0.get_mut(&last).unwrap().pop();
    let fault = EdgeError {
        level: 0,
        held: 187,
        expected: 188,
    };
    assert_eq!(Edge::of(700, &tiles), Err(fault));
    tiles.0.remove(&TileId { level: 1, index: 0 });
    let fault = EdgeError {
        level: 1,
        held: 0,
        expected: 2,
    };
    assert_eq!(Edge::of(512, &tiles), Err(fault));
}

#[test]
fn a_leaf_outside_the_tree_has_no_path() {
    assert_eq!(inclusion_path(&leaves(4), 4), None);
    let outside = root_from_path(&leaf(4), 4, 4, &[]);
    assert_eq!(outside, Err(InclusionError::Outside));
    assert_eq!(consistency_ranges(5, 4), None);
}

#[test]
fn nothing_is_the_beginning_of_every_tree_and_a_tree_of_itself_alone() {
    let all = leaves(3);
    let (nothing, some) = ((0, root(&[])), (3, root(&all)));
    assert_eq!(consistency_ranges(0, 3), Some(vec![]));
    assert_eq!(check_consistency(nothing, some, &[]), Ok(()));
    assert_eq!(check_consistency(some, some, &[]), Ok(()));
    assert_eq!(
        check_consistency(some, some, &all),
        Err(ConsistencyError::Misfit)
    );
    assert_eq!(
        check_consistency(some, nothing, &[]),
        Err(ConsistencyError::Shrunk)
    );
    assert_eq!(
        check_consistency((0, leaf(1)), some, &[]),
        Err(ConsistencyError::Older)
    );
    assert_eq!(
        check_consistency((3, leaf(1)), some, &[]),
        Err(ConsistencyError::Older)
    );
}

// The example of Go's golang.org/x/mod/sumdb/note.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer() -> Signer {
    Signer::new("daybook/one/acme", &[7; 32]).unwrap()
}

fn keys(texts: &[&str]) -> Vec<VerifierKey> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_note_that_another_program_signed_is_verified() {
    let keys = keys(&[GO_KEY]);
    let note: Note = GO_NOTE.parse().unwrap();
    assert_eq!(note.verified_by(&keys), Ok(&keys[0]));
    assert_eq!(note.to_string(), GO_NOTE);
    assert_eq!(keys[0].to_string(), GO_KEY);
    assert_eq!(keys[0].name(), "PeterNeumann");
}

#[test]
fn a_key_of_another_name_or_id_or_kind_is_none() {
    for bad in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNewman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcMQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
    ] {
        assert_eq!(bad.parse::<VerifierKey>(), Err(KeyError), "{bad}");
    }
    for bad in ["", "two words", "one+two", "a\u{a0}b", "a\nb"] {
        assert!(Signer::new(bad, &[7; 32]).is_err(), "{bad:?}");
    }
    assert_eq!(
        VerifierKey::new("zero", &[0; 32]),
        Err(KeyError),
        "a key that signs everything"
    );
}

#[test]
fn who_else_signed_is_passed_over_and_who_is_known_must_have() {
    let ours = signer();
    let mut note = ours.sign("one\n\nthree\n".to_owned());
    let known = [ours.verifier()];
    let go = keys(&[GO_KEY]);
    assert_eq!(note.verified_by(&known), Ok(&known[0]));
    assert_eq!(note.verified_by(&go), Err(NoteError::Unknown));
    assert_eq!(note.verified_by(&[]), Err(NoteError::Unknown));
    // A witness that we do not know, and one with our name.
    for name in ["witness.example/w1", "daybook/one/acme"] {
        note.signatures.insert(
            0,
            NoteSignature {
                name: name.to_owned(),
                key_id: [1, 2, 3, 4],
                signature: vec![9; 72],
            },
        );
    }
    assert_eq!(note.verified_by(&known), Ok(&known[0]));
    assert_eq!(note.to_string().parse(), Ok(note.clone()));
    // Our name and id, and not our signature.
    let mut line = note.signatures[2].clone();
    line.signature[5] ^= 1;
    note.signatures.push(line);
    assert_eq!(note.verified_by(&known), Err(NoteError::Altered));
}

#[test]
fn what_is_no_note_is_refused() {
    for bad in [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        GO_NOTE.trim_end().to_owned(),
        GO_NOTE.replace('\u{2014}', "-"),
        GO_NOTE.replace("x08go", "x08"),
        GO_NOTE.replace("PeterNeumann ", "Peter+Neumann "),
        GO_NOTE.replace("PeterNeumann ", ""),
        GO_NOTE.replace("problem,", "problem,\r"),
        format!("{GO_NOTE}\n"),
        format!("{GO_NOTE}more\n"),
    ] {
        assert_eq!(bad.parse::<Note>(), Err(NoteError::Malformed), "{bad:?}");
    }
}

fn checkpoint(size: u64) -> Checkpoint {
    let tenant: Slug = "acme".parse().unwrap();
    let installation = uuid::Uuid::from_bytes([0xab; 16]);
    Checkpoint {
        origin: Origin::new(installation, &tenant),
        size,
        root: root(&leaves(3)),
    }
}

#[test]
fn a_checkpoint_is_three_lines() {
    let text = "daybook/abababab-abab-abab-abab-abababababab/acme\n3\n";
    let written = checkpoint(3).to_string();
    let root = written.strip_prefix(text).unwrap();
    assert_eq!(root.len(), 45);
    let (_, other) = grown(3);
    assert_eq!(checkpoint(3).root, other.hash_over(&(0..3)).unwrap());
    // What witnesses add under them does not change it.
    assert_eq!(format!("{written}more\n").parse(), Ok(checkpoint(3)));
    for bad in [
        String::new(),
        written.trim_end().to_owned(),
        written.replace("\n3\n", "\n03\n"),
        written.replace("\n3\n", "\n+3\n"),
        written.replace("\n3\n", "\n-3\n"),
        written.replace("\n3\n", "\n18446744073709551616\n"),
        written.replace("=\n", "\n"),
        format!("{written}\n"),
        format!("\n{written}"),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(CheckpointError), "{bad:?}");
    }
}

#[test]
fn a_signed_checkpoint_is_a_note_of_its_origins_key() {
    let checkpoint = checkpoint(3);
    let signer = Signer::new(checkpoint.origin.as_str(), &[7; 32]).unwrap();
    let note = checkpoint.sign(&signer);
    let known = [signer.verifier()];
    let read: Note = note.to_string().parse().unwrap();
    assert_eq!(read.verified_by(&known), Ok(&known[0]));
    assert_eq!(Checkpoint::try_from(&read), Ok(checkpoint));
}

fn tree() -> impl Strategy<Value = (Vec<Hash>, usize)> {
    proptest::collection::vec(any::<[u8; 32]>().prop_map(Hash), 1..70).prop_flat_map(|leaves| {
        let size = leaves.len();
        (Just(leaves), 0..size)
    })
}

proptest! {
    #[test]
    fn a_path_leads_from_its_leaf_to_the_root((leaves, index) in tree()) {
        let path = inclusion_path(&leaves, index).unwrap();
        let found = root_from_path(&leaves[index], index as u64, leaves.len() as u64, &path);
        prop_assert_eq!(found, Ok(root(&leaves)));
    }

    #[test]
    fn a_path_proves_no_other_leaf_and_no_other_place((leaves, index) in tree(), other in any::<[u8; 32]>()) {
        let size = leaves.len() as u64;
        let path = inclusion_path(&leaves, index).unwrap();
        let real = Ok(root(&leaves));
        prop_assert_ne!(root_from_path(&Hash(other), index as u64, size, &path), real);
        for place in (0..size).filter(|place| *place != index as u64) {
            prop_assert_ne!(root_from_path(&leaves[index], place, size, &path), real);
        }
    }

    #[test]
    fn a_path_that_is_too_long_or_too_short_is_refused((leaves, index) in tree()) {
        let (place, size) = (index as u64, leaves.len() as u64);
        let mut path = inclusion_path(&leaves, index).unwrap();
        path.push(leaves[0]);
        prop_assert_eq!(
            root_from_path(&leaves[index], place, size, &path),
            Err(InclusionError::TooLong)
        );
        path.pop();
        if path.pop().is_some() {
            prop_assert_eq!(
                root_from_path(&leaves[index], place, size, &path),
                Err(InclusionError::TooShort)
            );
        }
    }

    #[test]
    fn no_path_makes_another_tree_the_beginning((leaves, older) in tree(), other in any::<[u8; 32]>()) {
        let older = older + 1;
        let ranges = consistency_ranges(older as u64, leaves.len() as u64).unwrap();
        let path = over(&leaves, &ranges);
        let (from, to) = ((older as u64, root(&leaves[..older])), (leaves.len() as u64, root(&leaves)));
        prop_assert_eq!(check_consistency(from, to, &path), Ok(()));
        prop_assert!(check_consistency((from.0, Hash(other)), to, &path).is_err());
        prop_assert!(check_consistency(from, (to.0, Hash(other)), &path).is_err());
        for at in 0..path.len() {
            let mut altered = path.clone();
            altered[at] = Hash(other);
            prop_assert!(check_consistency(from, to, &altered).is_err());
            altered.remove(at);
            prop_assert!(check_consistency(from, to, &altered).is_err());
        }
        let mut longer = path;
        longer.push(Hash(other));
        prop_assert!(check_consistency(from, to, &longer).is_err());
    }

    #[test]
    fn a_note_is_read_as_it_was_written(text in "[ -~\u{e9}\u{4e2d}\n]{0,80}", key in any::<[u8; 32]>()) {
        let signer = Signer::new("a", &key).unwrap();
        let note = signer.sign(format!("{text}\n"));
        let read: Note = note.to_string().parse().unwrap();
        let known = [signer.verifier()];
        prop_assert_eq!(read.verified_by(&known), Ok(&known[0]));
        prop_assert_eq!(&known[0].to_string().parse(), &Ok(known[0].clone()));
        prop_assert_eq!(read, note);
    }

    #[test]
    fn an_altered_note_is_refused(at in 0_usize..400, bit in 0_u8..8) {
        let known = [signer().verifier()];
        let mut bytes = signer().sign("one\ntwo\n".to_owned()).to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let read = String::from_utf8(bytes).ok().and_then(|text| text.parse::<Note>().ok());
        prop_assert!(read.is_none_or(|note| note.verified_by(&known).is_err()));
    }
}
