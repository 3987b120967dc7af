// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.

/** Whether a call took effect on the server: provably not, nobody can tell, carried out. */
export type Delivered = "no" | "maybe" | "yes";

/** A failure in one flat form; fields that do not apply are absent. */
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
}

/** Why a channel ended, in one set of causes for the close codes of every generation. */
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
  /** These credentials allow only to look */
  | "view_only"
  /** Closed by the server after a long time without input */
  | "idle"
  /** The computer could not start it */
  | "failed"
  /** The server or the computer is going away */
  | "going_away"
  /** The computer could not be reached */
  | "unreachable"
  /** Refused by the server */
  | "refused"
  /** Broken protocol */
  | "protocol"
  /** Nobody took the output */
  | "overflow"
;

export interface CloseCause {
  reason: CloseReason;
  /** The close code, if the end came as one. */
  code?: number;
  /** The whole sentence. */
  message: string;
  /**
   * Bytes (UTF-8) of a terminal's input that `write` accepted and that may not have arrived: the last ones before the
   * end. Absent if all input is known to have arrived.
   */
  unacknowledged?: number;
}

/** The state of a channel. */
export type ChannelState =
  /** On the way to its first opening. */
  | { status: "connecting" }
  /** Accepted by the server. */
  | { status: "open" }
  /** Open, but silent for too long. */
  | { status: "unstable" }
  /** Broken, for the cause; try number `attempt` comes `delay` ms after the break. */
  | { status: "reconnecting"; attempt: number; delay: number; cause: CloseCause }
  /** Ended for good. */
  | { status: "closed"; cause: CloseCause };

/**
 * What passed through a channel. `received = taken + buffered + dropped`, counted in bytes of text (terminal), samples
 * of one channel (audio), or events.
 */
export interface Counters {
  received: number;
  taken: number;
  buffered: number;
  dropped: number;
  received_messages: number;
  received_bytes: number;
  sent_messages: number;
  /** Messages that are not of the documented shape; they are passed over. */
  malformed: number;
  /** Bytes (UTF-8) of input that were accepted. `written = acknowledged + pending + unacknowledged`. */
  written: number;
  /** Bytes of input that the server is known to have received. */
  acknowledged: number;
  /** Bytes of input that wait to be sent or to be acknowledged. */
  pending: number;
  /** Bytes of input that may not have arrived, since the link broke or the channel ended before they were acknowledged. */
  unacknowledged: number;
  /** How often input was refused. */
  refused: number;
  reconnects: number;
}

/** Why a terminal accepts no input. */
export type InputRefusal =
  /** The link is down. Input is not kept: the shell that comes later is not the one that it was meant for. */
  | "disconnected"
  /** The server does not answer: the link may be broken. */
  | "unstable"
  /** Too much input waits for the server or for the program in the terminal. */
  | "full";

export type TerminalItem =
  | { type: "output"; data: string }
  | { type: "reconnected"; unacknowledged: number }
  | { type: "error"; message: string }
  | { type: "exit"; code: number };

export type AudioItem =
  | { type: "started"; sample_rate: number; channels: number }
  | { type: "samples"; samples: Float32Array }
  | { type: "error"; message: string };

/** An event as the wire has it, also of a type that this version does not know. */
export interface WireEvent {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

export type EventItem =
  | { type: "event"; event: WireEvent }
  /** Events may have been missed here; `missed` is absent where nobody can know how many. */
  | { type: "gap"; missed?: number }
  | { type: "error"; message: string };

/** Every type of event of the specification. */
export const EVENT_TYPES = ["window_focus", "window_open", "window_close", "clipboard", "file_change", "screen_change", "audio_stream_start", "audio_stream_stop", "process_start", "process_stop", "idle", "active"] as const;

/** The root of the REST calls, where the client names none. */
export const DEFAULT_BASE_URL = "https://www.orgo.ai/api";

/** The time limit of one request, in milliseconds, where the client sets none. */
export const DEFAULT_TIMEOUT = 60000;
