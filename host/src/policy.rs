//! What the browser is told the page may do: nothing but what it does.
//!
//! A server sends it as headers; for servers that send none it stands in the page too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Headers beside the policy, the same for every file.
pub const HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
];
/// What a page cannot say of itself.
const BY_HEADER_ALONE: &str = "; frame-ancestors 'none'";

/// The `Content-Security-Policy` that a server sends with every file of the page.
pub fn of(html: &str) -> String {
    within(html) + BY_HEADER_ALONE
}

/// The policy but for what only a header can say.
pub fn within(html: &str) -> String {
    let hashes: String = scripts(html)
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script))))
        .collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'"
    )
}

/// The scripts that stand in the page itself.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    /// SHA-256 of `alert('Hello, world.');`, as the specification of the policy has it.
    const HELLO: &str = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";

    #[test]
    fn each_script_of_the_page_is_named_by_its_hash() {
        let html = "<script src=\"a.js\"></script>\
                    <script type=\"module\">alert('Hello, world.');</script>";
        let policy = of(html);
        assert_eq!(policy.matches("sha256-").count(), 1, "{policy}");
        assert!(policy.contains(HELLO), "{policy}");
        assert!(!policy.contains("'unsafe-"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }
}
