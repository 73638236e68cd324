//! A browser at the other end of WebDriver (W3C): HTTP and JSON with ChromeDriver, on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

/// An answer of ChromeDriver that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(120);
const DRIVER: &str = "chromedriver";
const BROWSER: &str = "chromium";
/// What names an element in WebDriver's answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The first line of every test with a browser: `let Some(browser) = Browser::start_or_skip() else { return };`.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// The browser's process, to end it where the driver did not.
    process: Option<u64>,
    profile: PathBuf,
}

impl Browser {
    /// A browser, or a loud word and nothing where there is none; with `RESTOW_BROWSER=require` (as in CI) that is a
    /// failure, so that a green run cannot be an empty one.
    pub fn start_or_skip() -> Option<Browser> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there =
            |program: &&str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        let missing: Vec<&str> = [BROWSER, DRIVER].into_iter().filter(|program| !is_there(program)).collect();
        if missing.is_empty() {
            return Some(Browser::start());
        }
        let missing = missing.join(", ");
        let is_required = std::env::var("RESTOW_BROWSER").is_ok_and(|value| value == "require");
        assert!(!is_required, "RESTOW_BROWSER=require, but not on the PATH: {missing}");
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "=== SKIPPED: {test}: needs a browser, not on the PATH: {missing} ===");
        None
    }

    fn start() -> Browser {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let profile = std::env::temp_dir().join(format!("restow-browser-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&profile);
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("ChromeDriver runs");
        let out = driver.stdout.take().expect("its output");
        let mut browser = Browser { driver, port: 0, session: String::new(), process: None, profile };
        browser.port = port(out);
        let opened = browser.call("POST", "/session", &browser.wishes());
        browser.session = opened["sessionId"].as_str().expect("a session").to_owned();
        browser.process = opened["capabilities"]["goog:processID"].as_u64();
        browser
    }

    /// The flags with which Chromium runs as root, without a screen, and asks nobody for anything of its own.
    fn wishes(&self) -> Value {
        let profile = format!("--user-data-dir={}", self.profile.display());
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--lang=en",
            &profile,
        ];
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}})
    }

    /// Opens a file, and drops what was logged before.
    pub fn open(&self, file: &Path) {
        let file = std::fs::canonicalize(file).expect("the page is there");
        self.log("browser");
        self.log("performance");
        self.session("/url", &json!({ "url": format!("file://{}", file.display()) }));
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.session("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script returns, as text.
    pub fn text(&self, script: &str) -> String {
        let value = self.run(script);
        value.as_str().unwrap_or_else(|| panic!("{script}: {value}")).to_owned()
    }

    /// Types into what a selector names, as a person at the keyboard.
    pub fn keys(&self, selector: &str, keys: &str) {
        let found = self.session("/element", &json!({"using": "css selector", "value": selector}));
        let element = found[ELEMENT].as_str().unwrap_or_else(|| panic!("{selector}: {found}"));
        self.session(&format!("/element/{element}/value"), &json!({ "text": keys }));
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.session("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What was logged since the last call: `browser` is the console, violations of the page's policy among it.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.session("/se/log", &json!({ "type": kind }));
        entries.as_array().expect("a log").clone()
    }

    /// Everything that was asked for over any protocol since the page was opened.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let message = |entry: &Value| -> Value {
            let text = entry["message"].as_str().expect("a message");
            serde_json::from_str::<Value>(text).expect("JSON")["message"].clone()
        };
        let sent =
            entries.iter().map(message).filter(|message| message["method"] == "Network.requestWillBeSent");
        sent.map(|message| message["params"]["request"]["url"].as_str().expect("an address").to_owned())
            .collect()
    }

    /// A screen of this size.
    pub fn screen(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A person who wants pages light or dark.
    pub fn prefers(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": "", "features": features}));
    }

    /// The whole page as a picture.
    pub fn picture(&self, to: &Path) {
        let size = self.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let shot = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        keep(to, &self.devtools("Page.captureScreenshot", &shot)["data"]);
    }

    /// The page on paper, as PDF.
    pub fn print(&self, to: &Path) -> Vec<u8> {
        let printed =
            self.devtools("Page.printToPDF", &json!({"printBackground": true, "preferCSSPageSize": true}));
        keep(to, &printed["data"])
    }

    #[track_caller]
    fn session(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer =
            self.exchange(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {}", value["message"]);
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut from = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes)?;
        serde_json::from_slice(&bytes).map_err(std::io::Error::other)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let is_ended = !self.session.is_empty() && self.exchange("DELETE", &path, &Value::Null).is_ok();
        if let Some(process) = self.process.filter(|_| !is_ended) {
            let _ = Command::new("kill").arg(process.to_string()).status();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// The port that ChromeDriver says it listens on. The rest of what it says is read, so that it never waits for us.
fn port(out: impl Read + Send + 'static) -> u16 {
    let mut lines = BufReader::new(out).lines();
    let told = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    told.expect("ChromeDriver tells its port")
}

/// Writes what came in base64.
fn keep(to: &Path, data: &Value) -> Vec<u8> {
    let text = data.as_str().expect("data");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("the folder of pictures");
    std::fs::write(to, &bytes).expect("the picture is written");
    bytes
}
