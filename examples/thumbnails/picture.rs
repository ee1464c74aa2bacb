//! From the bytes of a picture to the bytes of its thumbnail.
//!
//! Pure: no files, no threads. So an error here is the bytes' own fault, and trying again cannot help.

use std::error::Error;
use std::io::Cursor;

use fast_image_resize::{ResizeError, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// The most memory one picture may take when decoded: 170 megapixels in colour. A small file can claim to be far more.
const MAX_DECODED_BYTES: u64 = 512 << 20;
/// The longest side that is decoded; JPEG knows no longer one.
const MAX_SIDE: u32 = 65_535;
/// Small files without visible artefacts at thumbnail size; a guess.
const JPEG_QUALITY: u8 = 85;

/// Why bytes are no usable picture.
pub(crate) type Unusable = Box<dyn Error + Send + Sync>;

/// A thumbnail, encoded.
#[derive(Debug)]
pub(crate) struct Thumbnail {
    /// The file's contents.
    pub(crate) bytes: Vec<u8>,
    /// The extension that suits them: `png` with transparency, else `jpg`.
    pub(crate) extension: &'static str,
}

/// Makes a thumbnail whose longer side is `size` pixels, or the picture's own where that is less.
///
/// # Errors
///
/// The bytes are no JPEG or PNG, broken, cut short, or larger than the limits allow.
pub(crate) fn thumbnail(bytes: &[u8], size: u32) -> Result<Thumbnail, Unusable> {
    let (picture, orientation) = decode(bytes)?;
    // Turning the small picture is cheaper, and the square it has to fit into looks the same from all sides.
    let mut small = shrink(picture, size)?;
    small.apply_orientation(orientation);
    encode(eight_bit(small))
}

/// Decodes a picture, and says how it has to be turned to stand upright (a camera held sideways notes that in EXIF).
pub(crate) fn decode(bytes: &[u8]) -> Result<(DynamicImage, Orientation), Unusable> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);

    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    if reader.format() == Some(ImageFormat::Jpeg) && !reaches_end_of_image(bytes) {
        return Err("the JPEG ends before its end-of-image marker: the file is cut short".into());
    }
    let mut decoder = reader.into_decoder()?;
    // The claimed size counts before a byte of it is allocated.
    limits.reserve(decoder.total_bytes())?;
    // A picture with broken EXIF data is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// Whether a JPEG runs up to its end-of-image marker. The decoder fills what is missing with grey and calls it success.
