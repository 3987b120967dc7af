//! Tests spellings of keys that models and people use.

use crate::screen::keyboard::keys;

const CTRL: u32 = 0xffe3;
const SHIFT: u32 = 0xffe1;
const ALT: u32 = 0xffe9;
const SUPER: u32 = 0xffeb;
const A: u32 = 0x61;
const C: u32 = 0x63;

enum Outcome {
    Presses(&'static [u32]),
    /// The combination is rejected, and the error contains this text.
    Hints(&'static str),
}
use Outcome::{Hints, Presses};

const SPELLINGS: &[(&str, Outcome)] = &[
    // Letters in commands. Their case is ignored, so Shift must be explicit.
    ("Ctrl+A", Presses(&[CTRL, A])),
    ("CTRL+C", Presses(&[CTRL, C])),
    ("ctrl+c", Presses(&[CTRL, C])),
    ("Control+C", Presses(&[CTRL, C])),
    ("ctrl+shift+T", Presses(&[CTRL, SHIFT, 0x74])),
    ("ctrl+shift+t", Presses(&[CTRL, SHIFT, 0x74])),
    ("alt+F", Presses(&[ALT, 0x66])),
    ("WIN+R", Presses(&[SUPER, 0x72])),
    ("ctrl+Ж", Presses(&[CTRL, 0x0100_0436])),
    ("ctrl+É", Presses(&[CTRL, 0xe9])),
    ("control_L+a", Presses(&[CTRL, A])),
    ("Ctrl + C", Presses(&[CTRL, C])),
    ("c+ctrl", Presses(&[CTRL, C])),
    ("ctrl+ctrl+c", Presses(&[CTRL, C])),
    // A single letter keeps its case.
    ("A", Presses(&[0x41])),
    ("a", Presses(&[A])),
    ("shift+a", Presses(&[SHIFT, A])),
    ("shift+A", Presses(&[SHIFT, 0x41])),
    // The plus key and its neighbors.
    ("+", Presses(&[0x2b])),
    ("ctrl++", Presses(&[CTRL, 0x2b])),
    ("ctrl+plus", Presses(&[CTRL, 0x2b])),
    ("ctrl+-", Presses(&[CTRL, 0x2d])),
    ("ctrl+minus", Presses(&[CTRL, 0x2d])),
    ("ctrl+=", Presses(&[CTRL, 0x3d])),
    ("CTRL+/", Presses(&[CTRL, 0x2f])),
    // Names of xdotool, browsers, vendor tools and PyAutoGUI.
    ("Return", Presses(&[0xff0d])),
    ("ENTER", Presses(&[0xff0d])),
    ("\n", Presses(&[0xff0d])),
    ("KP_Enter", Presses(&[0xff8d])),
    ("BackSpace", Presses(&[0xff08])),
    ("Page_Down", Presses(&[0xff56])),
    ("page down", Presses(&[0xff56])),
    ("PAGEDOWN", Presses(&[0xff56])),
    ("pgdn", Presses(&[0xff56])),
    ("ARROWLEFT", Presses(&[0xff51])),
    ("left arrow", Presses(&[0xff51])),
    ("ESC", Presses(&[0xff1b])),
    ("DEL", Presses(&[0xffff])),
    ("ctrl+alt+del", Presses(&[CTRL, ALT, 0xffff])),
    ("SPACE", Presses(&[0x20])),
    ("capslock", Presses(&[0xffe5])),
    ("CMD", Presses(&[SUPER])),
    ("cmd+c", Presses(&[SUPER, C])),
    ("META+SPACE", Presses(&[SUPER, 0x20])),
    ("option+Left", Presses(&[ALT, 0xff51])),
    ("winleft", Presses(&[SUPER])),
    ("volumemute", Presses(&[0x1008_ff12])),
    ("shift", Presses(&[SHIFT])),
    // X11 names, code points and numbers.
    ("KP_Home", Presses(&[0xff95])),
    ("KP_7", Presses(&[0xffb7])),
    ("num7", Presses(&[0xffb7])),
    ("eacute", Presses(&[0xe9])),
    ("Eacute", Presses(&[0xc9])),
    ("EuroSign", Presses(&[0x0100_20ac])),
    ("Cyrillic_ef", Presses(&[0x0100_0444])),
    ("Undo", Presses(&[0xff65])),
    ("ISO_Left_Tab", Presses(&[0xfe20])),
    ("ISO_Level3_Shift", Presses(&[0xfe03])),
    ("dead_acute", Presses(&[0xfe51])),
    ("XF86AudioMute", Presses(&[0x1008_ff12])),
    ("XF86Search", Presses(&[0x1008_ff1b])),
    ("F13", Presses(&[0xffca])),
    ("f35", Presses(&[0xffe0])),
    ("U20AC", Presses(&[0x0100_20ac])),
    ("U+20AC", Presses(&[0x0100_20ac])),
    ("ctrl+u+00e9", Presses(&[CTRL, 0xe9])),
    ("U+1F600", Presses(&[0x0101_f600])),
    ("0x20ac", Presses(&[0x0100_20ac])),
    ("0x010020ac", Presses(&[0x0100_20ac])),
    ("0xFF0D", Presses(&[0xff0d])),
    ("é", Presses(&[0xe9])),
    ("€", Presses(&[0x0100_20ac])),
    ("😀", Presses(&[0x0101_f600])),
    // Spellings of other programs.
    ("ctrl-c", Hints("did you mean \"ctrl+c\"?")),
    ("Ctrl-Shift-T", Hints("did you mean \"Ctrl+Shift+T\"?")),
    ("ctrl c", Hints("did you mean \"ctrl+c\"?")),
    ("CTRL, C", Hints("did you mean \"CTRL+C\"?")),
    ("ctrl_c", Hints("did you mean \"ctrl+c\"?")),
    ("ctrlc", Hints("did you mean \"ctrl+c\"?")),
    ("altF4", Hints("did you mean \"alt+F4\"?")),
    ("C-c", Hints("did you mean \"ctrl+c\"?")),
    ("C-M-s-x", Hints("did you mean \"ctrl+alt+super+x\"?")),
    ("M-x", Hints("did you mean \"alt+x\"?")),
    ("<C-c>", Hints("did you mean \"ctrl+c\"?")),
    ("^c", Hints("did you mean \"ctrl+c\"?")),
    ("^C", Hints("did you mean \"ctrl+c\"?")),
    ("⌘+c", Hints("did you mean \"super+c\", or \"ctrl+c\"")),
    ("⌘C", Hints("did you mean \"super+C\", or \"ctrl+C\"")),
    ("⌃⇧t", Hints("did you mean \"ctrl+shift+t\"?")),
    ("ctrl+⏎", Hints("did you mean \"ctrl+Enter\"?")),
    ("⏎", Hints("did you mean \"Enter\"?")),
    ("←", Hints("did you mean \"Left\"?")),
    ("<Control>c", Hints("did you mean \"Control+c\"?")),
    ("<ctrl><shift>t", Hints("did you mean \"ctrl+shift+t\"?")),
    ("{ENTER}", Hints("did you mean \"ENTER\"?")),
    ("[Enter]", Hints("did you mean \"Enter\"?")),
    ("'Enter'", Hints("did you mean \"Enter\"?")),
    ("Key.enter", Hints("did you mean \"enter\"?")),
    ("Keys.CONTROL+a", Hints("did you mean \"CONTROL+a\"?")),
    ("VK_RETURN", Hints("did you mean \"RETURN\"?")),
    ("XK_Return", Hints("did you mean \"Return\"?")),
    ("\\n", Hints("did you mean \"Enter\"?")),
    ("ctrl+k ctrl+c", Hints("\"ctrl+k\", then \"ctrl+c\"")),
    ("Down Down Down", Hints("\"Down\", then \"Down\", then \"Down\"")),
    ("Tab Enter", Hints("\"Tab\", then \"Enter\"")),
    ("a+a", Hints("names \"a\" twice")),
    ("++", Hints("write the plus key as \"plus\"")),
    ("fn+F5", Hints("keyboards do not send it")),
    ("13", Hints("keysym in hexadecimal")),
    ("65293", Hints("keysym in hexadecimal")),
    ("0x0", Hints("is not a character or keysym")),
    ("U+D83D", Hints("is not a character or keysym")),
    ("0xzz", Hints("is not a character or keysym")),
    ("EACUTE", Hints("use Eacute or eacute")),
    // Typing errors.
    ("Entr", Hints("did you mean Enter?")),
    ("Retrun", Hints("did you mean Return?")),
    ("cntrl+c", Hints("did you mean ctrl?")),
    ("PageUpp", Hints("did you mean Page_Up?")),
    ("KP_Hone", Hints("did you mean KP_Home?")),
    ("F36", Hints("did you mean F3, F6, F16?")),
    // No suggestion, because it could be misleading.
    ("Submit", Hints("\"Submit\" is not a known key; use names such as")),
    ("hello world", Hints("use the type call for text")),
    ("👩‍💻", Hints("use the type call for text")),
    ("\u{1b}", Hints("\"\\u{1b}\" is not a known key; use names such as")),
    ("ctrl+", Hints("has no key name next to a \"+\"")),
    ("+c", Hints("has no key name next to a \"+\"")),
    ("", Hints("must name a key")),
    // Multimedia keys without the prefix XF86.
    ("Copy", Hints("\"XF86Copy\"")),
    ("paste", Hints("\"XF86Paste\"")),
    ("Eject", Hints("\"XF86Eject\"")),
    ("ctrl+sleep", Hints("\"ctrl+XF86Sleep\"")),
];

#[test]
fn every_spelling_is_understood_or_rejected_with_a_suggestion() {
    let mut wrong = Vec::new();
    for (spelling, outcome) in SPELLINGS {
        let got = keys::parse(spelling);
        let right = match (outcome, &got) {
            (Presses(keysyms), Ok(got)) => got == keysyms,
            (Hints(hint), Err(error)) => {
                error.to_string().starts_with("key: ") && error.to_string().contains(hint)
            }
            _ => false,
        };
        if !right {
            wrong.push(format!(
                "{spelling:?}: {}",
                got.map_or_else(|error| error.to_string(), |got| format!("{got:x?}"))
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SPELLINGS.len(), wrong.join("\n"));
}

#[test]
fn long_text_instead_of_a_key_is_rejected() {
    for text in
        ["ctrl-".repeat(100_000), "a ".repeat(100_000), "ctrl".repeat(25), "+".repeat(100), "U+".repeat(50)]
    {
        assert!(keys::parse(&text).is_err());
    }
}
