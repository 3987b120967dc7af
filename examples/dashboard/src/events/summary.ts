import type { DesktopEvent } from "orgo-sdk";

/** The maximum length of the text of an event, in characters. */
const MAX_LENGTH = 240;

/** Summarizes an event on one line. */
export function summary(event: DesktopEvent): string {
  switch (event.type) {
    case "window_open":
    case "window_focus":
      return event.data.title === "" ? event.data.window_id : `${event.data.title} (${event.data.window_id})`;
    case "window_close":
      return event.data.window_id;
    case "clipboard":
      return `“${shorten(event.data.content)}”`;
    case "file_change":
      return `${event.data.action} ${event.data.path}`;
    case "screen_change":
      return `${event.data.width} × ${event.data.height}`;
    case "process_start":
    case "process_stop":
      return `${event.data.name} (${event.data.pid})`;
    case "idle":
      return `no input for ${event.data.idle_seconds} s`;
    case "active":
    case "audio_stream_start":
    case "audio_stream_stop":
      return "";
    default:
      // An event type that the SDK does not know.
      return shorten(JSON.stringify((event as { data: unknown }).data));
  }
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH).join("")}…` : text;
}
