//! Circles in small crates that are made up.

use super::*;

/// The circles of a crate with these files, each as its files; `lib.rs` is the first.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let arrows = arrows_of(files);
    let circles = circles(&arrows);
    circles.iter().map(|circle| circle.iter().map(|file| file.to_string()).collect()).collect()
}

fn arrows_of(files: &[(&str, &str)]) -> Arrows {
    let files: BTreeMap<String, &str> =
        files.iter().map(|(name, text)| (format!("src/{name}"), *text)).collect();
    let read = |file: &str| files.get(file).map(|text| text.to_string());
    arrows::between_files(&Modules::read("src/lib.rs", &read).expect("Rust"))
}

/// The arrows that begin in `src/a.rs`, each as `file: names`.
fn arrows_from_a(files: &[(&str, &str)]) -> Vec<String> {
    let arrows = arrows_of(files);
    let from_a = arrows.iter().filter(|((from, _), _)| from == "src/a.rs");
    from_a
        .map(|((_, to), names)| {
            format!("{to}: {}", names.iter().cloned().collect::<Vec<_>>().join(", "))
        })
        .collect()
}

const LIB: (&str, &str) = ("lib.rs", "mod a; mod b;");

#[test]
fn files_that_import_each_other_are_a_circle() {
    let a = ("a.rs", "use crate::b::B; pub(crate) struct A;");
    let b = ("b.rs", "pub(crate) struct B; impl B { fn a(&self) -> super::a::A { super::a::A } }");
    assert_eq!(circles_of(&[LIB, a, b]), [["src/a.rs", "src/b.rs"]]);
    let without_a = ("b.rs", "pub(crate) struct B;");
    assert_eq!(circles_of(&[LIB, a, without_a]), [[""; 0]; 0]);
}

#[test]
fn a_circle_can_have_more_files_and_a_crate_more_circles() {
    let lib = ("lib.rs", "mod a; mod b; mod c; mod d; mod e;");
    let files = [
        lib,
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::{a::A, d::D}; pub struct C;"),
        ("d.rs", "use crate::e::E; pub struct D;"),
        ("e.rs", "use crate::d::D; pub struct E;"),
    ];
    let expected = [vec!["src/a.rs", "src/b.rs", "src/c.rs"], vec!["src/d.rs", "src/e.rs"]];
    assert_eq!(circles_of(&files), expected);
}

#[test]
fn a_child_that_takes_from_its_parent_is_in_a_circle_with_it() {
    let lib = ("lib.rs", "mod a;");
    let parent = ("a.rs", "mod child; pub struct A; fn f() { child::make(); }");
    let child = ("a/child.rs", "use super::A; pub fn make() -> A { A }");
    assert_eq!(circles_of(&[lib, parent, child]), [["src/a.rs", "src/a/child.rs"]]);
    let in_mod_rs = ("a/mod.rs", parent.1);
    assert_eq!(circles_of(&[lib, in_mod_rs, child]), [["src/a/child.rs", "src/a/mod.rs"]]);
    // `mod child;` alone is no arrow, nor is `pub use`.
    let parent = ("a.rs", "mod child; pub use child::make; pub struct A;");
    assert_eq!(circles_of(&[lib, parent, child]), [[""; 0]; 0]);
}

#[test]
fn a_name_is_taken_from_the_file_that_defines_it() {
    let a = ("a.rs", "use crate::b::{C, D as E};");
    let files = [
        LIB,
        a,
        ("b.rs", "mod c; mod d; pub use c::C; pub use self::d::*;"),
        ("b/c.rs", "pub struct C;"),
        ("b/d.rs", "pub use crate::b::d::e::D; mod e;"),
        ("b/d/e.rs", "use super::super::c::C; pub struct D;"),
    ];
    assert_eq!(arrows_from_a(&files), ["src/b/c.rs: C", "src/b/d/e.rs: D"]);
    assert_eq!(circles_of(&files), [[""; 0]; 0]);
}

