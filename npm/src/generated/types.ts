// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.

/** The operating system. */
export type Os = "linux" | "windows";

/** The state of a computer (G3, and BOPS for `frozen`). */
export type Status = "creating" | "starting" | "running" | "stopping" | "stopped" | "restarting" | "suspended" | "frozen" | "deleting" | "error";

/** The graphics card. Whether a request for one is honoured is not known. */
export type Gpu = "none" | "a10" | "l40s" | "a100-40gb" | "a100-80gb";

/** How a screenshot is encoded. */
export type ScreenshotFormat = "png" | "jpeg";

/** A button of the mouse. */
export type MouseButton = "left" | "right";

/** A direction to scroll in. */
export type ScrollDirection = "up" | "down";

/** The state of a stream. */
export type StreamState = "idle" | "streaming" | "terminated";

/** A group of computers and files. */
export interface Workspace {
  /** UUID. */
  id: string;
  /** Unique within the account. */
  name: string;
  /** UUID of the owner. */
  user_id?: string;
  /** `active` or `inactive`. */
  status?: string;
  /** The URL of an icon. */
  icon_url?: string;
  /** ISO 8601, UTC. */
  created_at?: string;
  /** ISO 8601, UTC. */
  updated_at?: string;
  /** How many computers it holds, in answers that do not list them. */
  computer_count?: number;
  /** Its computers. */
  desktops?: Computer[];
}

/** A computer. */
export interface Computer {
  /** UUID. */
  id: string;
  /** Unique within the workspace. */
  name?: string;
  /** UUID of the workspace. */
  workspace_id?: string;
  /** The same id under its older name. */
  project_id?: string;
  /** The name of the workspace. */
  project_name?: string;
  /** The operating system. */
  os?: Os | (string & {});
  /** Memory in GB. */
  ram?: number;
  /** Processor cores. */
  cpu?: number;
  /** Disk in GB. */
  disk_size_gb?: number;
  /** `WIDTHxHEIGHTxDEPTH`. */
  resolution?: string;
  /** Its state. */
  status?: Status | (string & {});
  /** Its page on the dashboard. */
  url?: string;
  /** ISO 8601, UTC. */
  created_at?: string;
  /** Its second id, used for the channels. */
  instance_id?: string;
  /** The older name of `instance_id`. */
  fly_instance_id?: string;
  /** The host of the service. */
  hostname?: string;
  /** The base of its channels. */
  connection_url?: string;
  /** The password of its channels. */
  vnc_password?: string;
  /** What the host knows of it; absent while it is stopped. */
  instance_details?: Record<string, unknown>;
}

/** The server's word that a call was carried out. */
export interface Acknowledged {
  /** Whether it was carried out. */
  success?: boolean;
  /** The state that the computer is going to, where the server says so (G3). */
  status?: string;
  /** More in words. */
  message?: string;
}

/** The password of a computer's channels. */
export interface VncPassword {
  /** The password. It changes whenever the computer restarts. */
  password: string;
  /** A token for calls that go to the computer directly, on newer images (MCP). */
  desktop_api_token?: string;
}

/** What an action did. Some generations answer `success` alone. */
export interface ActionResult {
  /** Whether it was carried out. */
  success?: boolean;
  /** The server's name of the action. */
  action?: string;
  /** The parameters as the server took them. */
  details?: Record<string, unknown>;
}

/** What a shell command printed and how it ended. */
export interface BashResult {
  /** Standard output and standard error, merged. */
  output: string;
  /** The exit code; absent where the server does not tell. */
  exit_code?: number;
  /** Whether the command ran, whatever its exit code. */
  success?: boolean;
}

/** What Python code printed and how it ended. */
export interface ExecResult {
  /** What it printed. */
  output: string;
  /** Whether it ran to its end. */
  success?: boolean;
  /** The message of the exception. */
  error?: string;
  /** The class of the exception, as `NameError`. */
  error_type?: string;
  /** Whether it was ended because its time ran out. */
  timeout?: boolean;
}

/** What a stream does. */
export interface StreamStatus {
  /** Its state. */
  status: StreamState | (string & {});
  /** Since when, ISO 8601, UTC. */
  start_time?: string;
  /** The process that sends it. */
  pid?: number;
  /** Why it ended. */
  message?: string;
}

