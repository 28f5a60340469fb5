//! Files that mislead: each is told in one line.

use loader_sniff::{Delimiter, Findings, Sample, Sniffed, sniff};

/// What was found, as far as it is not the usual.
fn told(content: &[u8]) -> String {
    let found = match sniff(&Sample::of_whole(content)) {
        Sniffed::Empty => return "empty".to_owned(),
        Sniffed::Binary(_) => return "binary".to_owned(),
        Sniffed::Text(found) => found,
    };
    let mut told = format!("{} ({})", found.delimiter.value, found.delimiter.sureness.word());
    let mut add = |text: String| told.push_str(&format!(", {text}"));
    if found.encoding.value.name != "UTF-8" || found.encoding.value.has_mark {
        add(found.encoding.value.to_string());
    }
    match found.quote.value {
        Some('"') => {}
        Some(quote) => add(format!("quote {quote}")),
        None => add("no quotes".to_owned()),
    }
    let further = [("escape", found.escape.value), ("comment", found.comment.value)];
    for (what, value) in further {
        value.into_iter().for_each(|value| add(format!("{what} {value}")));
    }
    add(format!("header {} ({})", found.header_rows.value.0, found.header_rows.sureness.word()));
    further_told(&found, &mut told);
    told
}

fn further_told(found: &Findings, told: &mut String) {
    let mut add = |text: String| told.push_str(&format!(", {text}"));
    if found.skip_rows.value > 0 {
        add(format!("skip {}", found.skip_rows.value));
    }
    let footer = found.footer.as_ref().filter(|footer| footer.value > 0);
    footer.into_iter().for_each(|footer| add(format!("footer {}", footer.value)));
    for null in &found.null_texts {
        add(format!("{} times {}", null.count, null.text));
    }
    for column in &found.decimal_commas {
        add(format!("decimal comma in {}", column.name));
    }
    found.remarks.iter().for_each(|remark| add(remark.clone()));
    if found.delimiter.value == Delimiter::OneColumn {
        assert_eq!(found.names.len(), 1);
    }
}

#[track_caller]
fn check(content: &str, expected: &str) {
    assert_eq!(told(content.as_bytes()), expected, "{content}");
}

#[test]
fn few_characters_decide_little() {
    check("", "empty");
    check("\n \n", "empty");
    check("id,name\n", "`,` (likely), header 1 (cannot be told)");
    check("a", "none: one column (likely), header 1 (cannot be told)");
    check("Hello, dear world\n", "`, ` (cannot be told), header 1 (cannot be told)");
    check("7;2024-01-31;4,50\n", "`;` (likely), header 0 (likely), decimal comma in column_3");
    check("7,a,2024-01-31", "`,` (likely), header 0 (likely)");
}

#[test]
fn one_column() {
    check("name\nAnn\nBob\nCyd\n", "none: one column (sure), header 1 (cannot be told)");
    check(
        "2024-01-31 10:00\n2024-01-31 11:00\n2024-02-01 09:30\n",
        "none: one column (sure), header 0 (likely)",
    );
    check(
        "price\n1,50\n2,75\n13,20\n0,99\n",
        "none: one column (likely), header 1 (likely), decimal comma in price",
    );
    check(
        "url\nhttps://a.example/x?y=1\nhttps://a.example/x?z=2\n",
        "none: one column (sure), header 1 (likely)",
    );
    check("\"a, b\"\n\"c, d\"\n\"e\"\n", "none: one column (sure), header 1 (cannot be told)");
    check(
        "It was late, and cold, and dark.\nNobody came.\nYes, well; who would?\nThe end.\n",
        "none: one column (sure), header 1 (cannot be told)",
    );
    check(
        "New York\nLos Angeles\nSan Diego\nEl Paso\nSan Jose\n",
        "none: one column (sure), header 1 (cannot be told)",
    );
    check("red|1\n", "`|` (likely), header 0 (likely)");
}

#[test]
fn decimal_commas_do_not_part_fields() {
    check(
        "id;amount;rate\n1;2,50;3,1\n2;3,75;4,25\n3;1.234,10;5,0\n",
        "`;` (sure), header 1 (sure), decimal comma in amount, decimal comma in rate",
    );
    check(
        "2,50;3,1\n3,75;4,25\n4,10;5,0\n",
        "`;` (cannot be told), header 0 (likely), decimal comma in column_1, decimal comma in column_2",
    );
    check(
        "name\tamount\nA\t1,5\nB\t2,25\n",
        "`\\t` (sure), header 1 (sure), decimal comma in amount",
    );
    check(
        "id;amount\n1;1,234\n2;2,500\n",
        "`;` (sure), header 1 (sure), the commas in the numbers of `amount` may part thousands or the fraction; it cannot be told",
    );
    check(
        "a|1,5|2,25\nb|2,5|3,25\n",
        "`|` (likely), header 0 (likely), decimal comma in column_2, decimal comma in column_3",
    );
}

