//! Handshakes and stores, as brokers and operators make them.

mod certificates;
mod clients;
pub(super) mod pki;
mod settings;
#[cfg(feature = "pkcs12")]
mod stores;
