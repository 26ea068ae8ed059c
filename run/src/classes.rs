//! What the ten classes of images are called.

use kiln_model::spec::CLASSES;
use serde::{Deserialize, Serialize};

use crate::format;
use crate::run::names::cut;

/// Letters of the longest name.
pub const CLASS_LETTERS: usize = 24;
/// The digits in the plural.
const PLURALS: [&str; CLASSES] = [
    "zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines",
];
/// As <https://github.com/zalandoresearch/fashion-mnist> says them.
const FASHION: [&str; CLASSES] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
/// SHA-256 of Fashion-MNIST's labels of training images, unpacked: `train-labels-idx1-ubyte`, whose
/// MD5, packed, is the one that its authors name.
const FASHION_LABELS: &str = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9";

/// Ten names; those of data that says none are the digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Classes([String; CLASSES]);

/// Names that cannot be those of ten classes: a sentence for who typed them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// A class has none.
    #[error("Class {class} needs a name.")]
    Empty {
        /// The class.
        class: usize,
    },
    /// A name is too long.
    #[error("The name of class {class} has {letters} letters; {CLASS_LETTERS} at most.")]
    TooLong {
        /// The class.
        class: usize,
        /// Letters of its name.
        letters: usize,
    },
    /// Two have the same.
    #[error("Classes {first} and {second} are both called {name}.")]
    Twice {
        /// The one.
        first: usize,
        /// The other.
        second: usize,
        /// Their name.
        name: String,
    },
}

impl Default for Classes {
    fn default() -> Self {
        Self(std::array::from_fn(|class| class.to_string()))
    }
}

/// Whatever a file says: a name that is missing is the digit, one that is too long is cut.
impl From<Vec<String>> for Classes {
    fn from(names: Vec<String>) -> Self {
        let mut names = names.into_iter();
        Self(std::array::from_fn(|class| {
            let name = names.next().unwrap_or_default();
            match cut(name.trim(), CLASS_LETTERS).trim_end() {
                "" => class.to_string(),
                name => name.to_owned(),
            }
        }))
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Self {
        classes.0.into()
    }
}

impl Classes {
    /// The names that are offered for data whose training labels have this SHA-256.
    pub fn known(labels_sha256: &str) -> Option<Self> {
        (labels_sha256 == FASHION_LABELS).then(|| Self(FASHION.map(str::to_owned)))
    }

    /// Names as a person typed them.
    ///
    /// # Errors
    /// A name that is missing, too long or there twice.
    pub fn typed(names: &[String; CLASSES]) -> Result<Self, ClassesError> {
        let names = names.each_ref().map(|name| name.trim());
        for (class, name) in names.iter().enumerate() {
            let letters = name.chars().count();
            if letters == 0 {
                return Err(ClassesError::Empty { class });
            }
            if letters > CLASS_LETTERS {
                return Err(ClassesError::TooLong { class, letters });
            }
            if let Some(first) = names[..class].iter().position(|other| other == name) {
                return Err(ClassesError::Twice {
                    first,
                    second: class,
                    name: (*name).to_owned(),
                });
            }
        }
        Ok(Self(names.map(str::to_owned)))
    }

    /// All names, in order.
    pub fn names(&self) -> &[String; CLASSES] {
        &self.0
    }

    /// The name of a class, 0 to 9.
    pub fn name(&self, class: usize) -> &str {
        self.0.get(class).map_or(format::NOTHING, String::as_str)
    }

    /// Whether they are the digits.
    pub fn are_digits(&self) -> bool {
        *self == Self::default()
    }

    /// What one class is called for short: a digit, or a class.
    pub fn noun(&self) -> &'static str {
        if self.are_digits() { "digit" } else { "class" }
    }

    /// Several of them.
    pub fn nouns(&self) -> &'static str {
        if self.are_digits() {
            "digits"
        } else {
            "classes"
        }
    }

    /// One image of a class, such as `a 7`.
    pub fn one(&self, class: usize) -> String {
        if self.are_digits() {
            format!("a\u{a0}{class}")
        } else {
            self.name(class).to_owned()
        }
    }

    /// Images of a class, such as `sevens`.
    pub fn several(&self, class: usize) -> String {
        match PLURALS.get(class) {
            Some(plural) if self.are_digits() => (*plural).to_owned(),
            _ => format!("images of {}", self.name(class)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(change: impl FnOnce(&mut [String; CLASSES])) -> Result<Classes, ClassesError> {
        let mut names = FASHION.map(str::to_owned);
        change(&mut names);
        Classes::typed(&names)
    }

    #[test]
    fn digits_are_called_as_they_are_spoken_of() {
        let digits = Classes::default();
        assert!(digits.are_digits());
        assert_eq!(digits.name(7), "7");
        assert_eq!(digits.one(7), "a\u{a0}7");
        assert_eq!(digits.several(6), "sixes");
        assert_eq!((digits.noun(), digits.nouns()), ("digit", "digits"));
        let fashion = Classes::known(FASHION_LABELS).unwrap();
        assert_eq!(fashion.name(9), "Ankle boot");
        assert_eq!(fashion.one(9), "Ankle boot");
        assert_eq!(fashion.several(9), "images of Ankle boot");
        assert_eq!((fashion.noun(), fashion.nouns()), ("class", "classes"));
        assert_eq!(Classes::known(""), None);
    }

    #[test]
    fn what_is_typed_is_named_where_it_is_wrong() {
        assert!(typed(|_| ()).is_ok());
        assert_eq!(
            typed(|names| names[3] = " Dress ".to_owned()),
            typed(|_| ())
        );
        let why = |change: fn(&mut [String; CLASSES])| typed(change).unwrap_err().to_string();
        assert_eq!(
            why(|names| names[4] = "  ".to_owned()),
            "Class 4 needs a name."
        );
        assert_eq!(
            why(|names| names[4] = "ü".repeat(25)),
            "The name of class 4 has 25 letters; 24 at most."
        );
        assert_eq!(
            why(|names| names[8] = "Coat ".to_owned()),
            "Classes 4 and 8 are both called Coat."
        );
    }

    #[test]
    fn whatever_a_file_says_is_ten_names() {
        let read = |text: &str| serde_json::from_str::<Classes>(text).unwrap();
        assert_eq!(read("[]"), Classes::default());
        let odd = read(r#"["a", "", "  ", "aaaaaaaaaaaaaaaaaaaaaaaa b", "d"]"#);
        let names = ["a", "1", "2", "aaaaaaaaaaaaaaaaaaaaaaaa", "d", "5"];
        assert_eq!(odd.names()[..6], names);
        let whole = Classes::known(FASHION_LABELS).unwrap();
        let written = serde_json::to_string(&whole).unwrap();
        assert_eq!(read(&written), whole);
    }
}
