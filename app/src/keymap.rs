//! The keyboard: which key does what, and where. The page listens by this table, and Help shows it.

/// A control that keys work. The page marks it with `data-control`, and whatever a key does to it is
/// what a person could do with it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// What starts a run, or resumes it.
    Start,
    /// What pauses it.
    Pause,
    /// What has it do one step.
    Step,
    /// What stops it.
    Stop,
    /// The link to the screen of this name.
    Tab(&'static str),
    /// The filter of the list of runs.
    Filter,
    /// The slider of epochs.
    Epoch,
    /// The box for logarithmic charts.
    LogScale,
    /// What changes the theme.
    Theme,
    /// The link to Help.
    Help,
}

impl Control {
    /// What its `data-control` says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Step => "step",
            Self::Stop => "stop",
            Self::Tab(screen) => screen,
            Self::Filter => "filter",
            Self::Epoch => "epoch",
            Self::LogScale => "log-scale",
            Self::Theme => "theme",
            Self::Help => "help",
        }
    }
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Presses a control.
    Press(Control),
    /// Moves a slider one step back.
    Back(Control),
    /// Moves a slider one step on.
    On(Control),
    /// Moves the focus to the filter of the list of runs, on the screen of this name where there is
    /// none in sight.
    Filter(&'static str),
    /// With Ctrl: brings back what was deleted last.
    Undo,
    /// Closes a menu, or else leaves Help.
    Close,
}

/// A key with what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// As the browser names it; letters in lower case.
    pub name: &'static str,
    /// What it does.
    pub act: Act,
    /// The same for a person, as a sentence without its full stop.
    pub does: &'static str,
    /// The screens where it does.
    pub place: &'static str,
}

const EVERYWHERE: &str = "Every screen";

const fn key(name: &'static str, act: Act, does: &'static str, place: &'static str) -> Key {
    Key {
        name,
        act,
        does,
        place,
    }
}

const fn tab(name: &'static str, screen: &'static str, does: &'static str) -> Key {
    key(name, Act::Press(Control::Tab(screen)), does, EVERYWHERE)
}

/// Every key, in the order in which a person is shown them.
pub const KEYS: [Key; 20] = [
    key(
        "s",
        Act::Press(Control::Start),
        "Starts a run, or resumes it",
        "Train; resumes on every screen",
    ),
    key(
        "p",
        Act::Press(Control::Pause),
        "Pauses the run",
        EVERYWHERE,
    ),
    key(".", Act::Press(Control::Step), "Does one step", "Train"),
    key("x", Act::Press(Control::Stop), "Stops the run", EVERYWHERE),
    tab("1", "Train", "Opens Train"),
    tab("2", "Runs", "Opens Runs"),
    tab("3", "Compare", "Opens Compare"),
    tab("4", "Evaluate", "Opens Evaluate"),
    tab("5", "Data", "Opens Data"),
    tab("6", "Draw", "Opens Draw"),
    tab("7", "Files", "Opens Files"),
    tab("8", "Sweep", "Opens Sweep"),
    key(
        "/",
        Act::Filter("Runs"),
        "Goes to the filter of the list of runs",
        EVERYWHERE,
    ),
    key(
        "[",
        Act::Back(Control::Epoch),
        "Shows the epoch before",
        "Evaluate",
    ),
    key(
        "]",
        Act::On(Control::Epoch),
        "Shows the next epoch",
        "Evaluate",
    ),
    key(
        "l",
        Act::Press(Control::LogScale),
        "Turns the log scale on or off",
        "Train, Compare",
    ),
    key(
        "t",
        Act::Press(Control::Theme),
        "Changes the theme: system, light, dark",
        EVERYWHERE,
    ),
    key("?", Act::Press(Control::Help), "Opens Help", EVERYWHERE),
    key(
        "z",
        Act::Undo,
        "Brings back what was deleted last; in Draw, undoes a stroke",
        EVERYWHERE,
    ),
    key(
        "Escape",
        Act::Close,
        "Closes what is open, and goes back from Help",
        EVERYWHERE,
    ),
];

impl Key {
    /// What is written on it.
    pub fn label(&self) -> String {
        match self.act {
            Act::Undo => format!("Ctrl+{}", self.name.to_uppercase()),
            Act::Close => "Esc".to_owned(),
            _ => self.name.to_uppercase(),
        }
    }
}

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where letters and digits are typed.
    Field,
    /// While a dialog is open.
    Dialog,
    /// Anywhere else.
    Elsewhere,
}

/// A key as it is pressed.
#[derive(Clone, Copy, Debug)]
pub struct Pressed<'a> {
    /// As the browser names it.
    pub name: &'a str,
    /// Whether Ctrl is held, or Cmd.
    pub with_ctrl: bool,
    /// Whether Alt is held.
    pub with_alt: bool,
    /// Whether Shift is held.
    pub with_shift: bool,
    /// Whether it has been down for so long that the keyboard says it again.
    pub is_repeated: bool,
    /// Where it is pressed.
    pub place: Place,
}

/// What a key does that is pressed so; nothing where it does nothing. `are_single_on` says whether
/// keys do anything that are pressed by themselves; Ctrl+Z and Esc always do.
pub fn meaning(pressed: &Pressed, are_single_on: bool) -> Option<Act> {
    let found = KEYS
        .iter()
        .find(|key| key.name.eq_ignore_ascii_case(pressed.name))?;
    let is_bare = !pressed.with_ctrl && !pressed.with_alt;
    let is_elsewhere = pressed.place == Place::Elsewhere;
    let is_meant = match found.act {
        // With Shift it is another program's way to do a thing again.
        Act::Undo => pressed.with_ctrl && !pressed.with_alt && !pressed.with_shift && is_elsewhere,
        // A dialog closes by itself.
        Act::Close => is_bare && pressed.place != Place::Dialog,
        Act::Back(_) | Act::On(_) => is_bare && is_elsewhere && are_single_on,
        Act::Press(_) | Act::Filter(_) => {
            is_bare && is_elsewhere && are_single_on && !pressed.is_repeated
        }
    };
    is_meant.then_some(found.act)
}