#[test]
fn a_circle_through_an_export_is_found() {
    let files = [
        LIB,
        ("a.rs", "use crate::b::C; pub struct A;"),
        ("b.rs", "mod c; pub use c::C;"),
        ("b/c.rs", "use crate::a::A; pub struct C;"),
    ];
    assert_eq!(circles_of(&files), [["src/a.rs", "src/b/c.rs"]]);
}

#[test]
fn modules_in_one_file_are_no_circle() {
    let lib = "mod x { use super::y::Y; pub struct X; } mod y { use super::x::X; pub struct Y; }";
    assert_eq!(circles_of(&[("lib.rs", lib)]), [[""; 0]; 0]);
}

#[test]
fn imports_are_read_in_every_form() {
    let from_a = |text: &str| {
        let b = "pub struct B; pub enum Kind { One } pub const N: u8 = 1;
                 pub fn f() {} pub mod m { pub struct M; }";
        arrows_from_a(&[LIB, ("a.rs", text), ("b.rs", b)])
    };
    let nothing: [&str; 0] = [];
    assert_eq!(from_a("use crate::{b::{self, B as Other,\n Kind}};"), ["src/b.rs: B, Kind"]);
    assert_eq!(from_a("use super::b; fn g() { b::f() }"), ["src/b.rs: f"]);
    assert_eq!(from_a("use super::b;"), nothing);
    assert_eq!(from_a("use crate::b::*; fn g() { f(); N; }"), ["src/b.rs: *, N, f"]);
    assert_eq!(from_a("use crate::b::Kind::*;"), ["src/b.rs: Kind"]);
    assert_eq!(from_a("fn g(k: crate::b::Kind) {}"), ["src/b.rs: Kind"]);
    assert_eq!(from_a("fn g() { use crate::b::m; m::M; }"), ["src/b.rs: M"]);
    assert_eq!(from_a("fn g() { println!(\"{}\", [crate::b::N][0]) }"), ["src/b.rs: N"]);
    assert_eq!(from_a("#[serde(default = crate::b::f)] struct S;"), ["src/b.rs: f"]);
    assert_eq!(from_a("mod inner { use super::super::b::B; }"), ["src/b.rs: B"]);
}

#[test]
fn what_is_no_import_is_no_arrow() {
    let from_a = |text: &str| arrows_from_a(&[LIB, ("a.rs", text), ("b.rs", "pub struct B;")]);
    let nothing: [&str; 0] = [];
    assert_eq!(
        from_a("//! [`crate::b::B`]\n// use crate::b::B;\nconst S: &str = \"crate::b::B\";"),
        nothing
    );
    assert_eq!(from_a("#[cfg(test)] mod tests { use crate::b::B; }"), nothing);
    assert_eq!(
        from_a("#[cfg(test)] use crate::b::B; #[cfg(test)] fn f() { crate::b::B; }"),
        nothing
    );
    assert_eq!(from_a("use ::b::B; use std::b::B; use serde_json;"), nothing);
    assert_eq!(from_a("pub(crate) use crate::b::B;"), nothing);
    assert_eq!(from_a("pub use crate::a::*; use self::*; fn f() { unknown(); }"), nothing);
}

#[test]
fn a_failure_lists_the_files_and_the_names() {
    let files = |count: usize| {
        let mut files = vec![(
            "lib.rs".to_owned(),
            (0..count).map(|n| format!("mod m{n};")).collect::<String>(),
        )];
        files.extend((0..count).map(|n| {
            let next = (n + 1) % count;
            (format!("m{n}.rs"), format!("use crate::m{next}::M{next}; pub struct M{n};"))
        }));
        files
    };
    let judged = |count: usize| {
        let files = files(count);
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let arrows = arrows_of(&files);
        judge(&circles(&arrows), &arrows)
    };
    judged(MAX_FILES).expect("small enough");
    let message = judged(MAX_FILES + 1).expect_err("too large").to_string();
    assert!(
        message.starts_with("1 circles of files, the largest of 5 files; at most 4 "),
        "{message}"
    );
    assert!(message.contains("circle of 5 files:\n  src/m0.rs -> src/m1.rs: M1\n"), "{message}");
}
