//! Names of runs: automatic ones, and none twice.

/// Most letters of a run's name.
pub const NAME_LETTERS: usize = 60;
const GLAZES: [&str; 8] = [
    "amber", "ash", "clay", "coral", "indigo", "moss", "ochre", "slate",
];
const VESSELS: [&str; 7] = ["bowl", "cup", "jar", "jug", "plate", "tile", "vase"];

/// The name of the `number`th run of a page, counted from 1: the same words come again after 56.
pub fn automatic_name(number: u32) -> String {
    let index = number as usize;
    let glaze = GLAZES[index % GLAZES.len()];
    let vessel = VESSELS[index % VESSELS.len()];
    format!("{glaze}-{vessel}-{number}")
}

/// The first so many letters of a text.
pub fn cut(text: &str, letters: usize) -> &str {
    match text.char_indices().nth(letters) {
        Some((index, _)) => &text[..index],
        None => text,
    }
}

/// A name that no other run has, at most [`NAME_LETTERS`] long: the one that is asked for or an
/// automatic one, with a number behind it where that is taken.
pub fn unused_name(asked: Option<&str>, number: u32, taken: impl Fn(&str) -> bool) -> String {
    match asked {
        Some(name) => [cut(name, NAME_LETTERS).to_owned()]
            .into_iter()
            .chain((2..).map(|number: u32| {
                let number = format!("-{number}");
                format!("{}{number}", cut(name, NAME_LETTERS - number.len()))
            }))
            .find(|name| !taken(name))
            .unwrap_or_default(),
        None => (number..)
            .map(automatic_name)
            .find(|name| !taken(name))
            .unwrap_or_default(),
    }
}