fn reaches_end_of_image(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|&byte| byte == 0xFF) {
        rest = &rest[place + 1..];
        match *rest {
            [0xD9, ..] => return true,
            // An escaped 0xFF, a restart or start-of-image marker, or a fill byte: no length follows.
            [0x00 | 0x01 | 0xD0..=0xD8 | 0xFF, ..] => {}
            // A segment, which may hold anything, such as a preview with an end of its own. It counts its length's two bytes.
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

/// The size of a thumbnail: the longer side becomes `size`, the other follows. Nothing is enlarged, and no side becomes 0.
pub(crate) fn fit(width: u32, height: u32, size: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= size {
        return (width, height);
    }
    let scaled = |side: u32| {
        let rounded = (u64::from(side) * u64::from(size) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).expect("no side is longer than the longer one, which becomes `size`").max(1)
    };
    (scaled(width), scaled(height))
}

/// Scales a picture down to [`fit`] `size`, with the filter the library recommends (Lanczos, alpha taken into account).
pub(crate) fn shrink(picture: DynamicImage, size: u32) -> Result<DynamicImage, ResizeError> {
    let (width, height) = fit(picture.width(), picture.height(), size);
    if (width, height) == (picture.width(), picture.height()) {
        return Ok(picture);
    }
    let mut small = DynamicImage::new(width, height, picture.color());
    Resizer::new().resize(&picture, &mut small, None)?;
    Ok(small)
}

/// Eight bits a channel are enough for a thumbnail, and all that JPEG takes.
fn eight_bit(picture: DynamicImage) -> DynamicImage {
    match picture.color() {
        ColorType::L8 | ColorType::L16 => picture.into_luma8().into(),
        ColorType::La8 | ColorType::La16 => picture.into_luma_alpha8().into(),
        color if color.has_alpha() => picture.into_rgba8().into(),
        _ => picture.into_rgb8().into(),
    }
}

fn encode(picture: DynamicImage) -> Result<Thumbnail, Unusable> {
    let mut bytes = Vec::new();
    let extension = if picture.color().has_alpha() {
        picture.write_with_encoder(PngEncoder::new(&mut bytes))?;
        "png"
    } else {
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        "jpg"
    };
    Ok(Thumbnail { bytes, extension })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ColorType, DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage};

    use super::{decode, fit, thumbnail};

    /// What `picture` is after being saved as `format`.
    pub(super) fn saved(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn the_longer_side_fits_and_the_aspect_stays() {
        for (source, size, expected) in [
            ((4000, 3000), 256, (256, 192)),
            ((3000, 4000), 256, (192, 256)),
            ((512, 512), 256, (256, 256)),
            ((451, 300), 256, (256, 170)),
            ((3, 2), 1, (1, 1)),
            ((100_000, 1), 256, (256, 1)),
            ((1, u32::MAX), 4096, (1, 4096)),
            ((257, 256), 256, (256, 255)),
        ] {
            assert_eq!(fit(source.0, source.1, size), expected, "{source:?} to {size}");
        }
    }

    #[test]
    fn nothing_is_enlarged_or_vanishes() {
        for width in 1..60 {
            for height in 1..60 {
                for size in 1..60 {
                    let (w, h) = fit(width, height, size);
                    assert!((1..=width).contains(&w) && (1..=height).contains(&h));
                    assert_eq!(w.max(h), size.min(width.max(height)));
                    // Half a pixel of rounding, or the one pixel that must remain.
                    let exact = f64::from(h) * f64::from(width) / f64::from(height);
                    assert!(
                        width < height
                            || h == 1
                            || (exact - f64::from(w)).abs() <= f64::from(width) / f64::from(height)
                    );
                }
            }
        }
    }

    #[test]
    fn every_kind_of_pixel_becomes_a_thumbnail() {
        use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
        for (color, extension, small) in [
            (L8, "jpg", L8),
            (L16, "jpg", L8),
            (La8, "png", La8),
            (La16, "png", La8),
            (Rgb8, "jpg", Rgb8),
            (Rgb16, "jpg", Rgb8),
            (Rgba8, "png", Rgba8),
            (Rgba16, "png", Rgba8),
        ] {
            for size in [10, 100] {
                let source = saved(&DynamicImage::new(40, 20, color), ImageFormat::Png);
                let made = thumbnail(&source, size).unwrap();
                assert_eq!(made.extension, extension, "{color:?}");
                let (picture, _) = decode(&made.bytes).unwrap();
                assert_eq!((picture.color(), picture.width()), (small, size.min(40)), "{color:?}");
            }
        }
    }

    #[test]
    fn a_picture_taken_sideways_is_turned_upright() {
        // Left half red, right half blue; orientation 6 turns it by a quarter clockwise: red on top.
        let picture =
            RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) });
        let mut bytes = saved(&picture.into(), ImageFormat::Jpeg);
        let exif = b"\xFF\xE1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        bytes.splice(2..2, exif.iter().copied());
        let (turned, _) = decode(&thumbnail(&bytes, 32).unwrap().bytes).unwrap();
        assert_eq!(turned.dimensions(), (16, 32));
        assert!(turned.get_pixel(8, 4).0[0] > 200 && turned.get_pixel(8, 28).0[2] > 200);
    }

    #[test]
    fn a_picture_cut_short_anywhere_is_refused() {
        let picture = DynamicImage::from(RgbImage::from_fn(64, 64, |x, y| {
            Rgb([(x * y) as u8, (x * 7) as u8, (y * 5) as u8])
        }));
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let whole = saved(&picture, format);
            thumbnail(&whole, 16).unwrap();
            // The last chunk of a PNG holds no pixels.
            let end = if format == ImageFormat::Png { whole.len() - 12 } else { whole.len() };
            for length in (0..end).step_by(7) {
                assert!(thumbnail(&whole[..length], 16).is_err(), "{format:?} cut to {length} of {end}");
            }
        }
    }

    #[test]
    fn a_preview_inside_a_jpeg_does_not_hide_that_it_is_cut_short() {
        let mut bytes = saved(&DynamicImage::new_rgb8(64, 64), ImageFormat::Jpeg);
        bytes.splice(2..2, *b"\xFF\xE1\x00\x06\xFF\xD8\xFF\xD9");
        thumbnail(&bytes, 16).unwrap();
        bytes.truncate(bytes.len() - 2);
        assert!(thumbnail(&bytes, 16).unwrap_err().to_string().contains("cut short"));
    }

    #[test]
    fn a_decompression_bomb_is_refused_before_it_goes_off() {
        // The header of a PNG that claims 60,000 x 60,000 pixels in colour: ten gigabytes.
        let mut bytes = saved(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
        bytes[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        let checksum = bytes[12..29].iter().fold(!0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
        });
        bytes[29..33].copy_from_slice(&(!checksum).to_be_bytes());
        let error = thumbnail(&bytes, 16).unwrap_err().to_string();
        assert!(error.contains("limit") || error.contains("memory"), "{error}");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for bytes in
            [&b""[..], b"\xFF", b"\xFF\xD8", b"\xFF\xD8\xFF", b"just text", b"GIF89a", b"\x89PNG\r\n\x1a\n"]
        {
            assert!(thumbnail(bytes, 16).is_err(), "{bytes:?}");
        }
    }
}
