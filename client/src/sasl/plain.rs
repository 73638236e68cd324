//! `PLAIN` (RFC 4616).

use super::{Message, SaslError};
use crate::secret::Secret;

/// The only message: no authorisation identity, as Kafka's clients have it, then user name and password.
pub(super) fn message(username: &str, password: &Secret) -> Result<Message, SaslError> {
    let password = password.expose();
    for (what, text) in [("user name", username), ("password", password)] {
        if text.contains('\0') {
            return Err(SaslError::Nul { what });
        }
    }
    Ok(Message::new(["\0", username, "\0", password].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_follow_a_nul_each() {
        let message = message("tim", &Secret::new("tanstaaftanstaaf")).unwrap();
        assert_eq!(message.expose(), b"\0tim\0tanstaaftanstaaf");
    }

    #[test]
    fn a_nul_cannot_shift_the_fields() {
        for (username, password, what) in [("a\0b", "c", "user name"), ("a", "b\0c", "password")] {
            let error = message(username, &Secret::new(password)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the {what} holds a NUL character, which SASL cannot carry")
            );
        }
    }
}
