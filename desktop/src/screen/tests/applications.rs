//! Tests typing into real applications.

use std::fs;

use super::{eventually, not_canceled, server::Server, typing::samples, watch::Events};
use crate::screen::ScreenEvent;

fn wait_for_focus(events: &Events) {
    events.wait(|event| matches!(event, ScreenEvent::WindowFocus { .. }).then_some(()));
}

#[test]
fn a_terminal_receives_the_typed_text_exactly() {
    let mut server = Server::start();
    let screen = server.screen();
    server.manage_windows();
    let events = Events::of(&server);
    let typed = server.folder().join("typed");
    let ready = server.folder().join("ready");
    let command =
        format!("touch {}; cat > {}; touch {}.end", ready.display(), typed.display(), typed.display());
    server.spawn("xfce4-terminal", &["--disable-server", "-x", "sh", "-c", &command]);
    wait_for_focus(&events);
    eventually("the program in the terminal", || ready.exists().then_some(()));

    let text = samples().join("\n") + "\n";
    screen.type_text(&text, None, &not_canceled()).unwrap();
    screen.key("ctrl+d").unwrap();
    let end = typed.with_extension("end");
    eventually("the end of the program", || end.exists().then_some(()));
    assert_eq!(fs::read_to_string(typed).unwrap(), text);
}

#[test]
fn an_editor_receives_the_typed_text_exactly() {
    let mut server = Server::start();
    let screen = server.screen();
    server.manage_windows();
    let events = Events::of(&server);
    server.spawn("mousepad", &["--disable-server"]);
    wait_for_focus(&events);
    for text in samples() {
        screen.type_text(&text, None, &not_canceled()).unwrap();
        screen.key("ctrl+a").unwrap();
        screen.key("ctrl+x").unwrap();
        let content = events.wait(|event| match event {
            ScreenEvent::Clipboard { content } => Some(content),
            _ => None,
        });
        assert_eq!(content, text);
    }
}