/** A stored file. */
export interface StoredFile {
  /** UUID. */
  id: string;
  /** Its name. */
  filename?: string;
  /** Its size in bytes. */
  size_bytes?: number;
  /** Its MIME type. */
  content_type?: string;
  /** ISO 8601, UTC. */
  created_at?: string;
  /** `upload` or `export`. */
  source?: string;
  /** Whether an upload has reached its computer. Only the local desktop says so. */
  delivered?: boolean;
  /** Why it has not. Only the local desktop says so. */
  delivery_error?: string;
}

/** A file that was exported from a computer. */
export interface ExportedFile {
  /** The stored file. */
  file: StoredFile;
  /** Where its content is, for an hour, without credentials. */
  url: string;
}

/** Where a file's content is. */
export interface DownloadUrl {
  /** Valid for an hour, without credentials. */
  url: string;
}

/** A window. */
export interface WindowData {
  /** The id of the X window in hexadecimal, as `0x2a0000c`. */
  window_id: string;
  /** Its title. */
  title: string;
}

/** A window that is gone. */
export interface WindowIdData {
  /** The id of the X window in hexadecimal, as `0x2a0000c`. */
  window_id: string;
}

/** The text of the clipboard. */
export interface ClipboardData {
  /** The text. */
  content: string;
}

/** A change to a file. */
export interface FileChangeData {
  /** The absolute path. */
  path: string;
  /** `created`, `modified` or `deleted`. */
  action: string;
}

/** The size of the screen. */
export interface ScreenChangeData {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
}

/** Nothing more to say. */
export interface NoData {
}

/** A process. */
export interface ProcessData {
  /** Its id. */
  pid: number;
  /** Its name. */
  name: string;
}

/** How long nobody touched the computer. */
export interface IdleData {
  /** Seconds since the last input. */
  idle_seconds: number;
}

/** Parameters of `workspaces.create`. */
export interface CreateWorkspaceParams {
  /** A name that the account does not have yet. */
  name: string;
}

/** Parameters of `computers.create`. */
export interface CreateComputerParams {
  /** The workspace that it belongs to. */
  workspace_id: string;
  /** A name that the workspace does not have yet. */
  name: string;
  /** The operating system. Default: `linux`. */
  os?: Os;
  /** Memory in GB. Takes one of 4, 8, 16, 32, 64. Default: `4`. */
  ram?: number;
  /** Processor cores: 2, 4, 8 or 16 by the specification, 1 (G3) and 0.5 (PY) since. The default is the specification's; newer servers take 1. Takes one of 0.5, 1, 2, 4, 8, 16. Default: `2`. */
  cpu?: number;
  /** The graphics card. Default: `none`. */
  gpu?: Gpu;
  /** The size of the screen in pixels and its depth in bits, `WIDTHxHEIGHTxDEPTH`. Takes WIDTHxHEIGHTxDEPTH, as 1280x720x24. Default: `1280x720x24`. */
  resolution?: string;
  /** Disk in GB (G3). Takes a whole number of at least 1. */
  disk_size_gb?: number;
  /** A template, as `namespace/name@version` (G3). */
  template_ref?: string;
  /** An image reference (PY). */
  image?: string;
}

/** Parameters of `computers.screenshot`. */
export interface TakeScreenshotParams {
  /** The encoding. A server that does not know it sends its usual one (PY, BOPS). */
  format?: ScreenshotFormat;
  /** The size of the image as a part of the screen's, up to 1. A server that does not know it sends the whole size (PY, BOPS). Takes a number from 0.01 to 1. Default: `1`. */
  scale?: number;
}

/** Parameters of `computers.click`. */
export interface ClickParams {
  /** Pixels from the left edge. Takes a whole number of at least 0. */
  x: number;
  /** Pixels from the upper edge. Takes a whole number of at least 0. */
  y: number;
  /** The button. Default: `left`. */
  button?: MouseButton;
  /** Whether to click twice. Default: `false`. */
  double?: boolean;
}

