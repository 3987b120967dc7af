/** The exports of both entry points. Each entry point adds its own `Orgo`, and the classes that a page loads on demand. */
export type {
  AbortSignalLike,
  BlobLike,
  NodeReadable,
  WebAudioContext,
  WebAudioNode,
  WebElement,
  WebMediaStream,
  WebReadableStream,
  WebWritableStream,
} from "./ambient.js";
export type { PlayerEvents, PlayerState, PlayerTransport, PlayOptions } from "./audio/player.js";
export type { PlayerStats } from "./audio/stats.js";
export type { FileStream } from "./caller.js";
export type {
  AudioChunk,
  AudioEvents,
  AudioFormat,
  AudioLevel,
  AudioParams,
  AudioStats,
  RecordOptions,
} from "./channel/audio.js";
export type { ChannelEvents } from "./channel/channel.js";
export type { EventOf, EventStreamEvents, WaitForOptions } from "./channel/events.js";
export type {
  AttachOptions,
  Screen,
  ScreenButton,
  ScreenButtonParams,
  ScreenClickParams,
  ScreenCursor,
  ScreenDamage,
  ScreenDragParams,
  ScreenEvents,
  ScreenImage,
  ScreenImageParams,
  ScreenKeyParams,
  ScreenParams,
  ScreenPoint,
  ScreenSize,
  ScreenView,
  ScreenWheelParams,
  SettledOptions,
} from "./channel/screen.js";
export type { TerminalEvents, TerminalParams } from "./channel/terminal.js";
export type { OrgoOptions } from "./client.js";
export { Computer, type ComputerInfo, type Screenshot, type ScreenshotOptions } from "./computer.js";
export { ConnectedComputer, Connection, type ConnectionData, type ConnectOptions } from "./connection.js";
export {
  AbortError,
  APIError,
  AuthenticationError,
  BadRequestError,
  BindingError,
  ChannelClosedError,
  ComputerStateError,
  ConflictError,
  ConnectionError,
  DecodeError,
  type ErrorKind,
  InvalidParameterError,
  NotFoundError,
  OrgoError,
  PermissionDeniedError,
  RateLimitError,
  ResponseTooLargeError,
  ServerError,
  TimeoutError,
} from "./errors.js";
export {
  type ChannelState,
  type CloseCause,
  type CloseReason,
  type Counters,
  type Delivered,
  EVENT_TYPES,
  type InputRefusal,
  type ScreenRect,
  type ScreenRefusal,
} from "./generated/channels.js";
export type * from "./generated/types.js";
export type { Logger, LogLevel } from "./logger.js";
export type { CallOptions, OpenOptions, WaitOptions } from "./options.js";
export type { BindingInfo } from "./platform.js";
export type { Computers } from "./resources/computers.js";
export type {
  ComputerFiles,
  Files,
  OnUploadProgress,
  UploadDescription,
  UploadOptions,
  UploadParams,
  UploadProgress,
} from "./resources/files.js";
export type { RequestParams } from "./resources/request.js";
export type { Stream } from "./resources/stream.js";
export type { Workspaces } from "./resources/workspaces.js";
export type { FileContent, FilePath } from "./upload/content.js";
