//! The actions on a running computer: screenshots, mouse, keyboard, waiting and running code.

use crate::encoding::json::Map;
use crate::rest::operation::{ResponseKind, ServerTime, TimeUnit, bare, endpoint};
use crate::rest::schema::{Rule, Typed, choice, object};

choice! {
    /// A mouse button.
    MouseButton {
        /// The left button.
        Left = "left",
        /// The right button.
        Right = "right",
    }

    /// A direction to scroll in.
    ScrollDirection {
        /// Toward the start of the content.
        Up = "up",
        /// Toward the end of the content.
        Down = "down",
    }

    /// The encoding of a screenshot.
    ScreenshotFormat {
        /// PNG, lossless.
        Png = "png",
        /// JPEG, smaller and lossy.
        Jpeg = "jpeg",
    }
}

object! {
    /// The result of an action. Some generations of the service return only `success`.
    ActionResult {
        /// Whether the action was executed.
        success: Option<bool>,
        /// The server's name for the action.
        action: Option<String>,
        /// The parameters as the server applied them.
        details: Option<Map>,
    }

    /// The output and the exit code of a shell command.
    BashResult {
        /// Standard output and standard error, merged.
        output: String,
        /// The exit code. Absent if the server does not report the exit code.
        exit_code: Option<i64>,
        /// Whether the command ran, regardless of its exit code.
        success: Option<bool>,
    }

    /// The output and the outcome of Python code.
    ExecResult {
        /// The printed output.
        output: String,
        /// Whether the code ran completely.
        success: Option<bool>,
        /// The message of the exception that ended the code.
        error: Option<String>,
        /// The class of the exception, such as `NameError`.
        error_type: Option<String>,
        /// Whether the code was ended by the time limit.
        timeout: Option<bool>,
    }
}

/// An image of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screenshot {
    /// The bytes of the encoded image.
    pub data: Vec<u8>,
    /// `image/png` or `image/jpeg`, read from the image data.
    pub mime_type: &'static str,
    /// The width in pixels, read from the image data.
    pub width: u32,
    /// The height in pixels, read from the image data.
    pub height: u32,
}

endpoint! {
    /// Takes a screenshot.
    TakeScreenshot = "computers.screenshot";
    // Base64 in the response avoids a second request. Every documented form of the response is decoded.
    Get "/computers/{id}/screenshot", Read, Query => (), ResponseKind::Screenshot;
    constant: &[("response_format", "base64")];
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The encoding. A server that does not support this parameter uses the server's default encoding.
        #[source("PY, BOPS")]
        format: Option<ScreenshotFormat>,
        /// The factor by which the image is scaled down from the screen, at most 1. A server that does not support this
        /// parameter returns the full size.
        #[source("PY, BOPS")]
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
        /// The horizontal position, in pixels from the left edge.
        x: i64 { rule: Rule::Min(0.0) },
        /// The vertical position, in pixels from the top edge.
        y: i64 { rule: Rule::Min(0.0) },
        /// The mouse button.
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
        /// The horizontal position at which the button is pressed, in pixels from the left edge.
        start_x: i64 { rule: Rule::Min(0.0) },
        /// The vertical position at which the button is pressed, in pixels from the top edge.
        start_y: i64 { rule: Rule::Min(0.0) },
        /// The horizontal position at which the button is released, in pixels from the left edge.
        end_x: i64 { rule: Rule::Min(0.0) },
        /// The vertical position at which the button is released, in pixels from the top edge.
        end_y: i64 { rule: Rule::Min(0.0) },
        /// The mouse button.
        button: Option<MouseButton> { default: "left" },
        /// The duration of the movement, in seconds.
        #[source("G3: the default")]
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
        /// The text, with any Unicode characters.
        text: String,
        /// The pause between characters, in milliseconds.
        #[source("G3: the default")]
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
        /// The key or the combination, such as `Enter`, `Tab` or `ctrl+c`.
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
        /// The scroll direction.
        direction: ScrollDirection,
        /// The number of wheel steps.
        amount: Option<i64> { rule: Rule::Min(1.0), default: "3" },
        /// The horizontal position to scroll at, in pixels from the left edge. Requires `y`. Default: the position of
        /// the pointer.
        #[source("PY")]
        x: Option<i64> { rule: Rule::Min(0.0), with: "y" },
        /// The vertical position to scroll at, in pixels from the top edge. Requires `x`.
        #[source("PY")]
        y: Option<i64> { rule: Rule::Min(0.0), with: "x" },
    }
}

endpoint! {
    /// Lets the computer wait.
    Wait = "computers.wait";
    Post "/computers/{id}/wait", Read, Json => ActionResult, bare(ActionResult::TYPE);
    server_time: ServerTime { field: "duration", default: 0.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The duration of the wait, in seconds.
        #[source("G3: the maximum")]
        duration: f64 { rule: Rule::Range(0.0, 60.0), wire: &["duration", "seconds"] },
    }
}

endpoint! {
    /// Runs a shell command, and waits until it exits.
    RunBash = "computers.bash";
    Post "/computers/{id}/bash", Once, Json => BashResult, bare(BashResult::TYPE);
    server_time: ServerTime { field: "timeout", default: 200.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The shell command.
        command: String { rule: Rule::NotEmpty },
        /// The server's time limit, in seconds.
        #[source("G3: the default; BOPS, MCP: the maximum")]
        timeout: Option<i64> { rule: Rule::Range(1.0, 300.0), default: "200" },
    }
}

endpoint! {
    /// Runs Python code in a new interpreter, and waits until it ends.
    ExecPython = "computers.exec";
    Post "/computers/{id}/exec", Once, Json => ExecResult, bare(ExecResult::TYPE);
    server_time: ServerTime { field: "timeout", default: 10.0, unit: TimeUnit::Seconds };
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The Python code.
        code: String { rule: Rule::NotEmpty },
        /// The server's time limit, in seconds.
        #[source("G3: the range")]
        timeout: Option<i64> { rule: Rule::Range(1.0, 300.0), default: "10" },
    }
}
