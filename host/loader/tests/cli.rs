//! The built program answers. (All that it does is tested in the crate `loader-tests`, which runs
//! this same binary.)

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

#[test]
fn help_names_every_command_and_exit_code() {
    let help = Command::new(env!("CARGO_BIN_EXE_loader"))
        .arg("--help")
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&help.stdout);
    for word in
        ["run", "stage", "transform", "local", "demo", "sql", "6 outcome unknown", "LOADER_"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

/// A folder with the program and without the stand-in's; PATH and the environment name none.
fn alone(folder: &Path) -> Command {
    let program = folder.join("loader");
    if !program.exists() && std::fs::hard_link(env!("CARGO_BIN_EXE_loader"), &program).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_loader"), &program).expect("the program can be copied");
    }
    let mut command = Command::new(program);
    command.env("PATH", "/nowhere").env_remove("LOADER_LOCAL_PROGRAM");
    command
}

#[test]
fn a_missing_stand_in_is_named_with_where_it_was_looked_for_and_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("wh");
    let dir = dir.to_str().expect("UTF-8");
    for arguments in [vec!["local", "--dir", dir], vec!["sql", "SELECT 1", "--local", dir]] {
        let ended = alone(folder.path()).args(&arguments).output().expect("the program runs");
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {text}");
        let looked = folder.path().canonicalize().expect("a folder");
        for words in [
            &format!("looked in {} and on PATH", looked.display()),
            "cargo build --package loader-local",
            "put it beside loader",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}

#[test]
fn local_hands_its_arguments_to_the_stand_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let stand_in = folder.path().join("loader-local");
    std::fs::write(&stand_in, "#!/bin/sh\necho \"$@\"\nexit 7\n").expect("a script");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&stand_in, executable).expect("an executable");
    for (arguments, given) in [
        (&["local", "--help"][..], "--help"),
        (&["local", "-v", "--dir", "wh", "--s3_port=1"], "-v --dir wh --s3-port=1"),
        (&["-vv", "local", "--dir", "wh", "--while-used"], "-v -v --dir wh --while-used"),
    ] {
        let ended = alone(folder.path()).args(arguments).output().expect("the program runs");
        assert_eq!(ended.status.code(), Some(7), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stdout).trim_end(), given, "{arguments:?}");
    }
}
