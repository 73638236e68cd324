//! Fuzz target: client.properties.

use std::path::Path;

use zeroize::Zeroizing;

use super::parse;
use super::providers::Outside;

/// What every variable and every file holds.
const SECRET: &str = "Hunter2!Hunter2!";
const FILE: &[u8] = b"key=Hunter2!Hunter2!\nempty=\n";

/// A file, in a world where every environment variable is set and every path leads to one small file.
pub fn properties(data: &[u8]) -> bool {
    let files = |_: &Path| Ok(Zeroizing::new(FILE.to_vec()));
    let read =
        parse(data, "client.properties", None, &Outside { env: &|_| Some(SECRET.to_owned()), files: &files });
    let told = match &read {
        Ok(config) => config.warnings.concat(),
        Err(error) => error.to_string(),
    };
    assert!(!told.contains(SECRET) || String::from_utf8_lossy(data).contains(SECRET), "{told}");
    read.is_ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::tests::hostile::FILES;

    /// Files as people have them, with variables of every kind.
    pub(crate) fn seeds() -> Vec<Vec<u8>> {
        let more = [
            "bootstrap.servers = a:9092,[::1]:9093\nclient.id=x\n! nothing else\n",
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=\\\n  \
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" \
             password=\"${file:/etc/restow/secrets:key}\";\n",
            "config.providers=f,d\nconfig.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n\
             config.providers.f.param.allowed.paths=/etc,/run\n\
             config.providers.d.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n\
             security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=\
             a.ScramLoginModule required username=u password='${f:/etc/../etc/a:key}' tokenauth=true;\n\
             ssl.truststore.type=PEM\nssl.truststore.certificates=${d:/run:ca}\nclient.dns.lookup=use_all_dns_ips\n",
            "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=\
             a.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"alice\" \
             unsecuredLoginListClaim_scope=\"|a|b\" unsecuredLoginLifetimeSeconds=\"60\";\n",
            "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nsasl.kerberos.service.name=kafka\n",
            "ssl.truststore.loction=/a\nclient.id=\\u00e9\\t\\\n  b\n",
        ];
        FILES.iter().chain(&more).map(|text| text.as_bytes().to_vec()).collect()
    }
}