#[test]
fn times_and_addresses_have_colons() {
    check("a 12:00:01 x\nb 12:00:02 y\n", "none: one column (likely), header 1 (cannot be told)");
    check(
        "id,at,url\n1,10:00:00,http://x.example/a:b\n2,11:30:00,http://x.example/c:d\n",
        "`,` (sure), header 1 (sure)",
    );
    check(
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/bin/sh\nbin:x:2:2:bin:/bin:/bin/sh\n",
        "`:` (likely), header 0 (sure)",
    );
    check("1:55000:50100\n2:54980:50080\n3:54960:50061\n", "`:` (likely), header 0 (sure)");
}

#[test]
fn texts_have_commas_too() {
    check(
        "id;text\n1;Well, yes, maybe\n2;No\n3;Red, green, blue, and so on\n4;A, b\n",
        "`;` (sure), header 1 (likely)",
    );
    check(
        "id\ttext\n1\tone, two; three\n2\tfour | five\n3\tsix, seven\n",
        "`\\t` (sure), header 1 (likely)",
    );
    check(
        "id,text\n1,\"Well, yes, maybe\"\n2,No\n3,\"Red, green; blue\"\n",
        "`,` (sure), header 1 (likely)",
    );
    check("a,b;c,d\nx,1;2,y\nz,3;4,w\n", "`,` (likely), header 1 (cannot be told)");
}

#[test]
fn quotes_and_escapes() {
    check(
        "id,text\n1,\"two\nlines, and a comma\"\n2,\"three\n\nlines\"\n3,plain\n",
        "`,` (sure), header 1 (likely)",
    );
    check("'id';'text'\n'1';'it''s; so'\n'2';'b'\n", "`;` (sure), quote ', header 1 (likely)");
    check(
        "id,text\n1,\"say \\\"hi\\\", then\"\n2,\"b\"\n",
        "`,` (sure), escape \\, header 1 (likely)",
    );
    check("id,text\n1,\"say \"\"hi\"\", then\"\n2,\"b\"\n", "`,` (sure), header 1 (likely)");
    check(
        "id|text\n1|a\\|b\n2|c\n3|d\\\\\n",
        "`|` (sure), no quotes, escape \\, header 1 (likely)",
    );
    check(
        "size,thing\n5\" ,pipe\n6\" ,tube\n7,\"\n",
        "`,` (sure), no quotes, header 1 (cannot be told)",
    );
    check("who,what\n'tis,a\nMen's,b\nBoys',c\n", "`,` (sure), header 1 (cannot be told)");
    check("path,n\n\"C:\\dir\\\",1\n\"D:\\x\\\",2\n", "`,` (sure), header 1 (likely)");
}

#[test]
fn more_characters_part_fields() {
    check("id||name||n\n1||a||2\n2||b||\n3||||4\n", "`||` (sure), header 1 (sure)");
    check("id, name, n\n1, a, 2\n2, \"b, c\", 3\n", "`, ` (sure), header 1 (sure)");
    check("id~|~name~|~n\n1~|~a~|~2\n2~|~~|~3\n", "`~|~` (sure), header 1 (sure)");
    check("id::name::at\n1::a::10:00\n2::b::11:00\n", "`::` (sure), header 1 (sure)");
    check("id|name|n\n1||2\n2||3\n3||4\n", "`|` (likely), header 1 (sure)");
    check("a\u{1}b\u{1}c\n1\u{1}x\u{1}2\n", "`\\u{1}` (sure), header 1 (likely)");
    check("a¦b¦c\n1¦x¦2\n3¦y¦4\n", "`¦` (sure), header 1 (sure)");
    check("id | name | n\n1 | a | 2\n2 | b | 3\n", "` | ` (cannot be told), header 1 (sure)");
}

