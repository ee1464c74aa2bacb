//! The contact sheet: all thumbnails on one page, as prints laid out on a table.

use std::path::PathBuf;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage, imageops};

use crate::picture;
use crate::report::Finished;
use crate::store::Store;

/// The contact sheet's file name, without its extension. No thumbnail has it.
pub(crate) const STEM: &str = "contact-sheet";

/// More pictures than this would not be looked at; it fills [`MAX_COLUMNS`] x 8 cells.
const MAX_PICTURES: usize = 96;
/// Keeps the page narrower than 4,000 pixels.
const MAX_COLUMNS: u32 = 12;
/// The longer side of a picture on the sheet, at most, in pixels: larger thumbnails are shrunk.
const MAX_CELL: u32 = 256;
/// The white edge of a print, in pixels.
const MAT: u32 = 8;
/// What is left free around a cell, in pixels; a shadow has to fit in.
const GAP: u32 = 24;
/// How far a shadow reaches, in pixels, and how far it falls.
const SHADOW: f32 = 14.0;
/// See [`SHADOW`].
const SHADOW_DROP: f32 = 4.0;
/// How dark a shadow is where the print touches the table: 0 is nothing, 1 is black.
const SHADOW_DEPTH: f32 = 0.45;
/// The table.
const TABLE: Rgb<u8> = Rgb([0xDD, 0xDA, 0xD3]);
/// The print.
const WHITE: Rgba<u8> = Rgba([0xFF; 4]);

/// Where everything goes: a grid of equal cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    columns: u32,
    rows: u32,
    /// The side of a cell: the largest picture and its mat.
    cell: u32,
}

impl Layout {
    /// A page a bit wider than high: the fewest columns for which `columns * columns * 2 >= pictures * 3`.
    fn new(pictures: u32, picture_size: u32) -> Self {
        let columns = (1..MAX_COLUMNS).find(|columns| columns * columns * 2 >= pictures * 3);
        let columns = columns.unwrap_or(MAX_COLUMNS).min(pictures);
        Self { columns, rows: pictures.div_ceil(columns), cell: picture_size + 2 * MAT }
    }

    fn width(self) -> u32 {
        self.columns * (self.cell + GAP) + GAP
    }

    fn height(self) -> u32 {
        self.rows * (self.cell + GAP) + GAP
    }

    /// The corner of a cell.
    fn corner(self, cell: u32) -> (u32, u32) {
        let step = self.cell + GAP;
        (GAP + cell % self.columns * step, GAP + cell / self.columns * step)
    }
}

/// Lays out the first [`MAX_PICTURES`] thumbnails, and writes the page to the store. No thumbnails, no page.
///
/// # Errors
///
/// A message for the user: a thumbnail could not be read back, or the page not be written.
pub(crate) fn write(done: &[Finished], store: &Store, size: u32) -> Result<Option<PathBuf>, String> {
    if done.is_empty() {
        return Ok(None);
    }
    let size = size.min(MAX_CELL);
    let mut pictures = Vec::new();
    for finished in done.iter().take(MAX_PICTURES) {
        let picture = load(&store.path(&finished.file), size);
        pictures.push(picture.map_err(|error| format!("cannot use {}: {error}", finished.file))?);
    }
    let file = format!("{STEM}.png");
    let mut bytes = Vec::new();
    draw(&pictures, size)
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .map_err(|error| error.to_string())
        .and_then(|()| store.write(&file, &bytes).map_err(|error| error.to_string()))
        .map_err(|error| format!("cannot write {file}: {error}"))?;
    Ok(Some(store.path(&file)))
}

/// Reads a thumbnail back, shrunk to its place on the sheet.
fn load(path: &std::path::Path, size: u32) -> Result<RgbaImage, picture::Unusable> {
    let (thumbnail, _) = picture::decode(&std::fs::read(path)?)?;
    Ok(picture::shrink(thumbnail, size)?.into_rgba8())
}

