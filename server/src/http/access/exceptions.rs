//! What may be sent without an event that tells of it, and why.

/// Requests that change nothing, though their method could, each with its reason.
pub const WITHOUT_EVENT: &[(&str, &str)] = &[
    ("ANY /api", NOTHING_THERE),
    ("ANY /api/", NOTHING_THERE),
    ("ANY /api/{*rest}", NOTHING_THERE),
    (
        "POST /ui/cancel_retention, with nothing to cancel",
        "somebody else was quicker: what was wanted holds, and they told it",
    ),
    (
        "POST /ui/revoke_invite, the other workspace's",
        "it is not there for who asks",
    ),
    (
        "POST /ui/revoke_token, the other workspace's",
        "it is not there for who asks",
    ),
    (
        "POST /ui/revoke_token, the tenant's",
        "it is revoked on the tenant's own page: nothing is done",
    ),
    (
        "POST /ui/revoke_token, a workspace's, on the tenant's page",
        "it is not there for who asks",
    ),
    (
        "POST /ui/place_hold, where one stands",
        "one stands, and told it",
    ),
    (
        "POST /ui/lift_hold, with none to lift",
        "somebody else was quicker: none stands, and they told it",
    ),
    (
        "POST /ui/add_tenant_admin, somebody of another tenant",
        "nobody in the tenant has that address",
    ),
    (
        "POST /ui/change_tenant_admin, taking one's own",
        "nobody takes this role from themselves",
    ),
    (
        "POST /ui/save_catalogue_entry, removing one that is not there",
        "there is nothing to remove",
    ),
    (
        "POST /ui/remove_redaction, one that is not there",
        "there is nothing to remove",
    ),
    (
        "POST /{tenant}/{workspace}/audit/export, as what there is not",
        "nothing is taken away",
    ),
    (
        "POST /ui/cancel_export, one that is not there",
        "there is nothing to cancel",
    ),
    (
        "POST /ui/set_single_keys",
        "how somebody's own keyboard works concerns nobody else",
    ),
    (
        "POST /ui/change_member, the other workspace's",
        "they are not there for who asks",
    ),
];

const NOTHING_THERE: &str = "nothing is there: every method is answered with 404";
