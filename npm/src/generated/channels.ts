// Placeholder until orgo-describe writes it; the shapes are fixed.
export type Delivered = "no" | "maybe" | "yes";
export interface ErrorRecord {
  kind: "encode" | "decode" | "server" | "transport" | "timeout" | "aborted" | "closed";
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
export type CloseReason = "normal" | "exit" | "unauthorized" | "not_found" | "not_running" | "view_only" | "idle" | "failed" | "going_away" | "unreachable" | "refused" | "protocol";
export interface CloseCause {
  reason: CloseReason;
  /** The close code on the wire, if there was one. */
  code?: number;
  message: string;
}
export type ChannelState =
  | { status: "connecting" }
  | { status: "open" }
  | { status: "unstable" }
  | { status: "waiting"; attempt: number; delay: number }
  | { status: "closed"; cause: CloseCause };
export interface Counters {
  /** Messages and bytes, both ways. */
  received_messages: number;
  received_bytes: number;
  sent_messages: number;
  redials: number;
  /** Frames that were not of the documented shape; they are passed over. */
  malformed: number;
  /** Items dropped because nobody took them (events: events; audio: samples per channel). */
  dropped: number;
  /** Items waiting to be taken (terminal: bytes of text; audio: samples per channel; events: events). */
  buffered: number;
}
export type TerminalItem = { type: "output"; data: string } | { type: "reconnected" } | { type: "error"; message: string } | { type: "exit"; code: number };
export type AudioItem =
  | { type: "started"; sample_rate: number; channels: number }
  | { type: "samples"; samples: Float32Array }
  | { type: "error"; message: string };
/** The `event` of the wire, as it is. */
export interface WireEvent { type: string; timestamp: string; data: Record<string, unknown> }
export type EventItem = { type: "event"; event: WireEvent } | { type: "gap" } | { type: "error"; message: string };