/// Draws the page. No picture is larger than `size`.
fn draw(pictures: &[RgbaImage], size: u32) -> RgbImage {
    let count = u32::try_from(pictures.len()).expect("there are at most MAX_PICTURES");
    let layout = Layout::new(count, size);
    let mut page = RgbImage::from_pixel(layout.width(), layout.height(), TABLE);
    for (cell, picture) in (0..).zip(pictures) {
        debug_assert!(picture.width().max(picture.height()) <= size);
        let mut print = RgbaImage::from_pixel(picture.width() + 2 * MAT, picture.height() + 2 * MAT, WHITE);
        imageops::overlay(&mut print, picture, i64::from(MAT), i64::from(MAT));
        let (x, y) = layout.corner(cell);
        let x = x + (layout.cell - print.width()) / 2;
        let y = y + (layout.cell - print.height()) / 2;
        cast_shadow(&mut page, (x, y), print.dimensions());
        let print = DynamicImage::from(print).into_rgb8();
        imageops::replace(&mut page, &print, i64::from(x), i64::from(y));
    }
    page
}

/// Darkens the table around, and under, a print at `corner`.
fn cast_shadow(page: &mut RgbImage, corner: (u32, u32), print: (u32, u32)) {
    // How far outside the stretch from `start`, `length` long, a pixel is.
    let outside = |at: u32, start: f32, length: u32| {
        let (at, end) = (at as f32, start + length as f32 - 1.0);
        (start - at).max(at - end).max(0.0)
    };
    let reach = SHADOW as u32;
    let drop = SHADOW_DROP as u32;
    for y in corner.1 - reach..corner.1 + print.1 + reach + drop {
        for x in corner.0 - reach..corner.0 + print.0 + reach {
            let dx = outside(x, corner.0 as f32, print.0);
            let dy = outside(y, corner.1 as f32 + SHADOW_DROP, print.1);
            let nearness = (1.0 - dx.hypot(dy) / SHADOW).max(0.0);
            let light = 1.0 - SHADOW_DEPTH * nearness * nearness;
            let shade = TABLE.0.map(|channel| (f32::from(channel) * light) as u8);
            // Where the shadows of neighbours meet, the darker one is seen.
            for (seen, shade) in page.get_pixel_mut(x, y).0.iter_mut().zip(shade) {
                *seen = shade.min(*seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, Rgba, RgbaImage};

    use super::{GAP, Layout, MAT, MAX_COLUMNS, MAX_PICTURES, SHADOW, SHADOW_DROP, TABLE, draw};

    #[test]
    fn the_grid_holds_every_picture_and_no_empty_row() {
        for pictures in 1..=MAX_PICTURES as u32 {
            let layout = Layout::new(pictures, 100);
            let Layout { columns, rows, .. } = layout;
            assert!(columns * rows >= pictures && columns * (rows - 1) < pictures, "{pictures}: {layout:?}");
            assert!(columns <= MAX_COLUMNS && columns >= rows, "{pictures}: {layout:?}");
            let (x, y) = layout.corner(pictures - 1);
            assert!(x + layout.cell + GAP <= layout.width() && y + layout.cell + GAP <= layout.height());
        }
        assert_eq!((Layout::new(8, 256).columns, Layout::new(8, 256).rows), (4, 2));
    }

    #[test]
    fn the_page_has_the_size_of_its_grid_and_shows_the_pictures() {
        let red = RgbaImage::from_pixel(64, 32, Rgba([200, 0, 0, 255]));
        let clear = RgbaImage::from_pixel(10, 64, Rgba([0, 0, 0, 0]));
        let page = draw(&[red, clear], 64);
        let cell = 64 + 2 * MAT;
        assert_eq!(page.dimensions(), (2 * cell + 3 * GAP, cell + 2 * GAP));
        let middle = GAP + cell / 2;
        assert_eq!(*page.get_pixel(middle, middle), Rgb([200, 0, 0]));
        assert_eq!(
            *page.get_pixel(middle + cell + GAP, middle),
            Rgb([255, 255, 255]),
            "clear shows the print"
        );
        assert_eq!(*page.get_pixel(0, 0), TABLE);
    }

    #[test]
    fn a_shadow_stays_on_the_page() {
        assert!(SHADOW + SHADOW_DROP <= GAP as f32);
    }
}