#[test]
fn aligned_columns_and_logs() {
    check(
        "name        n  city\nAnn        12  Oslo\nBob Smith   3  New York\nCyd       140  Rome\n",
        "as many blanks as the column is wide (sure), header 1 (sure)",
    );
    check(
        "  1   10.5   3\n 10    2.25  4\n100  300.0  50\n",
        "as many blanks as the column is wide (likely), header 0 (sure)",
    );
    check(
        "2024-01-31 10:00:01 INFO started\n2024-01-31 10:00:02 WARN no disk, trying again\n2024-01-31 10:00:03 INFO done: 3 files, 2 rows\n2024-01-31 10:01:00 INFO x\n",
        "none: one column (likely), header 1 (cannot be told)",
    );
    check(
        "127.0.0.1 - - [31/Jan/2024:10:00:00 +0000] \"GET / HTTP/1.1\" 200 12\n10.0.0.2 - - [31/Jan/2024:10:00:01 +0000] \"GET /a HTTP/1.1\" 404 7\n",
        "`:` (cannot be told), header 0 (likely)",
    );
}

#[test]
fn headers() {
    check("a,b\nc,d\ne,f\n", "`,` (sure), header 1 (cannot be told)");
    check("1,2\n3,4\n5,6\n", "`,` (sure), header 0 (likely)");
    check("country,2019,2020,2021\nFR,10,12,15\nDE,20,23,11\n", "`,` (sure), header 1 (sure)");
    check("name,city\nAnn,Oslo\nBob,Rome\n", "`,` (sure), header 1 (likely)");
    check("Ann,Oslo\nBob,Rome\nCyd,Oslo\nAnn,Bern\n", "`,` (sure), header 0 (sure)");
    check(
        "Region,Q1,,Q2,\n,units,price,units,price\nN,1,2.5,3,4.5\nS,2,2.5,4,4.5\nE,3,1.5,5,5.5\nW,3,1.5,5,5.5\n",
        "`,` (sure), header 2 (likely)",
    );
    check(
        "a,b,c\nm,kg,s\n1.5,2,3\n2.5,3,4\n3.5,3,4\n4.5,3,4\n1.5,2,3\n",
        "`,` (sure), header 2 (likely)",
    );
    check("order_no,placed\nX-1,2024-01-31\nX-2,NA\n", "`,` (sure), header 1 (likely), 1 times NA");
}

#[test]
fn around_the_table() {
    check(
        "Sales of 2024\nmade by hand\n\nid,name,n\n1,a,2\n2,b,3\n",
        "`,` (likely), header 1 (sure), skip 3",
    );
    check("Sales,,\n,,\nid,name,n\n1,a,2\n2,b,3\n", "`,` (sure), header 1 (sure), skip 2");
    check(
        "# made by hand\n# id: the id\nid,name\n1,a\n2,b\n",
        "`,` (likely), comment #, header 1 (sure)",
    );
    check("#id,name,n\n1,a,2\n2,b,3\n", "`,` (sure), header 1 (sure)");
    check(
        "id,name,n\n1,a,2\n2,b,3\n\nSource: the office\n",
        "`,` (sure), header 1 (sure), footer 1",
    );
    check("id,name,n\n1,a,2\n2,b,3\nTotal: 2\n", "`,` (sure), header 1 (sure), footer 1");
    check(
        "id,name,n\n1,a,2\n2,b,3\n3,c",
        "`,` (sure), header 1 (sure), the last row has too few fields; was the file cut off?",
    );
    check(
        "id,n\n1,NA\n2,3\n3,NA\n4,\\N\n5,-\n",
        "`,` (sure), header 1 (sure), 2 times NA, 1 times -, 1 times \\N",
    );
    check("sep=;\nid;n\n1;2\n3;4\n", "`;` (sure), header 1 (sure), skip 1");
    check("x,y\n1,2\n#3,4\n5,6\n7,8\n", "`,` (sure), comment #, header 1 (sure)");
}

#[test]
fn encodings_and_bytes() {
    let utf_16: Vec<u8> =
        "id;name\n1;Zoë\n2;b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(told(&utf_16), "`;` (sure), UTF-16LE, header 1 (sure)");
    let marked = [b"\xff\xfe".as_slice(), &utf_16].concat();
    assert_eq!(told(&marked), "`;` (sure), UTF-16LE with a byte order mark, header 1 (sure)");
    check(
        "\u{feff}id,name\n1,Zoë\n",
        "`,` (sure), UTF-8 with a byte order mark, header 1 (likely)",
    );
    assert_eq!(
        told(b"id;name\n1;M\xfcller\n2;Gr\xf6\xdfe\n3;Stra\xdfe\n"),
        "`;` (sure), windows-1252, header 1 (sure)"
    );
    assert_eq!(told(b"\x7fELF\x02\x01\x01\x03\x00\x04\x05\x06\x07\x08\x10\x11\x00\x12"), "binary");
    check("a,b\r\n1,2\r\n", "`,` (sure), header 1 (likely)");
    check("a,b\r1,2\r3,4\r", "`,` (sure), header 1 (sure)");
}
