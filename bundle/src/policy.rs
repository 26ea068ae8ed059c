//! What the page may do, written into it, for servers that send no headers.

use std::path::Path;

use kiln_host::policy::within;

use crate::error::Error;
use crate::index::Index;

/// The policy goes in front of whatever it is about.
const PLACE: &str = "<meta charset=\"utf-8\">";

/// Writes the policy into the page.
///
/// # Errors
/// A page that cannot be read, or has no place for it.
pub fn write(dist: &Path) -> Result<(), Error> {
    let mut index = Index::of(dist)?;
    let meta = format!(
        "{PLACE}<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"referrer\" content=\"no-referrer\">",
        within(index.html())
    );
    index.change(PLACE, &meta)?;
    index.write(dist)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;

    use kiln_host::policy::of;

    use super::*;

    #[test]
    fn the_page_says_the_same_of_itself() {
        let dist = tempfile::tempdir().unwrap();
        let index = dist.path().join("index.html");
        let html = format!("<head>{PLACE}</head><script>alert('Hello, world.');</script>");
        fs::write(&index, &html).unwrap();
        write(dist.path()).unwrap();
        let written = fs::read_to_string(&index).unwrap();
        assert!(written.contains("sha256-"), "{written}");
        // That it stands there changes nothing that it says.
        assert_eq!(of(&written), of(&html));
    }
}
