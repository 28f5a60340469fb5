//! What is read from what a file looks like, and with which words it is refused.

use super::*;

fn given(toml: &str) -> DialectSettings {
    toml::from_str(toml).expect("settings")
}

/// What a file is read by, or why it is not.
fn auto(content: &str, settings: &str) -> String {
    match read_by(content.as_bytes(), &given(settings)) {
        Ok((Form { dialect, .. }, notices)) => {
            let delimiter = char::from(dialect.delimiter).escape_default();
            format!("{delimiter} header {}: {}", dialect.header, notices.join(" + "))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_the_settings_say_goes_before_what_was_found() {
    let semicolons = "id;n\n1;2\n2;3\n3;4\n";
    insta::assert_snapshot!(auto(semicolons, ""), @"; header true: the file is read by what was found out of it: --delimiter ';' (delimiter sure: 4 of 4 rows have 2 fields); --dialect given reads it by the settings alone");
    insta::assert_snapshot!(auto(semicolons, "no-header = true"), @"; header false: the file is read by what was found out of it: --delimiter ';' (delimiter sure: 4 of 4 rows have 2 fields); --dialect given reads it by the settings alone");
    insta::assert_snapshot!(auto(semicolons, "delimiter = ','"), @", header true: the file looks as if it were written with --delimiter ';', and the settings say otherwise; what else was found out of it is not used");
    insta::assert_snapshot!(auto("id,n\n1,2\n2,3\n", ""), @", header true: ");
}

#[test]
fn what_no_setting_says_is_refused_and_not_read_wrongly() {
    insta::assert_snapshot!(auto("id¦n\n1¦2\n2¦3\n3¦4\n", ""), @"the fields are parted by `¦` (sure: 4 of 4 rows have 2 fields), and the loader does not read such files; change the file, or give --dialect given to read it by the settings alone");
    insta::assert_snapshot!(auto("id     n\n1     20\n200    3\n35    41\n", ""), @"the columns are aligned with blanks (likely: 4 of 4 rows have 2 fields), and the loader does not read such files; change the file, or give --dialect given to read it by the settings alone");
    insta::assert_snapshot!(auto("Hello, dear world\n", ""), @", header true: the file is read by what was found out of it: --delimiter ', ' (delimiter cannot be told: 1 of 1 rows have 2 fields); --dialect given reads it by the settings alone");
}

#[test]
fn several_characters_and_several_header_rows_are_found_out() {
    insta::assert_snapshot!(auto("id||n\n1||2\n2||3\n3||4\n", ""), @"| header true: the file is read by what was found out of it: --delimiter '||' (delimiter sure: 4 of 4 rows have 2 fields); --dialect given reads it by the settings alone");
    insta::assert_snapshot!(auto("id,a,b\nkey,m,kg\n1,2,3\n2,3,4\n3,3,4\n4,5,6\n5,6,7\n", ""), @", header true: the file is read by what was found out of it: --header-rows 2 (header-rows likely: the first 2 rows have texts where columns have others); --dialect given reads it by the settings alone");
}

#[test]
fn an_advice_is_only_given_where_the_file_can_be_read_by_it() {
    let told = |content: &str, settings: &str, reads: bool| {
        let given = given(settings);
        let form = form(&given).expect("a form");
        advice(content.as_bytes(), &given, &form, "", |_, _| reads).unwrap_or_default()
    };
    let pipes = "Orders of May\n\nid|n\n1|'a,b'\n2|'c'\n3|'d'\n";
    insta::assert_snapshot!(told(pipes, "", true), @r#"; the file can be read with --delimiter '|' --quote "'" --skip-rows 2"#);
    insta::assert_snapshot!(told(pipes, "", false), @"");
    insta::assert_snapshot!(told(pipes, "delimiter = '|'\nskip-rows = 2", true), @r#"; the file can be read with --quote "'""#);
    insta::assert_snapshot!(told("id,n\n1,2\n2,3\n", "", true), @"");
    insta::assert_snapshot!(told("id,n\n1,2\n2,3\n", "delimiter = ';'\nquote = 'none'", true), @r#"; the file can be read with --delimiter ',' --quote '"'"#);
}
