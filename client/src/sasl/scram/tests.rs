use super::*;

const CHALLENGE: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

fn start(hash: impl Into<Hash>) -> (Message, AwaitsChallenge) {
    let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
    begin(hash.into(), "user", Secret::new("pencil"), false, nonce).unwrap()
}

/// Until the broker's proof is awaited.
fn proved(hash: ScramHash) -> AwaitsProof {
    start(hash).1.answer(CHALLENGE.as_bytes()).ok().unwrap().1
}

fn text(message: &Message) -> &str {
    str::from_utf8(message.expose()).unwrap()
}

fn fault<T>(of: Result<T, Fault>) -> String {
    let Err(fault) = of else { panic!("accepted") };
    fault.into_error("SCRAM-SHA-256").to_string()
}

/// How a challenge is refused.
fn refused(challenge: &[u8]) -> String {
    fault(start(ScramHash::Sha256).1.answer(challenge))
}

#[test]
fn the_exchange_of_rfc_7677_is_reproduced() {
    let (first, awaits) = start(ScramHash::Sha256);
    assert_eq!(text(&first), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let (last, awaits) = awaits.answer(CHALLENGE.as_bytes()).ok().unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    awaits.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").ok().unwrap();
}

/// Kafka has no SCRAM-SHA-1, but RFC 5802 has no other example.
#[test]
fn the_exchange_of_rfc_5802_is_reproduced() {
    let hash = Hash { hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pbkdf2: pbkdf2::PBKDF2_HMAC_SHA1 };
    let nonce = "fyko+d2lbbFgONRv9qkxdawL".to_owned();
    let (_, awaits) = begin(hash, "user", Secret::new("pencil"), false, nonce).unwrap();
    let challenge = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
    let (last, awaits) = awaits.answer(challenge).ok().unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    awaits.verify(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").ok().unwrap();
}

/// Computed with Python's hashlib and hmac by a script that reproduces the examples of both RFCs.
#[test]
fn sha_512_agrees_with_python() {
    let (last, awaits) = start(ScramHash::Sha512).1.answer(CHALLENGE.as_bytes()).ok().unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ=="
    );
    let proof = b"v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==";
    awaits.verify(proof).ok().unwrap();
}

/// From the same script.
#[test]
fn escaped_names_token_extensions_and_unnormalised_passwords_are_in_the_proof() {
    let (first, awaits) =
        begin(ScramHash::Sha512.into(), "a=b,c", Secret::new("pa,ss=wörd"), true, "abc".to_owned()).unwrap();
    assert_eq!(text(&first), "n,,n=a=3Db=2Cc,r=abc,tokenauth=true");
    let (last, awaits) = awaits.answer(b"r=abcXYZ,s=c2FsdA==,i=8192,x=an extension").ok().unwrap();
    assert!(text(&last).starts_with("c=biws,r=abcXYZ,p="), "{}", text(&last));
    // The extension of the broker is part of what is signed: without it, the signature is that of the script.
    assert!(awaits.verify(PYTHON.as_bytes()).is_err());
    let (_, awaits) =
        begin(ScramHash::Sha512.into(), "a=b,c", Secret::new("pa,ss=wörd"), true, "abc".to_owned()).unwrap();
    let (last, awaits) = awaits.answer(b"r=abcXYZ,s=c2FsdA==,i=8192").ok().unwrap();
    assert_eq!(
        text(&last),
        "c=biws,r=abcXYZ,\
         p=+Y4Z8c7HgIf+t1DzXnlpJCIGKUOO19WVY04jBH2x9uBXWsUDdnhaGqSmQNQR3MVpx1BvzZEpd3z69hZKakhBJg=="
    );
    awaits.verify(PYTHON.as_bytes()).ok().unwrap();
}

const PYTHON: &str =
    "v=+OQvEnDjIIdm7ItzmwebaNEMoj8HIZMxxlPksZ7VQAQQQhDONOF5OuCLl6kM1DjbGeeQtqPyMS73zmez3uIFSQ==";

#[test]
fn a_broker_without_the_credential_is_found_out() {
    let other = format!("v={}", BASE64.encode([7; 32]));
    for answer in [other.as_str(), "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95A==", ""] {
        let error = fault(proved(ScramHash::Sha256).verify(answer.as_bytes()));
        assert!(error.starts_with("the broker did not prove"), "{answer}: {error}");
    }
}

#[test]
fn a_success_before_the_challenge_is_an_error() {
    assert!(refused(b"").starts_with("the broker did not prove"));
}

#[test]
fn a_final_message_without_a_signature_is_an_error() {
    for answer in [&b"v=%"[..], b"x", b"r=a,v=b", b"\xff", &[b'v'; MAX_MESSAGE + 1]] {
        let error = fault(proved(ScramHash::Sha256).verify(answer));
        assert!(error.starts_with("the broker's SCRAM-SHA-256 message is not valid: "), "{error}");
    }
}

#[test]
fn each_fault_of_a_challenge_is_named() {
    let ours = "r=rOprNGfwEbeRWgbNEkqO";
    let cases = [
        ("r=other,s=c2FsdA==,i=4096".to_owned(), "its nonce does not begin with ours"),
        (format!("{ours},s=c2FsdA==,i=4096"), "it adds no nonce of its own to ours"),
        (format!("{ours}\x01,s=c2FsdA==,i=4096"), "it adds no nonce of its own to ours"),
        (format!("{ours}x,s=,i=4096"), "its salt is empty or not base64"),
        (format!("{ours}x,s=!,i=4096"), "its salt is empty or not base64"),
        (format!("{ours}x,s=c2FsdA==,i="), "its iteration count is not a number"),
        (format!("{ours}x,s=c2FsdA==,i=+4096"), "its iteration count is not a number"),
        (format!("{ours}x,s=c2FsdA=="), "it has no i= where it belongs"),
        (format!("{ours}x,i=4096,s=c2FsdA=="), "it has no s= where it belongs"),
        ("s=c2FsdA==,i=4096".to_owned(), "it has no r= where it belongs"),
        (format!("m=x,{ours}x,s=c2FsdA==,i=4096"), "mandatory extension"),
        (format!("{ours}x,s={},i=4096", "A".repeat(MAX_MESSAGE)), "it is far too long"),
    ];
    for (challenge, expected) in cases {
        let error = refused(challenge.as_bytes());
        assert!(error.contains(expected), "{challenge}: {error}");
    }
    assert!(refused(b"r=\xff").contains("it is not UTF-8"));
}

#[test]
fn iterations_have_a_floor_and_a_ceiling() {
    for count in ["0", "1", "4095", "600001", "4294967296", "99999999999999999999999999"] {
        let error = refused(format!("r=rOprNGfwEbeRWgbNEkqOx,s=c2FsdA==,i={count}").as_bytes());
        assert!(error.contains(&format!("asks for {count} SCRAM-SHA-256 iterations")), "{error}");
        assert!(error.contains("4096 to 600000"), "{error}");
    }
}

#[test]
fn every_cut_and_every_changed_byte_is_refused_without_a_panic() {
    let good = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    for at in 0..good.len() {
        assert!(proved(ScramHash::Sha256).verify(&good[..at]).is_err(), "cut at {at}");
        let mut bad = good.to_vec();
        bad[at] ^= 1;
        assert!(proved(ScramHash::Sha256).verify(&bad).is_err(), "changed at {at}");
    }
    for at in 0..CHALLENGE.len() {
        // A cut or changed salt or nonce may be well-formed: then the signature will not fit.
        for bad in [CHALLENGE.as_bytes()[..at].to_vec(), {
            let mut bad = CHALLENGE.as_bytes().to_vec();
            bad[at] ^= 1;
            bad
        }] {
            if let Ok((_, awaits)) = start(ScramHash::Sha256).1.answer(&bad) {
                assert!(awaits.verify(good).is_err(), "{at}");
            }
        }
    }
}

#[test]
fn an_empty_name_and_a_nul_are_refused() {
    for (name, what) in [("", "the user name is empty"), ("a\0", "the user name holds a NUL")] {
        let error = begin(ScramHash::Sha256.into(), name, Secret::new("x"), false, "n".to_owned()).err();
        assert!(error.unwrap().to_string().starts_with(what));
    }
}

#[test]
fn nonces_differ_and_are_printable() {
    let (one, two) = (nonce().unwrap(), nonce().unwrap());
    assert_ne!(one, two);
    assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_graphic() && b != b','));
}
