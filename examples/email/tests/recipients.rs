//! What a row becomes, and on which line it is.

use crate::recipients::{ListError, MailingList};

fn parse(csv: &str) -> MailingList {
    let list = MailingList::parse(csv.as_bytes()).unwrap();
    assert_eq!(list.rows, list.recipients.len() + list.malformed.len() + list.duplicates.len());
    list
}

/// The recipients as `line address name|town`.
fn recipients(list: &MailingList) -> Vec<String> {
    list.recipients.iter().map(|r| format!("{} {} {}|{}", r.line, r.address, r.name, r.town)).collect()
}

fn malformed(list: &MailingList) -> Vec<(u64, &str)> {
    list.malformed.iter().map(|row| (row.line, row.reason.as_str())).collect()
}

#[test]
fn columns_are_found_by_name() {
    let list = parse("id, Town,NAME,Email\n1,Weir,Ada,ada@example.org\n");
    assert_eq!(recipients(&list), ["2 ada@example.org Ada|Weir"]);
}

#[test]
fn quoted_fields_may_contain_commas_quotes_and_line_breaks() {
    let list = parse("email,name,town\na@example.org,\"A, \"\"B\"\"\",\"Upper\nWeir\"\nb@example.org,B,\n");
    assert_eq!(recipients(&list), ["2 a@example.org A, \"B\"|Upper Weir", "4 b@example.org B|"]);
}

#[test]
fn lines_are_counted_through_every_kind_of_line_end_and_empty_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let csv = "email,name,town~~a@example.org,A,~b@example.org,B,\"x~y\"~~~bad,C,~c@example.org,C,~"
            .replace('~', end);
        let list = parse(&csv);
        assert_eq!(list.recipients.iter().map(|r| r.line).collect::<Vec<_>>(), [3, 4, 9], "{end:?}");
        assert_eq!(malformed(&list), [(8, "\"bad\" is not an address: no @")], "{end:?}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let list = parse("\u{feff}email,name,town\nada@example.org,Ada,\nx,X,\n");
    assert_eq!(recipients(&list), ["2 ada@example.org Ada|"]);
    assert_eq!(list.malformed[0].line, 3);
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(
        recipients(&parse("email,name,town\nada@example.org,Ada,Weir")),
        ["2 ada@example.org Ada|Weir"]
    );
}

#[test]
fn malformed_rows_do_not_stop_the_reading() {
    let list = parse(
        "email,name,town\nshort@example.org,S\nlong@example.org,L,x,y\n,E,\nnone,N,\na@example.org,,\n\
         a b@example.org,S,\n\"\"\"q\"\"@example.org\",Q,\na@[127.0.0.1],I,\na@127.0.0.1,I,\n\u{e4}@example.org,U,\n\
         a@example.org,\u{7},\na@example..org,D,\na@example.org\r,R,\nok@example.org,O,\n",
    );
    assert_eq!(
        malformed(&list)[..5],
        [
            (2, "2 fields where 3 are expected"),
            (3, "4 fields where 3 are expected"),
            (4, "the address is empty"),
            (5, "\"none\" is not an address: no @"),
            (6, "the name is empty"),
        ]
    );
    assert_eq!(
        list.malformed[5..].iter().map(|row| row.line).collect::<Vec<_>>(),
        [7, 8, 9, 10, 11, 12, 13, 14, 15]
    );
    assert_eq!(recipients(&list), ["16 ok@example.org O|"]);
}

#[test]
fn a_row_that_is_not_utf_8_is_malformed() {
    let list = MailingList::parse(b"email,name,town\na@example.org,\xff,\nb@example.org,B,\n").unwrap();
    assert_eq!(malformed(&list), [(2, "the name is not UTF-8")]);
    assert_eq!(list.recipients.len(), 1);
}

#[test]
fn a_quote_that_is_never_closed_is_pointed_at() {
    let list = parse("email,name,town\na@example.org,\"A,\nb@example.org,B,\nc@example.org,C,\n");
    assert_eq!(
        malformed(&list),
        [(2, "2 fields where 3 are expected (the row goes on to line 5; is a quote never closed?)")]
    );
}

#[test]
fn an_address_is_kept_once() {
    let list = parse(
        "email,name,town\nada@example.org,Ada,\nada@example.org,Ada again,\nada@EXAMPLE.org,Ada,\n\
         \"  ada@example.org \",Ada,\nADA@example.org,Somebody else,\nada@example.com,Elsewhere,\n",
    );
    assert_eq!(
        recipients(&list),
        ["2 ada@example.org Ada|", "6 ADA@example.org Somebody else|", "7 ada@example.com Elsewhere|"]
    );
    let duplicates: Vec<_> =
        list.duplicates.iter().map(|d| (d.line, d.first_line, d.address.to_string())).collect();
    assert_eq!(duplicates, [3, 4, 5].map(|line| (line, 2, "ada@example.org".to_owned())));
}

#[test]
fn a_malformed_row_does_not_make_the_next_one_a_duplicate() {
    let list = parse("email,name,town\nada@example.org,,\nada@example.org,Ada,\n");
    assert_eq!(recipients(&list), ["3 ada@example.org Ada|"]);
    assert!(list.duplicates.is_empty());
}

#[test]
fn a_list_without_rows_is_a_list() {
    assert_eq!(parse("email,name,town\n").rows, 0);
}

#[test]
fn what_is_not_a_list_is_refused() {
    assert!(matches!(MailingList::parse(b""), Err(ListError::Empty)));
    assert!(matches!(MailingList::parse(b"\n\n"), Err(ListError::Empty)));
    assert!(matches!(MailingList::parse(b"name,town\nAda,Weir\n"), Err(ListError::Column("email", 0))));
    assert!(matches!(MailingList::parse(b"email,name,town,Email\n"), Err(ListError::Column("email", 2))));
    let missing = MailingList::open("no/such/list.csv".as_ref()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read no/such/list.csv: "), "{missing}");
}
