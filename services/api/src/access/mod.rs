//! Who asks: bearer tokens with roles and tenants (RFC 6750), how often, and by which name of this host.

mod pace;
mod tokens;

use std::sync::Arc;

pub(crate) use pace::Pace;
pub(crate) use tokens::Tokens;
pub use tokens::{TokensError, make};

/// What someone may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Read,
    Ingest,
    Admin,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::Read, Role::Ingest, Role::Admin];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Ingest => "ingest",
            Role::Admin => "admin",
        }
    }
}

/// Someone who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader(Arc<Rights>);

#[derive(Debug, PartialEq, Eq)]
struct Rights {
    /// Name of the token; `None` where no tokens are configured.
    name: Option<String>,
    roles: Vec<Role>,
    /// `None`: all.
    tenants: Option<Vec<String>>,
}

impl Reader {
    /// Whoever asks where no tokens are configured: on a loopback address.
    pub(crate) fn anyone() -> Self {
        Reader(Arc::new(Rights { name: None, roles: Role::ALL.to_vec(), tenants: None }))
    }

    /// Name of the token.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What the token may do.
    pub(crate) fn roles(&self) -> &[Role] {
        &self.0.roles
    }

    /// Whether it may do something; an admin may do everything.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.0.roles.iter().any(|held| *held == role || *held == Role::Admin)
    }

    /// Tenants whose rows it may see; `None` for all.
    pub(crate) fn tenants(&self) -> Option<&[String]> {
        self.0.tenants.as_deref()
    }
}
