"""Checks what Daybook proves, written from docs/proof.md alone, with libraries of others: rekor_verifier, which
verifies the paths of sigstore's log (RFC 6962, RFC 9162), pymerkle, which makes whole trees again, rfc8785 for
JSON, cryptography for Ed25519. Nothing of Daybook's own code is in it.

    check_proofs.py vectors FILE     the test vectors, docs/proof/vectors.json
    check_proofs.py export FILE      a file of `daybook export --with-proof`
    check_proofs.py answers FILE     what the API answered: {"events": [...], "inclusions": [...],
                                     "checkpoints": [...], "consistency": [{"from", "to", "path"}],
                                     "keys": [...]}; with every event of a tenant, its whole tree is made again

Ends with status 1 and says what is wrong, where something is; else says how much was checked.
"""

import base64
import hashlib
import json
import sys

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree
from rekor_verifier.merkle_proof import (
    DEFAULT_HASHER,
    RootMismatchError,
    verify_consistency,
    verify_inclusion,
)

PARTS = ["facts", "actor", "via", "objects", "change", "details", "context"]


class Wrong(Exception):
    pass


def ensure(condition, what):
    if not condition:
        raise Wrong(what)


def once(pairs):
    names = [name for name, _ in pairs]
    ensure(len(names) == len(set(names)), "a member comes twice")
    return dict(pairs)


def parsed(text):
    return json.loads(text, object_pairs_hook=once)


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


# What a part holds.

def lean(members):
    """Without what is null or empty."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def some(value, *names):
    return lean({name: value.get(name) for name in names})


def each(values, *names):
    return [some(value, *names) for value in values or []]


def recorded(event, *names):
    """As recorded, whatever is in it; absent where it is null."""
    return {name: event[name] for name in names if event.get(name) is not None}


def part(event, name):
    given = event.get("given") or []
    if name == "facts":
        return lean({
            "action": event["action"],
            "outcome": event.get("outcome") or "success",
            "operation": event.get("operation"),
            "actor": some(event["actor"], "kind"),
            "via": each(event.get("via"), "kind"),
            "target": some(event["target"], "kind"),
            "related": each(event.get("related"), "kind"),
            "source": event.get("source"),
            "verb": event.get("verb") if "verb" in given else None,
            "category": event.get("category") if "category" in given else None,
        })
    if name == "actor":
        return some(event["actor"], "id", "name", "email")
    if name == "via":
        return lean({"via": each(event.get("via"), "id", "name", "email")})
    if name == "objects":
        return lean({
            "target": some(event["target"], "id", "name", "url"),
            "related": each(event.get("related"), "id", "name", "url"),
        })
    if name == "change":
        return recorded(event, "before", "after")
    if name == "details":
        return {**some(event, "description", "idempotency_key"), **recorded(event, "metadata")}
    return recorded(event, "context")


def hash_over_parts(event, salts, hashes):
    ensure(sorted([*salts, *hashes]) == sorted(PARTS), "each part has a salt or a hash, one of them")
    found = b""
    for name in PARTS:
        if name in hashes:
            found += bytes.fromhex(hashes[name])
        else:
            found += sha256(bytes.fromhex(salts[name]), rfc8785.dumps(part(event, name)))
    return sha256(found)


def check_header(event, header):
    for name in ["id", "occurred_at", "recorded_at", "seq", "tenant"]:
        ensure(header[name] == event[name], f"the header's {name} is not the event's")
    ensure(header.get("workspace") == event.get("workspace"), "the header's workspace is not the event's")
    ensure(header["v"] == 1, "the header is of another version")
    known = {"id", "occurred_at", "parts", "recorded_at", "seq", "tenant", "v", "workspace"}
    ensure(set(header) <= known, "the header has other members")


def leaf(event, proof):
    """The leaf that an event and its proof come to."""
    header = proof["header"]
    check_header(event, header)
    parts = hash_over_parts(event, proof["salts"], proof["hashes"])
    ensure(header["parts"] == parts.hex(), f"entry {event['seq']}: what it shows is not what was recorded")
    return sha256(b"\0", rfc8785.dumps(header))


# What is signed.

def verifier_keys(texts):
    keys = []
    for text in texts:
        name, key_id, encoded = text.split("+", 2)
        kind_and_key = base64.b64decode(encoded, validate=True)
        ensure(kind_and_key[0] == 1 and len(kind_and_key) == 33, "a key is none of Ed25519")
        expected = sha256(name.encode() + b"\n" + kind_and_key)[:4]
        ensure(key_id == expected.hex(), "a key has another id")
        keys.append((name, expected, Ed25519PublicKey.from_public_bytes(kind_and_key[1:])))
    return keys


def checkpoint(note, keys):
    """The size and root of a checkpoint that one of the keys signed, which is the origin's."""
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    signed = False
    for line in signatures.rstrip("\n").split("\n"):
        ensure(line.startswith("\u2014 "), "a signature is no line of one")
        name, encoded = line[2:].split(" ")
        decoded = base64.b64decode(encoded, validate=True)
        for known, key_id, key in keys:
            if known == name == origin and key_id == decoded[:4]:
                key.verify(decoded[4:], text.encode())
                signed = True
    ensure(signed, "no known key signed the checkpoint")
    return int(size), base64.b64decode(root, validate=True)


# The tree.