/** Parameters of `computers.drag`. */
export interface DragParams {
  /** Pixels from the left edge where the button goes down. Takes a whole number of at least 0. */
  start_x: number;
  /** Pixels from the upper edge where the button goes down. Takes a whole number of at least 0. */
  start_y: number;
  /** Pixels from the left edge where the button goes up. Takes a whole number of at least 0. */
  end_x: number;
  /** Pixels from the upper edge where the button goes up. Takes a whole number of at least 0. */
  end_y: number;
  /** The button. Default: `left`. */
  button?: MouseButton;
  /** How long the way takes, in seconds (default of G3). Takes a number of at least 0. Default: `0.5`. */
  duration?: number;
}

/** Parameters of `computers.type`. */
export interface TypeTextParams {
  /** The pause between characters, in milliseconds (default of G3). Takes a whole number of at least 0. Default: `12`. */
  delay_ms?: number;
}

/** Parameters of `computers.scroll`. */
export interface ScrollParams {
  /** The direction. */
  direction: ScrollDirection;
  /** How many notches of the wheel. Takes a whole number of at least 1. Default: `3`. */
  amount?: number;
  /** Pixels from the left edge to scroll at, with `y` (PY). Without them it is where the pointer is. Takes a whole number of at least 0. */
  x?: number;
  /** Pixels from the upper edge to scroll at, with `x` (PY). Takes a whole number of at least 0. */
  y?: number;
}

/** Parameters of `computers.bash`. */
export interface RunBashParams {
  /** The server's time limit, in seconds (default of G3, upper end of BOPS and MCP). Takes a whole number from 1 to 300. Default: `200`. */
  timeout?: number;
}

/** Parameters of `computers.exec`. */
export interface ExecPythonParams {
  /** The server's time limit, in seconds (range of G3). Takes a whole number from 1 to 300. Default: `10`. */
  timeout?: number;
}

/** Parameters of `files.upload`. */
export interface UploadFileParams {
  /** The workspace that the file belongs to. */
  workspace_id: string;
  /** The computer that gets it. */
  computer_id?: string;
}

/** Parameters of `files.list`. */
export interface ListFilesParams {
  /** The workspace that they belong to. */
  workspace_id: string;
  /** The computer that they belong to. */
  computer_id?: string;
}

/** Parameters of `files.export`. */
export interface ExportFileParams {
  /** The computer that has it. */
  computer_id: string;
  /** Its path: absolute, from the home folder, or with `~/`. */
  path: string;
}

/** Another window has the focus. */
export interface WindowFocusEvent {
  type: "window_focus";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowData;
}

/** A window opened. */
export interface WindowOpenEvent {
  type: "window_open";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowData;
}

/** A window closed. */
export interface WindowCloseEvent {
  type: "window_close";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowIdData;
}

/** Text was copied. */
export interface ClipboardEvent {
  type: "clipboard";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ClipboardData;
}

/** A file on the desktop or among the downloads changed. */
export interface FileChangeEvent {
  type: "file_change";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: FileChangeData;
}

/** The size of the screen changed. */
export interface ScreenChangeEvent {
  type: "screen_change";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ScreenChangeData;
}

/** A program began to play sound. */
export interface AudioStreamStartEvent {
  type: "audio_stream_start";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** A program ended playing sound. */
export interface AudioStreamStopEvent {
  type: "audio_stream_stop";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** A process started. */
export interface ProcessStartEvent {
  type: "process_start";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ProcessData;
}

/** A process ended. */
export interface ProcessStopEvent {
  type: "process_stop";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ProcessData;
}

/** Nobody touched the computer for a while: 30 s (G3). */
export interface IdleEvent {
  type: "idle";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: IdleData;
}

/** Somebody touches the computer again. */
export interface ActiveEvent {
  type: "active";
  /** ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** An event of the desktop, told apart by its `type`. */
export type DesktopEvent =
  | WindowFocusEvent
  | WindowOpenEvent
  | WindowCloseEvent
  | ClipboardEvent
  | FileChangeEvent
  | ScreenChangeEvent
  | AudioStreamStartEvent
  | AudioStreamStopEvent
  | ProcessStartEvent
  | ProcessStopEvent
  | IdleEvent
  | ActiveEvent;

/** The name of an event. */
export type EventType = DesktopEvent["type"];
