use super::*;
use crate::config::read_file;
use crate::tls::Store;

/// The client id that a value becomes, with `USER_NAME=alice` in the environment.
fn resolved(value: &str, more: &str) -> Result<Option<String>, String> {
    let env = |name: &str| (name == "USER_NAME").then(|| "alice".to_owned());
    let text = format!("client.id={value}\n{more}");
    read(text.as_bytes(), "client.properties", &env).map(|c| c.client_id).map_err(|e| e.to_string())
}

fn value(value: &str, more: &str) -> String {
    resolved(value, more).unwrap().unwrap()
}

const ENV: &str = "config.providers=e\nconfig.providers.e.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n";

#[test]
fn built_in_variables_need_no_providers() {
    let scratch = Scratch::new("built-in");
    let properties = scratch.write("p.properties", "key=one\\u0021\nother=ß");
    scratch.write("whole", "two\r\n");
    let at = |path: &Path| path.display().to_string();
    assert_eq!(value("<${env:USER_NAME}|${env::USER_NAME}>", ""), "<alice|alice>");
    assert_eq!(value(&format!("${{file:{}:key}}", at(&properties)), ""), "one!");
    assert_eq!(value(&format!("${{file:{}:other}}", at(&properties)), ""), "ß");
    assert_eq!(value(&format!("${{file:{}/whole}}", at(scratch.path())), ""), "two");
    assert_eq!(value(&format!("${{directory:{}:whole}}", at(scratch.path())), ""), "two");
}

#[test]
fn declared_providers_go_before_built_in_ones() {
    assert_eq!(value("${e:USER_NAME}", ENV), "alice");
    let swapped = ENV.replace("config.providers=e", "config.providers=x, file").replace(".e.", ".file.");
    assert_eq!(value("${file:USER_NAME}", &swapped), "alice");
    let undeclared = ENV.replace("config.providers=e", "config.providers=x");
    assert_names(
        &resolved("${e:USER_NAME}", &undeclared).unwrap_err(),
        &["client.id needs ${e:…}", "declares no such"],
    );
    let own = ENV.replace("org.apache.kafka.common.config.provider.EnvVar", "com.example.Vault");
    assert_names(&resolved("${e:USER_NAME}", &own).unwrap_err(), &["${e:…}", "does not have its class"]);
}

#[test]
fn a_variable_without_a_value_names_key_provider_and_path() {
    let scratch = Scratch::new("missing");
    let path = scratch.write("p.properties", "key=Hunter2!").display().to_string();
    let directory = scratch.path().display().to_string();
    for (variable, reason) in [
        ("${env:NO_SUCH}".to_owned(), "no such environment variable"),
        ("${env:path:USER_NAME}".into(), "have no path"),
        (format!("${{file:{path}:none}}"), "no such key"),
        (format!("${{file:{path}.none:key}}"), "cannot be read"),
        (format!("${{directory:{directory}:none}}"), "cannot be read"),
        (format!("${{directory:{directory}/x:../p.properties}}"), "not the name of a file"),
    ] {
        let message = resolved(&variable, "").unwrap_err();
        assert_names(&message, &["client.properties: client.id needs", &variable, reason]);
        assert!(!message.contains("Hunter2"));
    }
}

#[test]
fn what_is_no_variable_stays() {
    for text in ["$x", "${x}", "${env", "$env:USER_NAME", "a${}b", "}${"] {
        assert_eq!(value(text, ""), text);
    }
    // As in Kafka's pattern, a variable starts at the first `${`. Its provider may be a piece of a password.
    assert_names(&resolved("${Hunter2!${env:USER_NAME}", "").unwrap_err(), &["client.id needs ${…}"]);
}

#[test]
fn what_comes_in_is_not_looked_at_again() {
    let env = |_: &str| Some("${env:OTHER}".to_owned());
    let config = read(b"client.id=${env:A}", "client.properties", &env).unwrap();
    assert_eq!(config.client_id.as_deref(), Some("${env:OTHER}"));
}

