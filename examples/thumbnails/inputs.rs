//! From files and folders to pictures: the jobs of the pool.
//!
//! Everything that can be wrong with an input is found here, before anything is written: an input that is missing or cannot
//! be searched, nothing to do at all, and an output folder in which thumbnails would overwrite the originals.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::sheet;

/// The file names a search picks up, by what follows the last dot.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// One picture to make a thumbnail of: the job that is submitted to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Its place in the order of the inputs, from 0: the place in the contact sheet too.
    pub(crate) number: usize,
    /// The file to read.
    pub(crate) source: PathBuf,
    /// The thumbnail's file name, without its extension; no two pictures of a run share it.
    pub(crate) stem: String,
}

/// Finds the pictures that `inputs` name, each file once, in a stable order.
///
/// A folder is searched recursively; links to files are followed, links to folders are not, and neither is the output
/// folder. A file that is named itself is taken whatever it is called: whether it is a picture, the handler finds out.
///
/// # Errors
///
/// A message for the user: an input is missing, cannot be searched, is neither file nor folder, or lies in `out`; or
/// there is no picture at all.
pub(crate) fn find(inputs: &[PathBuf], out: &Path) -> Result<Vec<Picture>, String> {
    // An output folder that does not exist yet holds no inputs.
    let out = fs::canonicalize(out).ok();
    let mut sources = Vec::new();
    for input in inputs {
        let kind = fs::metadata(input).map_err(|error| format!("cannot use {}: {error}", input.display()))?;
        if kind.is_file() {
            sources.push(input.clone());
        } else if kind.is_dir() {
            search(input, out.as_deref(), &mut sources)?;
        } else {
            return Err(format!("{} is neither a file nor a folder", input.display()));
        }
    }
    let sources = distinct(sources, out.as_deref())?;
    if sources.is_empty() {
        let places: Vec<_> = inputs.iter().map(|input| input.display().to_string()).collect();
        return Err(format!("no .jpg, .jpeg or .png file in {}", places.join(", ")));
    }
    Ok(name(sources))
}

/// Adds the picture files below `folder`, sorted by name, except those in the output folder.
fn search(folder: &Path, out: Option<&Path>, sources: &mut Vec<PathBuf>) -> Result<(), String> {
    if out.is_some() && fs::canonicalize(folder).ok().as_deref() == out {
        return Err(format!("{} is both an input and the output folder", folder.display()));
    }
    let is_out = |entry: &DirEntry| {
        entry.file_type().is_dir() && out.is_some() && fs::canonicalize(entry.path()).ok().as_deref() == out
    };
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| !is_out(entry)) {
        let entry = entry.map_err(|error| format!("cannot search {}: {error}", folder.display()))?;
        if has_picture_extension(entry.path()) && entry.path().is_file() {
            sources.push(entry.into_path());
        }
    }
    Ok(())
}

fn has_picture_extension(path: &Path) -> bool {
    path.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// Keeps the first of several paths to one file, and refuses a file that lies in the output folder.
fn distinct(sources: Vec<PathBuf>, out: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(sources.len());
    for source in sources {
        let real =
            fs::canonicalize(&source).map_err(|error| format!("cannot use {}: {error}", source.display()))?;
        if out.is_some() && real.parent() == out {
            return Err(format!("{} lies in the output folder and might be overwritten", source.display()));
        }
        if seen.insert(real) {
            kept.push(source);
        }
    }
    Ok(kept)
}

/// Gives every picture a stem of its own: the first `cat.jpg` is `cat`, the next `cat-2`.
///
/// It depends on the sources and their order alone. Stems that differ in case only count as equal, since many file systems
/// think so too.
fn name(sources: Vec<PathBuf>) -> Vec<Picture> {
    let mut taken = HashSet::from([sheet::STEM.to_owned()]);
    let mut repeats: HashMap<String, u32> = HashMap::new();
    let mut pictures = Vec::with_capacity(sources.len());
    for (number, source) in sources.into_iter().enumerate() {
        let plain = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let repeat = repeats.entry(plain.to_lowercase()).or_insert(1);
        let mut stem = plain.clone();
        while !taken.insert(stem.to_lowercase()) {
            *repeat += 1;
            stem = format!("{plain}-{repeat}");
        }
        pictures.push(Picture { number, source, stem });
    }
    pictures
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{find, name};

    fn touch(folder: &Path, files: &[&str]) {
        for file in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
    }

    fn found(inputs: &[PathBuf], out: &Path) -> Vec<String> {
        let pictures = find(inputs, out).unwrap();
        assert!(pictures.iter().enumerate().all(|(place, picture)| picture.number == place));
        pictures.into_iter().map(|picture| picture.source.to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn a_search_is_recursive_sorted_and_picks_pictures_only() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["b.PNG", "a.jpg", "deep/er/c.Jpeg", "notes.txt", "png", "d.gif"]);
        let found = found(&[root.path().to_owned()], Path::new("nowhere"));
        assert_eq!(found.len(), 3);
        for (found, expected) in found.iter().zip(["/a.jpg", "/b.PNG", "/deep/er/c.Jpeg"]) {
            assert!(found.ends_with(expected), "{found}");
        }
    }

    #[test]
    fn a_named_file_is_taken_whatever_it_is_called_and_only_once() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["notes.txt", "a.jpg"]);
        let inputs = ["notes.txt", "a.jpg", ".", "./a.jpg"].map(|input| root.path().join(input));
        assert_eq!(found(&inputs, Path::new("nowhere")).len(), 2);
    }

    #[test]
    fn the_output_folder_is_not_searched_and_no_original_may_lie_in_it() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["a.jpg", "out/a.jpg"]);
        let out = root.path().join("out");
        assert_eq!(found(&[root.path().to_owned()], &out).len(), 1);
        assert!(find(&[out.join("a.jpg")], &out).unwrap_err().contains("overwritten"));
        assert!(find(&[root.path().to_owned()], root.path()).unwrap_err().contains("output folder"));
    }

    #[test]
    fn a_missing_input_and_an_empty_folder_are_refused() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["notes.txt"]);
        let missing = root.path().join("missing");
        assert!(find(std::slice::from_ref(&missing), Path::new("out")).unwrap_err().contains("missing"));
        assert!(find(&[root.path().to_owned()], Path::new("out")).unwrap_err().contains("no .jpg"));
    }

    #[test]
    fn equal_names_get_distinct_stems() {
        let sources =
            ["x/cat.jpg", "y/cat.jpg", "y/CAT.png", "cat-2.jpg", "contact-sheet.png", "z/cat.jpg", "dog.png"];
        let stems = |pictures: Vec<super::Picture>| -> Vec<String> {
            pictures.into_iter().map(|picture| picture.stem).collect()
        };
        let first = stems(name(sources.map(PathBuf::from).into()));
        assert_eq!(first, ["cat", "cat-2", "CAT-3", "cat-2-2", "contact-sheet-2", "cat-4", "dog"]);
        assert_eq!(stems(name(sources.map(PathBuf::from).into())), first, "deterministic");
    }
}