def check_inclusion(leaf_hash, index, size, path, root):
    verify_inclusion(DEFAULT_HASHER, index, size, leaf_hash.hex(), path, root.hex())


def check_consistency(older, newer, path):
    (old_size, old_root), (new_size, new_root) = older, newer
    verify_consistency(DEFAULT_HASHER, old_size, new_size, path, old_root.hex(), new_root.hex())


class Leaves(InmemoryTree):
    """A tree whose entries are headers; a leaf of it is what Daybook's is."""

    def __init__(self):
        super().__init__(algorithm="sha256")


# What is given.

def check_export(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    ensure(text.endswith("\n"), "the file breaks off")
    *rows, last = text[:-1].split("\n")
    last = parsed(last)
    ensure(set(last) == {"checkpoint", "rows", "keys"}, "the last line is not there")
    size, root = checkpoint(last["checkpoint"], verifier_keys(key["key"] for key in last["keys"]))
    ensure(last["rows"] == len(rows), "there are more or fewer rows")
    seen = set()
    for row in map(parsed, rows):
        proof = row.pop("proof")
        ensure(set(proof) == {"header", "salts", "hashes", "index", "size", "path"}, "a proof is another")
        ensure(proof["size"] == size, "a row is of another checkpoint")
        ensure(proof["index"] == row["seq"] - 1 and row["seq"] not in seen, "a row comes twice")
        seen.add(row["seq"])
        check_inclusion(leaf(row, proof), proof["index"], size, proof["path"], root)
    return f"{len(rows)} rows"


def check_answers(path):
    with open(path, encoding="utf-8") as file:
        given = parsed(file.read())
    keys = verifier_keys(given["keys"])
    headers = {}
    for event, proof in zip(given["events"], given["inclusions"], strict=True):
        size, root = checkpoint(proof["checkpoint"], keys)
        ensure(size == proof["size"], "a proof is of another checkpoint")
        check_inclusion(leaf(event, proof), proof["index"], size, proof["path"], root)
        headers[event["seq"]] = proof
    signed = dict(checkpoint(note, keys) for note in given["checkpoints"])
    for one in given["consistency"]:
        older, newer = ((size, signed[size]) for size in (one["from"], one["to"]))
        check_consistency(older, newer, one["path"])
    told = f"{len(headers)} inclusions, {len(given['consistency'])} consistencies"
    # The whole tree, as far as every entry of it is known.
    tree = Leaves()
    while tree.get_size() + 1 in headers:
        tree.append_entry(rfc8785.dumps(headers[tree.get_size() + 1]["header"]))
    whole = [size for size in signed if 0 < size <= tree.get_size()]
    for size in whole:
        ensure(tree.get_root(size) == signed[size], f"the tree of {size} entries has another root")
    for proof in headers.values():
        if proof["size"] <= tree.get_size():
            own = tree.prove_inclusion(proof["index"] + 1, proof["size"]).path[1:]
            ensure([node.hex() for node in own] == proof["path"], "a path is another")
    return f"{told}, {len(whole)} whole trees"


def check_vectors(path):
    with open(path, encoding="utf-8") as file:
        vectors = parsed(file.read())
    leaves = []
    tree = Leaves()
    for row in vectors["events"]:
        event, salt = row["event"], bytes.fromhex(row["salt"])
        salts = {name: sha256(salt, name.encode())[:16].hex() for name in PARTS}
        for name in PARTS:
            ensure(rfc8785.dumps(part(event, name)).decode() == row["parts"][name], f"the part {name}")
        header = json.loads(row["header"])
        ensure(rfc8785.dumps(header).decode() == row["header"], "a header is not in its form")
        found = leaf(event, {"header": header, "salts": salts, "hashes": {}})
        ensure(found.hex() == row["leaf"], "a leaf")
        tree.append_entry(rfc8785.dumps(header))
        ensure(tree.get_leaf(tree.get_size()) == found, "a leaf of the tree")
        leaves.append(found)
    erased = vectors["erased"]
    parts = hash_over_parts(erased["event"], erased["salts"], erased["hashes_given"])
    header = {**json.loads(vectors["events"][0]["header"]), "parts": parts.hex()}
    ensure(sha256(b"\0", rfc8785.dumps(header)).hex() == erased["leaf"] == leaves[0].hex(), "what was erased")
    for size, root in enumerate(vectors["roots"]):
        ensure(tree.get_root(size).hex() == root, f"the root of {size}")
    for row in vectors["inclusion"]:
        size, index = row["size"], row["index"]
        check_inclusion(leaves[index], index, size, row["path"], tree.get_root(size))
    for row in vectors["consistency"]:
        older, newer = ((size, tree.get_root(size)) for size in (row["from"], row["to"]))
        check_consistency(older, newer, row["path"])
    for row in vectors["checkpoints"]["notes"]:
        size, root = checkpoint(row["note"], verifier_keys([row["key"]]))
        ensure((size, root) == (row["size"], tree.get_root(size)), "a checkpoint")
    return f"{len(leaves)} events"


CHECKS = {"vectors": check_vectors, "export": check_export, "answers": check_answers}

if __name__ == "__main__":
    what, path = sys.argv[1:]
    try:
        print(CHECKS[what](path))
    except (Wrong, RootMismatchError, InvalidSignature, KeyError, ValueError) as error:
        sys.exit(f"{path}: {type(error).__name__}: {error}")