#[test]
fn allow_lists_bind() {
    let allow = |pattern: &str| format!("{ENV}config.providers.e.param.allowlist.pattern={pattern}");
    assert_eq!(value("${e:USER_NAME}", &allow("USER_.*")), "alice");
    assert_names(&resolved("${e:USER_NAME}", &allow("USER")).unwrap_err(), &["allowlist.pattern"]);
    assert_names(&resolved("${e:USER_NAME}", &allow("(")).unwrap_err(), &["not a regular expression"]);

    let scratch = Scratch::new("allowed");
    let directory = scratch.path().display().to_string();
    scratch.write("f", "in");
    let paths = |paths: &str| {
        format!(
            "config.providers=d\nconfig.providers.d.class=a.b.DirectoryConfigProvider\nconfig.providers.d.param.allowed.paths={paths}"
        )
    };
    assert_eq!(value(&format!("${{d:{directory}/./x/..:f}}"), &paths(&format!("/none,{directory}"))), "in");
    for (path, allowed) in
        [(format!("{directory}/.."), directory.clone()), (directory.clone(), format!("{directory}x"))]
    {
        let message = resolved(&format!("${{d:{path}:f}}"), &paths(&allowed)).unwrap_err();
        assert_names(&message, &["not within allowed.paths"]);
    }
    assert_names(
        &resolved(&format!("${{d:{directory}:f}}"), &paths("relative")).unwrap_err(),
        &["not all absolute"],
    );
}

#[test]
fn a_jaas_line_and_a_pem_text_may_be_made_of_variables() {
    let scratch = Scratch::new("jaas");
    let pem = scratch.write("ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    let env = |name: &str| (name == "PASSWORD").then(|| "Hunter2!".to_owned());
    let text = format!(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=\"a\" \
         password=\"${{env:PASSWORD}}\";\nssl.truststore.type=PEM\nssl.truststore.certificates=${{file:{}}}",
        pem.display()
    );
    let security = read(text.as_bytes(), "client.properties", &env).unwrap().security;
    assert!(
        matches!(security.sasl, Some(SaslSettings::Plain { password, .. }) if password.expose() == "Hunter2!")
    );
    let Some(Store::Inline { certificates, .. }) = security.tls.unwrap().trust else { panic!() };
    assert!(certificates.ends_with("-----END CERTIFICATE-----"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let message = read_file(Path::new("/no/such/client.properties"), &|_| None).unwrap_err().to_string();
    assert_names(&message, &["cannot read /no/such/client.properties"]);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn warnings(path: &Path) -> Vec<String> {
        read_file(path, &|_| Some("x".to_owned())).unwrap().warnings
    }

    #[test]
    fn an_endless_file_is_refused() {
        let message = read_file(Path::new("/dev/zero"), &|_| None).unwrap_err().to_string();
        assert_names(&message, &["/dev/zero", "4 MiB"]);
    }

    #[test]
    fn a_file_with_a_secret_that_others_can_read_is_reported() {
        let scratch = Scratch::new("mode");
        let jaas =
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required";
        let secret = scratch.write("secret", &format!("{jaas} username=a password=Hunter;"));
        let variable =
            scratch.write("variable", &format!("{jaas} username=\"${{env:A}}\" password=\"${{env:B}}\";"));
        let trust = scratch
            .write("trust", "security.protocol=SSL\nssl.truststore.location=/t\nssl.truststore.password=p");
        for path in [&secret, &variable, &trust] {
            set_mode(path, 0o640);
        }
        assert_names(&warnings(&secret).concat(), &["secret holds a secret", "0640", "chmod 600"]);
        assert_eq!((warnings(&variable), warnings(&trust)), (vec![], vec![]));
        set_mode(&secret, 0o600);
        assert!(warnings(&secret).is_empty());
    }

    #[test]
    fn files_that_a_properties_file_names_are_looked_at_too() {
        let scratch = Scratch::new("named");
        let [store, token, password, public] =
            ["store.pem", "token", "password", "public"].map(|name| scratch.write(name, "x"));
        let text = format!(
            "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=file://{}\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.key.password=${{file:{}}}\n\
             ssl.truststore.type=PEM\nssl.truststore.certificates=${{file:{}}}",
            token.display(),
            store.display(),
            password.display(),
            public.display()
        );
        set_mode(&public, 0o644);
        let path = scratch.write("client.properties", &text);
        let files = [&store, &token, &password];
        files.iter().for_each(|file| set_mode(file, 0o644));
        let found = warnings(&path);
        assert_eq!(found.len(), 3, "{found:?}");
        for file in files {
            assert_names(&found.concat(), &[&format!("{} holds a secret", file.display())]);
            set_mode(file, 0o400);
        }
        assert!(warnings(&path).is_empty());
    }
}
