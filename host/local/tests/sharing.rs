//! Programs that share the server of a folder, and what they find when it was killed. The server is
//! the real program, started through a script, which can change its environment.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use loader_attach::{AttachError, Attachment, Program, attach};
use loader_local::{LocalError, LocalOptions, Server};

struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        let folder = Folder { root: tempfile::tempdir().unwrap() };
        folder.write_program("");
        folder
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("dir")
    }

    /// A program that takes `--dir DIR --while-used`.
    fn write_program(&self, before: &str) {
        let script = format!(
            "#!/bin/sh\n[ \"$1 $3\" = '--dir --while-used' ] || exit 9\n{before}\n\
             exec '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_loader-local")
        );
        let program = self.root.path().join("program");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn program(&self) -> Program {
        Program::At(self.root.path().join("program"))
    }

    async fn attach(&self) -> Attachment {
        attach(&self.dir(), &self.program()).await.unwrap()
    }

    fn endpoints_file(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.dir().join(".loader/endpoints.json")).unwrap())
            .unwrap()
    }

    fn server_pid(&self) -> String {
        self.endpoints_file()["pid"].to_string()
    }

    /// Returns when no server has the folder.
    async fn server_gone(&self) {
        let lock = self.dir().join(".loader/server.lock");
        tokio::task::spawn_blocking(move || fs::File::open(lock).unwrap().lock().unwrap())
            .await
            .unwrap();
    }
}

async fn accepts(endpoint: &str) -> bool {
    tokio::net::TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).await.is_ok()
}

#[tokio::test]
async fn two_programs_at_once_on_a_new_folder_share_one_server() {
    let folder = Folder::new();
    let (first, second) = tokio::join!(folder.attach(), folder.attach());
    assert_eq!(first.endpoints, second.endpoints);
    assert!(accepts(&first.endpoints.s3).await && accepts(&first.endpoints.redshift_data).await);
    let pid = folder.server_pid();

    drop(first);
    let third = folder.attach().await;
    assert_eq!((folder.server_pid(), &third.endpoints), (pid, &second.endpoints));

    drop((second, third));
    folder.server_gone().await;
    assert_eq!(folder.endpoints_file()["ready"], false);
}

#[tokio::test]
async fn a_client_that_comes_when_the_server_leaves_gets_another_one() {
    let folder = Folder::new();
    let endpoints = folder.attach().await.endpoints;
    for _ in 0..5 {
        // The drop makes the old server leave while the next client is about to attach.
        let attachment = folder.attach().await;
        assert!(
            accepts(&attachment.endpoints.s3).await
                && accepts(&attachment.endpoints.redshift_data).await
        );
        assert_eq!(attachment.endpoints, endpoints);
    }
    folder.server_gone().await;
}

#[tokio::test]
async fn a_killed_server_is_replaced_on_the_same_ports() {
    let folder = Folder::new();
    let attachment = folder.attach().await;
    fs::create_dir(folder.dir().join("demo")).unwrap();
    let pid = folder.server_pid();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    folder.server_gone().await;
    assert_eq!(
        folder.endpoints_file()["ready"],
        true,
        "the killed server could not say that it is gone"
    );

    // The first client still holds its attachment to the killed server. New clients get in.
    let again = folder.attach().await;
    assert_ne!(folder.server_pid(), pid);
    assert_eq!(again.endpoints, attachment.endpoints);
    assert!(accepts(&again.endpoints.s3).await && accepts(&again.endpoints.redshift_data).await);
    drop((attachment, again));
    folder.server_gone().await;
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_does_so_in_order() {
    let folder = Folder::new();
    let attachment = folder.attach().await;
    assert!(Command::new("kill").args(["-TERM", &folder.server_pid()]).status().unwrap().success());
    folder.server_gone().await;
    assert_eq!(folder.endpoints_file()["ready"], false);
    assert!(!folder.dir().join(".loader/postgres/data/postmaster.pid").exists());
    drop(attachment);
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let folder = Folder::new();
    folder.write_program("export LOADER_POSTGRES_BIN=/nowhere");
    let error = attach(&folder.dir(), &folder.program()).await.unwrap_err();
    assert!(matches!(error, AttachError::ServerEnded { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("no PostgreSQL found (looked for `initdb` and `postgres` in /nowhere)"),
        "{message}"
    );
    assert!(message.contains("apt-get install postgresql"), "{message}");

    // With the program mended, the next server starts.
    folder.write_program("");
    drop(folder.attach().await);
    folder.server_gone().await;
}

#[tokio::test]
async fn a_folder_has_one_server_and_keeps_its_ports() {
    let dir = tempfile::tempdir().unwrap();
    let options = || LocalOptions { dir: dir.path().to_owned(), ..LocalOptions::default() };
    let server = Server::start(options()).await.unwrap();
    let endpoints = server.endpoints().clone();
    let refused = Server::start(options()).await.unwrap_err();
    assert!(matches!(refused, LocalError::Running { .. }), "{refused}");
    // A client needs no program when a server runs.
    let attachment = attach(dir.path(), &Program::At("/nowhere".into())).await.unwrap();
    assert_eq!(attachment.endpoints, endpoints);
    server.stop().await.unwrap();
    assert!(!accepts(&endpoints.s3).await);

    let server = Server::start(options()).await.unwrap();
    assert_eq!(server.endpoints(), &endpoints);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_only_when_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let asked =
        LocalOptions { dir: dir.path().to_owned(), s3_port: port, ..LocalOptions::default() };
    let error = Server::start(asked).await.unwrap_err();
    assert!(matches!(error, LocalError::Bind { port: refused, .. } if refused == port), "{error}");
}

/// What `loader local` prints is what a shell takes, with the key of the folder.
#[tokio::test]
async fn the_printed_variables_are_those_of_the_folder() {
    let folder = Folder::new();
    let mut server = Command::new(env!("CARGO_BIN_EXE_loader-local"))
        .args(["--dir".as_ref(), folder.dir().as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(server.stdout.take().unwrap());
    let mut exports = Vec::new();
    for line in printed.lines().map(Result::unwrap) {
        exports.extend(line.strip_prefix("export ").map(str::to_owned));
        if line.contains("Ctrl-C") {
            break;
        }
    }
    let attachment = folder.attach().await;
    let variables = attachment.endpoints.variables();
    let expected: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(exports, expected);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"] {
        assert!(variables.iter().any(|(known, value)| *known == name && !value.is_empty()));
    }
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert!(server.wait().unwrap().success());
}
