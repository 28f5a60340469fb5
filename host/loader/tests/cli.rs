//! The built program answers. (All that it does is tested in the crate `loader-tests`, which runs
//! this same binary.)

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
