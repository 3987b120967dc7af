//! What is done on a running computer: looking, pointing, typing, waiting and running code.

use crate::encoding::json::Map;
use crate::rest::operation::{ResponseKind, ServerTime, TimeUnit, bare, endpoint};
use crate::rest::schema::{Rule, Typed, choice, object};

choice! {
    /// A button of the mouse.
    MouseButton {
        /// The left button.
        Left = "left",
        /// The right button.
        Right = "right",
    }

    /// A direction to scroll in.
    ScrollDirection {
        /// Towards the beginning.
        Up = "up",
        /// Towards the end.
        Down = "down",
    }

    /// How a screenshot is encoded.
    ScreenshotFormat {
        /// Every pixel as it is.
        Png = "png",
        /// Smaller, and not exact.
        Jpeg = "jpeg",
    }
}

object! {
    /// What an action did. Some generations answer `success` alone.
    ActionResult {
        /// Whether it was carried out.
        success: Option<bool>,
        /// The server's name of the action.
        action: Option<String>,
        /// The parameters as the server took them.
        details: Option<Map>,
    }

    /// What a shell command printed and how it ended.
    BashResult {
        /// Standard output and standard error, merged.
        output: String,
        /// The exit code; absent where the server does not tell.
        exit_code: Option<i64>,
        /// Whether the command ran, whatever its exit code.
        success: Option<bool>,
    }

    /// What Python code printed and how it ended.
    ExecResult {
        /// What it printed.
        output: String,
        /// Whether it ran to its end.
        success: Option<bool>,
        /// The message of the exception.
        error: Option<String>,
        /// The class of the exception, as `NameError`.
        error_type: Option<String>,
        /// Whether it was ended because its time ran out.
        timeout: Option<bool>,
    }
}

/// A picture of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screenshot {
    /// The encoded picture.
    pub data: Vec<u8>,
    /// `image/png` or `image/jpeg`, read from the picture itself.
    pub mime_type: &'static str,
    /// Width in pixels, read from the picture itself.
    pub width: u32,
    /// Height in pixels, read from the picture itself.
    pub height: u32,
}

endpoint! {
    /// Takes a picture of the screen.
    TakeScreenshot = "computers.screenshot";
    // Base64 in the answer needs no second request. Whatever form comes back is read.
    Get "/computers/{id}/screenshot", Read, Query => (), ResponseKind::Screenshot;
    constant: &[("response_format", "base64")];
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The encoding. A server that does not know it sends its usual one (PY, BOPS).
        format: Option<ScreenshotFormat>,
        /// The size of the image as a part of the screen's, up to 1. A server that does not know it sends the whole size
        /// (PY, BOPS).
        scale: Option<f64> { rule: Rule::Range(0.01, 1.0), default: "1" },
    }
}

endpoint! {
    /// Clicks the mouse at a point of the screen.
    Click = "computers.click";
    Post "/computers/{id}/click", Once, Json => ActionResult, bare(ActionResult::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// Pixels from the left edge.
        x: i64 { rule: Rule::Min(0.0) },
        /// Pixels from the upper edge.
        y: i64 { rule: Rule::Min(0.0) },
        /// The button.
        button: Option<MouseButton> { default: "left" },
        /// Whether to click twice.
        double: Option<bool> { default: "false" },
    }
}

endpoint! {
    /// Drags the mouse from one point of the screen to another.
    Drag = "computers.drag";
    Post "/computers/{id}/drag", Once, Json => ActionResult, bare(ActionResult::TYPE);
    server_time: ServerTime { field: "duration", default: 0.5, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// Pixels from the left edge where the button goes down.
        start_x: i64 { rule: Rule::Min(0.0) },
        /// Pixels from the upper edge where the button goes down.
        start_y: i64 { rule: Rule::Min(0.0) },
        /// Pixels from the left edge where the button goes up.
        end_x: i64 { rule: Rule::Min(0.0) },
        /// Pixels from the upper edge where the button goes up.
        end_y: i64 { rule: Rule::Min(0.0) },
        /// The button.
        button: Option<MouseButton> { default: "left" },
        /// How long the way takes, in seconds (default of G3).
        duration: Option<f64> { rule: Rule::Min(0.0), default: "0.5" },
    }
}

endpoint! {
    /// Types text into the focused window.
    TypeText = "computers.type";
    Post "/computers/{id}/type", Once, Json => ActionResult, bare(ActionResult::TYPE);
    server_time: ServerTime {
        field: "delay_ms", default: 12.0, unit: TimeUnit::MillisecondsPerCharacter("text")
    };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The text, of any characters.
        text: String,
        /// The pause between characters, in milliseconds (default of G3).
        delay_ms: Option<i64> { rule: Rule::Min(0.0), default: "12" },
    }
}

endpoint! {
    /// Presses a key or a combination of keys.
    PressKey = "computers.key";
    Post "/computers/{id}/key", Once, Json => ActionResult, bare(ActionResult::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The key, as `Enter`, `Tab` or `ctrl+c`.
        key: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Turns the mouse wheel.
    Scroll = "computers.scroll";
    Post "/computers/{id}/scroll", Once, Json => ActionResult, bare(ActionResult::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The direction.
        direction: ScrollDirection,
        /// How many notches of the wheel.
        amount: Option<i64> { rule: Rule::Min(1.0), default: "3" },
        /// Pixels from the left edge to scroll at, with `y` (PY). Without them it is where the pointer is.
        x: Option<i64> { rule: Rule::Min(0.0), with: "y" },
        /// Pixels from the upper edge to scroll at, with `x` (PY).
        y: Option<i64> { rule: Rule::Min(0.0), with: "x" },
    }
}

endpoint! {
    /// Waits on the computer.
    Wait = "computers.wait";
    Post "/computers/{id}/wait", Read, Json => ActionResult, bare(ActionResult::TYPE);
    server_time: ServerTime { field: "duration", default: 0.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// How long, in seconds; at most 60 (G3).
        duration: f64 { rule: Rule::Range(0.0, 60.0), wire: &["duration", "seconds"] },
    }
}

endpoint! {
    /// Runs a command in a shell and waits for its end.
    RunBash = "computers.bash";
    Post "/computers/{id}/bash", Once, Json => BashResult, bare(BashResult::TYPE);
    server_time: ServerTime { field: "timeout", default: 200.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The command.
        command: String { rule: Rule::NotEmpty },
        /// The server's time limit, in seconds (default of G3, upper end of BOPS and MCP).
        timeout: Option<i64> { rule: Rule::Range(1.0, 300.0), default: "200" },
    }
}

endpoint! {
    /// Runs Python code in a fresh interpreter and waits for its end.
    ExecPython = "computers.exec";
    Post "/computers/{id}/exec", Once, Json => ExecResult, bare(ExecResult::TYPE);
    server_time: ServerTime { field: "timeout", default: 10.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The code.
        code: String { rule: Rule::NotEmpty },
        /// The server's time limit, in seconds (range of G3).
        timeout: Option<i64> { rule: Rule::Range(1.0, 300.0), default: "10" },
    }
}
