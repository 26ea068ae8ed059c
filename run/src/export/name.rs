//! File names out of run names: what any system stores and any shell and language can be given in
//! quotes.

/// Most bytes of a name before its ending: a system that allows 255 has room for both.
const MOST_BYTES: usize = 200;
/// What a run without a usable letter is called.
const NAMELESS: &str = "run";
/// What Windows means something else by, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// A run's name as the beginning of a file's name: letters and digits of any script, spaces and
/// `-_.+()` stay, anything else becomes `_`.
pub fn file_stem(name: &str) -> String {
    let kept = name.chars().map(|letter| {
        let is_mark = letter.is_ascii() && !letter.is_ascii_alphanumeric();
        let is_kept = if is_mark {
            " -_.+()".contains(letter)
        } else {
            !letter.is_control() && !is_invisible(letter)
        };
        if is_kept { letter } else { '_' }
    });
    let mut stem = String::new();
    for letter in kept {
        if stem.len() + letter.len_utf8() > MOST_BYTES {
            break;
        }
        stem.push(letter);
    }
    // What begins with a dot is hidden, and with a dash an option; Windows drops a dot at the end.
    let stem = stem.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    let stem = stem.trim_start_matches(['-', '+', '.', ' ']);
    let lower = stem.split('.').next().unwrap_or(stem).to_ascii_lowercase();
    let base = lower.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let is_device = DEVICES.contains(&base) && lower.len() - base.len() <= 1;
    match stem {
        "" => NAMELESS.to_owned(),
        _ if is_device => format!("{stem}_"),
        _ => stem.to_owned(),
    }
}

/// Separators of lines and marks that turn the direction of writing: a name could look like another.
const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_name_stays() {
        for name in [
            "amber-bowl-1",
            "lr 0.01 (again)",
            "зачёт",
            "学習 2",
            "नमस्ते",
            "NA",
        ] {
            assert_eq!(file_stem(name), name);
        }
    }

    #[test]
    fn what_a_system_or_a_shell_stumbles_over_is_replaced() {
        for (name, stem) in [
            ("a/b\\c:d", "a_b_c_d"),
            ("=1+1", "_1+1"),
            ("say \"hi\" 'there'", "say _hi_ _there_"),
            ("[0]{1}<2>$x", "_0__1__2__x"),
            ("../../etc", "_.._etc"),
            ("--help", "help"),
            (" .hidden. ", "hidden"),
            ("con", "con_"),
            ("Nul.txt", "Nul.txt_"),
            ("COM1", "COM1_"),
            ("com10", "com10"),
            ("two\nlines\u{202e}", "two_lines_"),
            ("", "run"),
            (" . ", "run"),
        ] {
            assert_eq!(file_stem(name), stem, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let stem = file_stem(&"😀".repeat(60));
        assert_eq!(stem, "😀".repeat(50));
    }
}