/// Whether letters and digits are typed into an element of this name; `kind` is the type of an input.
pub fn takes_text(element: &str, kind: &str) -> bool {
    const PRESSED: [&str; 9] = [
        "button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit",
    ];
    match element {
        "textarea" | "select" => true,
        "input" => !PRESSED.contains(&kind),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Control, KEYS, Place, Pressed, meaning, takes_text};

    const fn bare(name: &str) -> Pressed<'_> {
        Pressed {
            name,
            with_ctrl: false,
            with_alt: false,
            with_shift: false,
            is_repeated: false,
            place: Place::Elsewhere,
        }
    }

    fn ctrl(name: &str) -> Pressed<'_> {
        Pressed {
            with_ctrl: true,
            ..bare(name)
        }
    }

    #[test]
    fn the_table_has_no_key_twice_and_says_all_of_each() {
        for (index, key) in KEYS.iter().enumerate() {
            for other in &KEYS[index + 1..] {
                assert!(!key.name.eq_ignore_ascii_case(other.name), "{}", key.name);
                assert_ne!(key.does, other.does);
                assert_ne!(key.act, other.act);
            }
            assert!(!key.label().is_empty() && !key.place.is_empty());
            assert!(!key.does.ends_with('.'), "{}", key.does);
        }
    }

    #[test]
    fn a_key_means_what_the_table_says_whether_or_not_letters_are_capitals() {
        for (name, act) in [
            ("s", Act::Press(Control::Start)),
            ("S", Act::Press(Control::Start)),
            ("P", Act::Press(Control::Pause)),
            (".", Act::Press(Control::Step)),
            ("3", Act::Press(Control::Tab("Compare"))),
            ("/", Act::Filter("Runs")),
            ("]", Act::On(Control::Epoch)),
            ("Escape", Act::Close),
        ] {
            assert_eq!(meaning(&bare(name), true), Some(act), "{name}");
        }
        for name in ["9", "0", "Enter", " ", "ß", "ſ", "Shift", ""] {
            assert_eq!(meaning(&bare(name), true), None, "{name}");
        }
        // On many keyboards it is typed so.
        let question = Pressed {
            with_shift: true,
            ..bare("?")
        };
        assert_eq!(meaning(&question, true), Some(Act::Press(Control::Help)));
    }

    #[test]
    fn a_single_key_does_nothing_with_another_in_a_field_in_a_dialog_or_switched_off() {
        let single = KEYS
            .iter()
            .filter(|key| !matches!(key.act, Act::Undo | Act::Close));
        for key in single {
            let name = key.name;
            assert_eq!(meaning(&bare(name), true), Some(key.act), "{name}");
            assert_eq!(meaning(&bare(name), false), None, "{name}");
            assert_eq!(meaning(&ctrl(name), true), None, "{name}");
            let with_alt = Pressed {
                with_alt: true,
                ..bare(name)
            };
            assert_eq!(meaning(&with_alt, true), None, "{name}");
            for place in [Place::Field, Place::Dialog] {
                let pressed = Pressed {
                    place,
                    ..bare(name)
                };
                assert_eq!(meaning(&pressed, true), None, "{name}, {place:?}");
            }
        }
    }

    #[test]
    fn a_key_that_is_held_goes_on_through_epochs_alone() {
        for key in KEYS {
            let held = Pressed {
                is_repeated: true,
                ..bare(key.name)
            };
            let goes_on = matches!(key.act, Act::Back(_) | Act::On(_) | Act::Close);
            assert_eq!(meaning(&held, true).is_some(), goes_on, "{}", key.name);
        }
    }

    #[test]
    fn undo_and_close_act_with_single_keys_off() {
        assert_eq!(meaning(&bare("z"), true), None);
        for are_single_on in [true, false] {
            assert_eq!(meaning(&ctrl("z"), are_single_on), Some(Act::Undo));
            assert_eq!(meaning(&bare("Escape"), are_single_on), Some(Act::Close));
        }
        let again = Pressed {
            with_shift: true,
            ..ctrl("Z")
        };
        assert_eq!(meaning(&again, true), None);
        for (place, closes) in [(Place::Field, true), (Place::Dialog, false)] {
            let undo = Pressed { place, ..ctrl("z") };
            assert_eq!(meaning(&undo, true), None);
            let close = Pressed {
                place,
                ..bare("Escape")
            };
            assert_eq!(meaning(&close, true).is_some(), closes, "{place:?}");
        }
    }

    #[test]
    fn what_is_only_pressed_takes_no_text() {
        for (element, kind, takes) in [
            ("input", "", true),
            ("input", "search", true),
            ("input", "number", true),
            ("input", "text", true),
            ("select", "", true),
            ("textarea", "", true),
            ("input", "checkbox", false),
            ("input", "range", false),
            ("input", "radio", false),
            ("input", "file", false),
            ("button", "", false),
            ("a", "", false),
            ("div", "", false),
        ] {
            assert_eq!(takes_text(element, kind), takes, "{element} {kind}");
        }
    }
}
