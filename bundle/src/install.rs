//! What a browser needs to put the page among a person's programs: a manifest, and icons that are
//! drawn from the mark.

use std::fs;
use std::path::Path;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::index::Index;
use crate::name::hexadecimal;

/// The mark, as wide as it is high.
const MARK: &str = include_str!("../../app/icon.svg");
/// Sides of the icons in pixels: for a home screen, and for the screen while the program starts.
const SIDES: [u32; 2] = [192, 512];
/// The colour of the mark's ground.
const GROUND: &str = "#14171c";
/// The links go in front of whatever the page loads.
const PLACE: &str = "<link rel=\"icon\"";

/// Writes icons and manifest, and names them in the page.
///
/// # Errors
/// A page that cannot be read or written, or has no place for them.
pub fn write(dist: &Path) -> Result<(), Error> {
    let mut icons = Vec::new();
    for side in SIDES {
        let name = put(dist, "icon", "png", &icon(side)?)?;
        let sizes = format!("{side}x{side}");
        for purpose in ["any", "maskable"] {
            icons.push(json!({
                "src": name, "sizes": sizes, "type": "image/png", "purpose": purpose,
            }));
        }
    }
    let manifest = json!({
        "id": "./",
        "name": "Kiln",
        "short_name": "Kiln",
        "description": "Trains a digit recogniser in this tab. Nothing is uploaded.",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": icons,
    });
    let touch = icons[0]["src"].as_str().unwrap_or_default().to_owned();
    let manifest = put(
        dist,
        "manifest",
        "webmanifest",
        manifest.to_string().as_bytes(),
    )?;

    let links = format!(
        "<link rel=\"manifest\" href=\"{manifest}\">\n    \
         <link rel=\"apple-touch-icon\" href=\"{touch}\">\n    {PLACE}"
    );
    let mut index = Index::of(dist)?;
    index.change(PLACE, &links)?;
    index.write(dist)
}

/// The mark as PNG, so many pixels wide and high.
fn icon(side: u32) -> Result<Vec<u8>, Error> {
    let unexpected = || Error::Unexpected {
        file: "app/icon.svg".to_owned(),
        what: format!("a mark that can be drawn {side} pixels wide"),
    };
    let mark = Tree::from_str(MARK, &Options::default()).map_err(|_| unexpected())?;
    let mut pixels = Pixmap::new(side, side).ok_or_else(unexpected)?;
    let scale = side as f32 / mark.size().width();
    resvg::render(
        &mark,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|_| unexpected())
}

/// Writes a file under a name that says what is in it, and says that name.
fn put(dist: &Path, stem: &str, extension: &str, bytes: &[u8]) -> Result<String, Error> {
    let name = format!("{stem}-{}.{extension}", hexadecimal(&Sha256::digest(bytes)));
    let path = dist.join(&name);
    fs::write(&path, bytes).map_err(Error::of(&path))?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn the_page_names_a_manifest_whose_icons_are_there() {
        let dist = tempfile::tempdir().unwrap();
        let index = dist.path().join("index.html");
        fs::write(&index, format!("<head>{PLACE} href=\"data:,\"></head>")).unwrap();
        write(dist.path()).unwrap();
        let html = fs::read_to_string(&index).unwrap();
        let (_, rest) = html.split_once("rel=\"manifest\" href=\"").unwrap();
        let name = rest.split('"').next().unwrap();
        let manifest = fs::read(dist.path().join(name)).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let icons = manifest["icons"].as_array().unwrap();
        assert_eq!(icons.len(), 4);
        for icon in icons {
            let png = fs::read(dist.path().join(icon["src"].as_str().unwrap())).unwrap();
            let pixels = Pixmap::decode_png(&png).unwrap();
            let sizes = format!("{}x{}", pixels.width(), pixels.height());
            assert_eq!(icon["sizes"], sizes);
            // Ground to the corners, for platforms to cut; the ember in the middle.
            let (side, middle) = (pixels.width(), pixels.width() / 2);
            let at = |x, y| {
                let colour = pixels.pixel(x, y).unwrap();
                (colour.red(), colour.green(), colour.blue())
            };
            assert_eq!(at(0, side - 1), (0x14, 0x17, 0x1c));
            assert_eq!(at(middle, side * 26 / 48), (0xfb, 0x92, 0x3c));
        }
    }
}
