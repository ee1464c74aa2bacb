//! The program as a whole, in temporary folders.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader};
use indicatif::ProgressBar;
use tempfile::TempDir;

use crate::args::{self, Command, Options};
use crate::inputs::{self, Picture};
use crate::store::Store;
use crate::{program, work};

/// Input and output folder of a test.
struct Folders {
    root: TempDir,
}

impl Folders {
    /// An empty input folder; the output folder does not exist.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        Self { root }
    }

    fn input(&self, file: &str) -> PathBuf {
        self.root.path().join("in").join(file)
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn picture(&self, file: &str, width: u32, height: u32) {
        let path = self.input(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        DynamicImage::new_rgb8(width, height).save(path).unwrap();
    }

    /// Runs the program: exit code, standard output, standard error.
    fn run(&self, inputs: &[&str], rest: &str) -> (u8, String, String) {
        let mut line: Vec<OsString> = inputs.iter().map(|input| self.input(input).into()).collect();
        line.push("--out".into());
        line.push(self.out().into());
        line.extend(rest.split_whitespace().map(OsString::from));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = program(line, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn options(&self, rest: &str) -> Options {
        match args::parse(rest.split_whitespace().map(OsString::from)).unwrap() {
            Command::Run(options) => Options { out: self.out(), ..options },
            Command::Help => unreachable!("no test asks for help this way"),
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn dimensions(path: &Path) -> (u32, u32) {
    ImageReader::open(path).unwrap().with_guessed_format().unwrap().into_dimensions().unwrap()
}

#[test]
fn the_bundled_files_give_eight_thumbnails_and_two_dead_letters() {
    let folders = Folders::new();
    let (code, out, err) = folders.run(&[], "--size 64");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let names = names(&folders.out());
    assert_eq!(names.len(), 9, "{names:?}");
    assert!(names.contains(&"contact-sheet.png".to_owned()));
    assert!(out.contains("done           8\n") && out.contains("dead           2\n"), "{out}");
    assert!(out.contains("broken.jpg") && out.contains("not-a-picture.png"), "{out}");
    assert_eq!(dimensions(&folders.out().join("chelsea.jpg")), (64, 43));
}

#[test]
fn a_corrupt_file_becomes_a_dead_letter_and_the_rest_finishes() {
    let folders = Folders::new();
    for number in 0..20 {
        folders.picture(&format!("{number}.png"), 100, 50);
    }
    let whole = fs::read(folders.input("3.png")).unwrap();
    fs::write(folders.input("3.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folders.input("4.png"), "no picture").unwrap();
    let (code, out, _) = folders.run(&["."], "--size 10 --workers 3 --capacity 1");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("done          18\n") && out.contains("retried        0\n"), "{out}");
    assert!(out.contains("3.png  ") && out.contains("4.png  "), "{out}");
    assert_eq!(names(&folders.out()).len(), 19);
    assert_eq!(dimensions(&folders.out().join("0.jpg")), (10, 5));
}

#[test]
fn a_missing_input_exits_with_2_before_anything_is_created() {
    let folders = Folders::new();
    folders.picture("a.png", 10, 10);
    let (code, out, err) = folders.run(&["a.png", "missing"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("thumbnails: cannot use ") && err.contains("missing"), "{err}");
    assert!(!folders.out().exists());
}

#[test]
fn bad_arguments_exit_with_2_before_anything_is_created() {
    let folders = Folders::new();
    folders.picture("a.png", 10, 10);
    for bad in ["--size 0", "--workers none", "--frobnicate", "--attempts"] {
        let (code, out, err) = folders.run(&["a.png"], bad);
        assert_eq!((code, out.as_str()), (2, ""), "{bad}");
        assert!(err.contains(bad.split(' ').next().unwrap()) && err.contains("--help"), "{err}");
    }
    assert!(!folders.out().exists());
}

#[test]
fn an_output_folder_that_cannot_be_written_exits_with_2() {
    let folders = Folders::new();
    folders.picture("a.png", 10, 10);
    fs::write(folders.out(), "a file is in the way").unwrap();
    let (code, out, err) = folders.run(&["a.png"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("cannot write to the output folder"), "{err}");
}

#[test]
fn equal_file_names_keep_their_own_thumbnails() {
    let folders = Folders::new();
    folders.picture("a/cat.png", 30, 10);
    folders.picture("b/cat.png", 20, 10);
    folders.picture("c/contact-sheet.png", 10, 10);
    let (code, out, _) = folders.run(&["."], "--size 100");
    assert_eq!(code, 0, "{out}");
    assert_eq!(names(&folders.out()), ["cat-2.jpg", "cat.jpg", "contact-sheet-2.jpg", "contact-sheet.png"]);
    assert_eq!(dimensions(&folders.out().join("cat.jpg")), (30, 10));
    assert_eq!(dimensions(&folders.out().join("cat-2.jpg")), (20, 10));
}

#[test]
fn a_file_that_cannot_be_read_is_retried_and_makes_the_run_incomplete() {
    let folders = Folders::new();
    folders.picture("a.png", 10, 10);
    folders.picture("gone.png", 10, 10);
    let options = folders.options("--attempts 3 --workers 2");
    let pictures = inputs::find(&[folders.input("")], &options.out).unwrap();
    fs::remove_file(folders.input("gone.png")).unwrap();
    let store = Store::open(&options.out).unwrap();
    let report = work::make_thumbnails(pictures, &store, &options, &ProgressBar::hidden()).unwrap();
    assert_eq!((report.done.len(), report.dead.len(), report.retried), (1, 1, 2));
    assert!(report.dead[0].source.ends_with("gone.png"));
    assert!(report.dead[0].reason.ends_with("(after 3 attempts)"), "{}", report.dead[0].reason);
    assert!(!report.is_complete());
}

#[test]
fn a_thumbnail_that_cannot_be_written_leaves_no_temporary_file() {
    let folders = Folders::new();
    folders.picture("a.png", 10, 10);
    let options = folders.options("--attempts 1");
    fs::create_dir_all(folders.out().join("a.jpg/in-the-way")).unwrap();
    let (code, out, _) = folders.run(&["a.png"], "--attempts 1");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("dead           1\n") && out.contains("sheet     none"), "{out}");
    assert_eq!(names(&options.out), ["a.jpg"]);
}

#[test]
fn a_thousand_pictures_pass_through_a_pool_that_holds_two() {
    let folders = Folders::new();
    folders.picture("a.png", 2, 2);
    let options = folders.options("--capacity 2 --workers 4 --size 1");
    let store = Store::open(&options.out).unwrap();
    let pictures =
        (0..1000).map(|number| Picture { number, source: folders.input("a.png"), stem: number.to_string() });
    let report = work::make_thumbnails(pictures.collect(), &store, &options, &ProgressBar::hidden()).unwrap();
    assert_eq!((report.done.len(), report.dead.len()), (1000, 0));
    assert!(report.done.iter().enumerate().all(|(place, done)| done.number == place));
    assert_eq!(names(&options.out).len(), 1000);
}

/// A reader that went away, as `| head` does, or a full disk.
struct Refusing(io::ErrorKind);

impl Write for Refusing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[test]
fn a_closed_pipe_is_no_failure_but_a_full_disk_is() {
    for (kind, code) in [(io::ErrorKind::BrokenPipe, 0), (io::ErrorKind::StorageFull, 1)] {
        let found = program(["--help".into()], &mut Refusing(kind), &mut Refusing(kind));
        assert_eq!(found, code, "{kind:?}");
    }
    let nonsense = program(["--nonsense".into()], &mut Vec::new(), &mut Refusing(io::ErrorKind::BrokenPipe));
    assert_eq!(nonsense, 2, "the exit code stands even if nobody can be told why");
}
