//! A whole file or none.

use std::fs;
use std::path::Path;

use crate::outbox::Outbox;

/// The names in `folder`, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_folder_is_made_and_left_empty() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("a/b");
    Outbox::open(&folder).unwrap();
    assert!(names(&folder).is_empty());
}

#[test]
fn a_message_replaces_its_predecessor_and_leaves_no_temporary() {
    let place = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(place.path()).unwrap();
    outbox.put("ada@example.org", b"a longer first message").unwrap();
    outbox.put("ada@example.org", b"second").unwrap();
    assert_eq!(names(place.path()), ["ada@example.org.eml"]);
    assert_eq!(fs::read(place.path().join("ada@example.org.eml")).unwrap(), b"second");
}

#[test]
fn what_a_crash_left_behind_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(place.path()).unwrap();
    fs::write(place.path().join(".ada@example.org.tmp"), "half a mess").unwrap();
    outbox.put("ada@example.org", b"whole").unwrap();
    assert_eq!(names(place.path()), ["ada@example.org.eml"]);
    assert_eq!(fs::read(place.path().join("ada@example.org.eml")).unwrap(), b"whole");
}

#[test]
fn a_failed_write_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(place.path()).unwrap();
    // The rename fails: its target is a folder that is not empty.
    fs::create_dir_all(place.path().join("ada@example.org.eml/occupied")).unwrap();
    outbox.put("ada@example.org", b"message").unwrap_err();
    assert_eq!(names(place.path()), ["ada@example.org.eml"]);
    // The write fails: no file system takes a name of this length.
    outbox.put(&"a".repeat(5000), b"message").unwrap_err();
    assert_eq!(names(place.path()), ["ada@example.org.eml"]);
}

#[test]
fn a_file_is_no_folder() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    Outbox::open(&file).unwrap_err();
    Outbox::open(&file.join("below")).unwrap_err();
}
