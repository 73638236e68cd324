//! Secured clusters: what listeners with TLS need.

mod authority;
mod certificates;
mod password;

pub use authority::{Authority, Identity, Leaf, Validity};
pub use certificates::{Certificates, Flaw, Store, StoreFormat};
