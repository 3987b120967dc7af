// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.

/** Whether a call took effect on the server. `maybe` means that this is unknown. */
export type Delivered = "no" | "maybe" | "yes";

/** An error as a flat object. Fields that do not apply are absent. */
export interface ErrorRecord {
  kind: "encode" | "decode" | "too_large" | "server" | "transport" | "timeout" | "aborted" | "closed";
  message: string;
  delivered: Delivered;
  field?: string;
  path?: string;
  status?: number;
  code?: string;
  request_id?: string;
  upstream_status?: number;
  retry_after?: number;
  body?: string;
  limit?: number;
  cause?: CloseCause;
  network?: NetworkCause;
}

/** Why the network failed. */
export interface NetworkCause {
  message: string;
  /** The error code of Node, such as `ECONNREFUSED`. Absent if the platform reports no cause, as in a page. */
  code?: string;
}

/** Why a channel ended. The reasons do not depend on the generation of the service. */
export type CloseReason =
  /** Closed */
  | "normal"
  /** The shell ended */
  | "exit"
  /** The password was refused */
  | "unauthorized"
  /** There is no such computer, or it is not running */
  | "not_found"
  /** The computer is not running */
  | "not_running"
  /** These credentials allow viewing only */
  | "view_only"
  /** Closed by the server after a long time without input */
  | "idle"
  /** The computer could not start the channel */
  | "failed"
  /** The server or the computer is going away */
  | "going_away"
  /** The computer could not be reached */
  | "unreachable"
  /** Refused by the server */
  | "refused"
  /** Broken protocol */
  | "protocol"
  /** The output was not read */
  | "overflow"
;

export interface CloseCause {
  reason: CloseReason;
  /** The WebSocket close code, if there was one. */
  code?: number;
  /** The complete message. */
  message: string;
  /**
   * The number of bytes (UTF-8) of terminal input that `write` accepted but that may not have arrived. They are the last
   * accepted bytes. Absent if all input has arrived.
   */
  unacknowledged?: number;
}

/** The state of a channel. */
export type ChannelState =
  /** Connecting for the first time. */
  | { status: "connecting" }
  /** Accepted by the server. */
  | { status: "open" }
  /** Open, but the server does not respond to a ping. */
  | { status: "unstable" }
  /** The connection broke because of `cause`; attempt number `attempt` starts `delay` ms after the break. */
  | { status: "reconnecting"; attempt: number; delay: number; cause: CloseCause }
  /** Ended; the channel does not reconnect. */
  | { status: "closed"; cause: CloseCause };

/**
 * The counters of a channel. `received = taken + buffered + dropped`, counted in bytes of text (terminal), samples of one
 * channel (audio), events, or updates (screen).
 */
export interface Counters {
  received: number;
  taken: number;
  buffered: number;
  dropped: number;
  received_messages: number;
  received_bytes: number;
  sent_messages: number;
  /** The number of messages of an unknown shape, which are ignored. */
  malformed: number;
  /** The number of bytes (UTF-8) of accepted input. `written = acknowledged + pending + unacknowledged`. */
  written: number;
  /** The number of bytes of input that the server has acknowledged. */
  acknowledged: number;
  /** The number of bytes of input that are unsent or unacknowledged. */
  pending: number;
  /**
   * The number of bytes of input that may not have arrived, because the connection broke or the channel ended before they
   * were acknowledged.
   */
  unacknowledged: number;
  /** The number of times that input was refused. */
  refused: number;
  /** The number of times that the channel reconnected after a break. Failed attempts do not count. */
  reconnects: number;
}

/** Why a terminal accepts no input. */
export type InputRefusal =
  /** The connection is down. Input is not kept, because the next connection has a new shell. */
  | "disconnected"
  /** The server does not respond: the connection may be broken. */
  | "unstable"
  /** Too much input is pending, because the server or the program in the terminal does not read the input. */
  | "full";

/** Why a screen accepts no input. */
export type ScreenRefusal =
  | InputRefusal
  /** The screen was opened for viewing only. */
  | "view_only";

export type TerminalItem =
  | { type: "output"; data: string }
  | { type: "reconnected"; unacknowledged: number }
  | { type: "error"; message: string }
  | { type: "exit"; code: number };

export type AudioItem =
  | { type: "started"; sample_rate: number; channels: number }
  | { type: "samples"; samples: Float32Array }
  | { type: "error"; message: string };

/** An event as received. It can have a type that this version does not know. */
export interface WireEvent {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

export type EventItem =
  | { type: "event"; event: WireEvent }
  /** Events may be missing here. `missed` is absent if the number of missing events is unknown. */
  | { type: "gap"; missed?: number }
  | { type: "error"; message: string };

/** A rectangle of a screen, in pixels. */
export interface ScreenRect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type ScreenItem =
  | { type: "reconnected" }
  | { type: "resized"; width: number; height: number }
  | { type: "cursor"; x: number; y: number; width: number; height: number; pixels: Uint8Array }
  /** Unread changes are joined into one item, which contains this number of updates. */
  | { type: "damage"; rects: ScreenRect[]; updates: number }
  | { type: "image"; id: number; width: number; height: number; format: "png" | "jpeg" | "rgba"; data: Uint8Array }
  | { type: "clipboard"; text: string }
  | { type: "clipboard_too_long" }
  | { type: "bell" }
  | { type: "error"; message: string };

/** The known event types. */
export const EVENT_TYPES = ["window_focus", "window_open", "window_close", "clipboard", "file_change", "screen_change", "audio_stream_start", "audio_stream_stop", "process_start", "process_stop", "idle", "active"] as const;

/** The default base URL of the REST calls. */
export const DEFAULT_BASE_URL = "https://www.orgo.ai/api";

/** The default time limit of one request, in milliseconds. */
export const DEFAULT_TIMEOUT = 60000;
