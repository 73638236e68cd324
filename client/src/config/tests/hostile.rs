//! Texts that went wrong: no panic, no secret in a message.

use crate::config::read;

pub(in crate::config) const FILES: [&str; 4] = [
    "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.x.ScramLoginModule required \\\n  \
     username=\"alice\" \\\n  password=\"Hunter2!\\\\\"\\u00e9\";\nssl.truststore.location=/t.jks\nrequest.timeout.ms=100\n",
    "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.key=Hunter2!\\n\\\n Hunter2!\nssl.key.password : Hunter2!\n\
     ssl.keystore.certificate.chain=x\nssl.protocol=TLSv1.2\nssl.enabled.protocols=TLSv1.2,TLSv1.3\n",
    "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://id:1/t\n\
     sasl.oauthbearer.client.credentials.client.secret=Hunter2!\nsasl.jaas.config=x.OAuthBearerLoginModule required \
     clientId=\"a\" clientSecret='Hunter2!' extension_a=\"Hunter2!\" ssl.truststore.type=\"PEM\" /* x */;\n",
    "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nrestow.oauth.token.command=a 'b c' \\\\\"\n\
     config.providers=e\nconfig.providers.e.class=a.EnvVarConfigProvider\nconfig.providers.e.param.allowlist.pattern=[A-Z]+\n\
     client.id=${e:A}${env:B}\nssl.key.password=${e:PASSWORD}\n",
];

/// A small generator, so that a failing text comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

fn mutate(dice: &mut Dice, text: &mut Vec<u8>) {
    let at = dice.below(text.len() + 1);
    match dice.below(5) {
        0 => text.truncate(at),
        1 => drop(text.drain(at..(at + dice.below(8)).min(text.len()).max(at))),
        2 => text.insert(at, u8::try_from(dice.below(256)).unwrap()),
        3 => text.insert(at, b"\\=:\"';${}/*\n\r #u"[dice.below(16)]),
        _ => {
            let piece = text[at..(at + dice.below(40)).min(text.len())].to_vec();
            let to = dice.below(text.len() + 1);
            text.splice(to..to, piece);
        }
    }
}

#[test]
fn no_text_makes_it_panic_or_tell_a_secret() {
    let mut dice = Dice(0x5eed);
    let mut taken = 0;
    for round in 0..8_000 {
        let mut text = FILES[round % FILES.len()].as_bytes().to_vec();
        for _ in 0..=dice.below(4) {
            mutate(&mut dice, &mut text);
        }
        let told = match read(&text, "client.properties", &|_| Some("Hunter2!".to_owned())) {
            Ok(config) => {
                taken += 1;
                config.warnings.concat()
            }
            Err(error) => error.to_string(),
        };
        assert!(!told.contains("Hunter2!"), "{told}\n{}", String::from_utf8_lossy(&text));
    }
    assert!((400..7_600).contains(&taken), "{taken} of 8,000 were taken: the texts test little");
}

#[test]
fn any_bytes_are_read_or_refused() {
    let mut dice = Dice(7);
    for _ in 0..2_000 {
        let length = dice.below(200);
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
        let _ = read(&bytes, "client.properties", &|_| None);
    }
}
