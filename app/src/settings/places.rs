//! The list of the settings' pages, beside each of them.

use crate::{
    address,
    frame::{Bar, Frame, TenantFrame},
};
use leptos::prelude::*;

/// What settings are of, with what stands around their pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// A workspace.
    Workspace(Frame),
    /// A whole tenant.
    Tenant(TenantFrame),
}

impl Of {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Workspace(frame) => &frame.workspace.name,
            Self::Tenant(frame) => &frame.tenant.name,
        }
    }

    /// Whether it is a whole tenant.
    pub fn is_tenant(&self) -> bool {
        matches!(self, Self::Tenant(_))
    }

    /// The address of the page of its tokens.
    pub fn tokens(&self) -> String {
        match self {
            Self::Workspace(frame) => address::tokens(&frame.workspace.path),
            Self::Tenant(frame) => address::tenant_tokens(&frame.tenant.slug),
        }
    }
}

impl From<Frame> for Of {
    fn from(frame: Frame) -> Self {
        Self::Workspace(frame)
    }
}

impl From<TenantFrame> for Of {
    fn from(frame: TenantFrame) -> Self {
        Self::Tenant(frame)
    }
}

impl From<Of> for Bar {
    fn from(of: Of) -> Self {
        match of {
            Of::Workspace(frame) => Self::Workspace(frame),
            Of::Tenant(frame) => Self::Tenant(frame),
        }
    }
}

/// Which of the settings' pages is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    /// How long entries are kept, and whether they are recorded.
    AuditLog,
    /// What is stored about people.
    PersonalData,
    /// What the workspace says of actions itself.
    Catalogue,
    /// What is taken out before it is recorded.
    Redaction,
    /// What proves the log.
    Proof,
    /// Who belongs to the workspace.
    Members,
    /// What applications send and ask with.
    Tokens,
    /// The tenant's plan and workspaces.
    Tenant,
    /// Who administers the tenant.
    Admins,
}

/// The settings' pages that are open to who looks.
#[component]
pub(super) fn Places(
    #[prop(into)] frame: Of,
    /// The zone of the page, which its links keep.
    zone: String,
    current: Current,
) -> impl IntoView {
    let pages = match &frame {
        Of::Workspace(frame) => {
            let workspace = &frame.workspace.path;
            let mut pages = vec![
                (Current::AuditLog, address::settings(workspace), "Audit log"),
                (
                    Current::Catalogue,
                    address::catalogue(workspace),
                    "Catalogue",
                ),
                (
                    Current::Redaction,
                    address::redaction(workspace),
                    "Redaction",
                ),
                (
                    Current::PersonalData,
                    address::personal_data(workspace),
                    "Personal data",
                ),
                (Current::Proof, address::proof(workspace), "Proof"),
            ];
            if frame.manages {
                pages.push((Current::Members, address::members(workspace), "Members"));
                pages.push((Current::Tokens, address::tokens(workspace), "API tokens"));
            }
            pages
        }
        Of::Tenant(frame) => {
            let tenant = &frame.tenant.slug;
            vec![
                (Current::Tenant, address::tenant_settings(tenant), "Tenant"),
                (Current::Admins, address::tenant_admins(tenant), "Admins"),
                (Current::Proof, address::tenant_proof(tenant), "Proof"),
                (
                    Current::Tokens,
                    address::tenant_tokens(tenant),
                    "API tokens",
                ),
            ]
        }
    };
    let links = pages
        .into_iter()
        .map(|(place, path, words)| {
            let here = (place == current).then_some("page");
            view! {
                <li>
                    <a href=address::in_zone(&path, &zone) aria-current=here>
                        {words}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="places" aria-label="Settings">
            <ul>{links}</ul>
        </nav>
    }
    .into_any()
}
