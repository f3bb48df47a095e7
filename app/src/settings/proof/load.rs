//! What the server finds out for the page on the proof.

use super::view::{CheckView, CheckpointView, KeyView, ProofView, WitnessView};
use crate::{
    address,
    frame::{Frame, TenantFrame},
    log::Local,
    number::grouped,
    refusal::Refusal,
    settings::places::Of,
    viewer::Asker,
};
use domain::question::{Query, Unknown};
use store::proof::{PublicKey, Seen, Standing, witness::WitnessListed};

/// How the proof of the log stands whose page lies at `path`.
pub(super) async fn proof(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<ProofView, Refusal> {
    let asker = asker?;
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let (of, standing, path) = match segments[..] {
        [tenant, "settings", "proof"] => {
            let tenant = tenant.parse().map_err(|_| Refusal::NotFound)?;
            let scope = match asker.person.tenant_administration(&tenant) {
                Ok(scope) => scope,
                Err(refused) => return Err(asker.refusal(refused).await),
            };
            let frame = TenantFrame::of(&asker.person, scope.tenant());
            let standing = asker.store.standing(Seen::Tenant(&scope)).await?;
            (Of::from(frame), standing, address::tenant_proof(&tenant))
        }
        [tenant, workspace, "settings", "proof"] => {
            let path = address::workspace_path(tenant, workspace).ok_or(Refusal::NotFound)?;
            let opened = asker.person.settings_scope(&path);
            let (scope, frame) =
                match opened.and_then(|scope| Ok((scope, Frame::of(&asker.person, &path)?))) {
                    Ok(opened) => opened,
                    Err(refused) => return Err(asker.refusal(refused).await),
                };
            asker.remember_zone(scope.workspace(), search).await;
            let standing = asker.store.standing(Seen::Workspace(&scope)).await?;
            (Of::from(frame), standing, address::proof(&path))
        }
        _ => return Err(Refusal::NotFound),
    };
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let local = Local::new(&zone, asker.store.now());
    Ok(shown(of, standing, path, &local))
}

fn shown(of: Of, standing: Standing, path: String, local: &Local) -> ProofView {
    let Standing {
        keys,
        newest,
        entries,
        passed,
        checked,
        fault,
        witnesses,
    } = standing;
    ProofView {
        of,
        zone: local.zone().to_owned(),
        path,
        check: CheckView {
            entries: grouped(entries),
            passed: passed.map(|(count, at)| (grouped(count), local.when(at))),
            checked: (checked > 0).then(|| grouped(checked)),
            failing: fault.is_some(),
        },
        newest: newest.map(|(covering, note)| CheckpointView {
            size: grouped(covering.size),
            at: local.when(covering.made_at),
            text: note.to_string(),
        }),
        keys: keys.into_iter().rev().map(|of| key(&of, local)).collect(),
        witnesses: witnesses.into_iter().map(|of| witness(of, local)).collect(),
    }
}

fn key(key: &PublicKey, local: &Local) -> KeyView {
    KeyView {
        text: key.key.to_string(),
        fingerprint: key.key.fingerprint(),
        from: local.when(key.from),
        until: key.until.map(|until| local.when(until)),
    }
}

fn witness(listed: WitnessListed, local: &Local) -> WitnessView {
    let holds = listed.holds.into_iter().next();
    let (newest, failing) = holds.map_or((None, None), |holds| (holds.newest, holds.failing));
    WitnessView {
        kind: kind(&listed.kind, &listed.address),
        name: listed.name,
        holds: newest.map(|(size, at)| (grouped(size), local.when(at))),
        failing: failing.map(|(since, why)| (local.when(since), why)),
    }
}

/// What a witness is, in words; of its address no more than where it is.
pub(super) fn kind(kind: &str, address: &str) -> String {
    let host = address
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default())
        .map(|host| host.rsplit('@').next().unwrap_or(host));
    match (kind, host) {
        ("webhook", Some(host)) => format!("a webhook at {host}"),
        ("daybook", Some(host)) => format!("another Daybook, at {host}"),
        ("tlog", Some(host)) => format!("a witness that signs, at {host}"),
        _ => "a folder of the server".to_owned(),
    }
}
