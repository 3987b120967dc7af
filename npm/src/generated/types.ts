// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.

/** The operating system. */
export type Os = "linux" | "windows";

/** The state of a computer. */
export type Status = "creating" | "starting" | "running" | "stopping" | "stopped" | "restarting" | "suspended" | "frozen" | "deleting" | "error";

/** The graphics card. It is not known whether the service provides a requested graphics card. */
export type Gpu = "none" | "a10" | "l40s" | "a100-40gb" | "a100-80gb";

/** The encoding of a screenshot. */
export type ScreenshotFormat = "png" | "jpeg";

/** A mouse button. */
export type MouseButton = "left" | "right";

/** A direction to scroll in. */
export type ScrollDirection = "up" | "down";

/** The state of a stream. */
export type StreamState = "idle" | "streaming" | "terminated";

/** A group of computers and files. */
export interface Workspace {
  /** The UUID of the workspace. */
  id: string;
  /** The name, which is unique within the account. */
  name: string;
  /** The UUID of the owner. */
  user_id?: string;
  /** `active` or `inactive`. */
  status?: string;
  /** The URL of an icon. */
  icon_url?: string;
  /** The time of creation: ISO 8601, UTC. */
  created_at?: string;
  /** The time of the last change: ISO 8601, UTC. */
  updated_at?: string;
  /** The number of computers, in responses that do not list them. */
  computer_count?: number;
  /** The computers of the workspace. */
  desktops?: Computer[];
}

/** A computer. */
export interface Computer {
  /** The UUID of the computer. */
  id: string;
  /** The name, which is unique within the workspace. */
  name?: string;
  /** The UUID of the workspace. */
  workspace_id?: string;
  /** The older name of `workspace_id`. */
  project_id?: string;
  /** The name of the workspace. */
  project_name?: string;
  /** The operating system. */
  os?: Os | (string & {});
  /** The memory, in GB. */
  ram?: number;
  /** The number of processor cores. */
  cpu?: number;
  /** The size of the disk, in GB. */
  disk_size_gb?: number;
  /** The size of the screen in pixels and its depth in bits, `WIDTHxHEIGHTxDEPTH`. */
  resolution?: string;
  /** The state of the computer. */
  status?: Status | (string & {});
  /** The URL of the computer's page on the dashboard. */
  url?: string;
  /** The time of creation: ISO 8601, UTC. */
  created_at?: string;
  /** The second id of the computer, which the channels use. */
  instance_id?: string;
  /** The older name of `instance_id`. */
  fly_instance_id?: string;
  /** The host of the service. */
  hostname?: string;
  /** The base URL of the computer's channels. */
  connection_url?: string;
  /** The password of the computer's channels. */
  vnc_password?: string;
  /** Details from the host; absent while the computer is stopped. */
  instance_details?: Record<string, unknown>;
}

/** The server's confirmation of a call. */
export interface Acknowledged {
  /** Whether the call was executed. */
  success?: boolean;
  /** The next state of the computer, if the server reports it. */
  status?: string;
  /** An explanation from the server. */
  message?: string;
}

/** The password of a computer's channels. */
export interface VncPassword {
  /** The password. It changes whenever the computer restarts. */
  password: string;
  /** A token for direct calls to the computer, on newer images. */
  desktop_api_token?: string;
}

/** The result of an action. Some generations of the service return only `success`. */
export interface ActionResult {
  /** Whether the action was executed. */
  success?: boolean;
  /** The server's name for the action. */
  action?: string;
  /** The parameters as the server applied them. */
  details?: Record<string, unknown>;
}

/** The output and the exit code of a shell command. */
export interface BashResult {
  /** Standard output and standard error, merged. */
  output: string;
  /** The exit code. Absent if the server does not report the exit code. */
  exit_code?: number;
  /** Whether the command ran, regardless of its exit code. */
  success?: boolean;
}

/** The output and the outcome of Python code. */
export interface ExecResult {
  /** The printed output. */
  output: string;
  /** Whether the code ran completely. */
  success?: boolean;
  /** The message of the exception that ended the code. */
  error?: string;
  /** The class of the exception, such as `NameError`. */
  error_type?: string;
  /** Whether the code was ended by the time limit. */
  timeout?: boolean;
}

/** The status of a stream. */
export interface StreamStatus {
  /** The state of the stream. */
  status: StreamState | (string & {});
  /** The start time: ISO 8601, UTC. */
  start_time?: string;
  /** The id of the process that sends the stream. */
  pid?: number;
  /** Why the stream ended. */
  message?: string;
}

/** A stored file. */
export interface StoredFile {
  /** The UUID of the file. */
  id: string;
  /** The name of the file. */
  filename?: string;
  /** The size of the file, in bytes. */
  size_bytes?: number;
  /** The MIME type of the file. */
  content_type?: string;
  /** The time at which the file was stored: ISO 8601, UTC. */
  created_at?: string;
  /** The origin of the file: `upload` or `export`. */
  source?: string;
  /** Whether an uploaded file has reached the computer. Only the local desktop reports this field. */
  delivered?: boolean;
  /** Why an uploaded file has not reached the computer. Only the local desktop reports this field. */
  delivery_error?: string;
}

/** A file that was exported from a computer. */
export interface ExportedFile {
  /** The stored file. */
  file: StoredFile;
  /** The URL of the content, which is valid for an hour and needs no API key. */
  url: string;
}

/** The URL of the content of a file. */
export interface DownloadUrl {
  /** The URL, which is valid for an hour and needs no API key. */
  url: string;
}

/** A window. */
export interface WindowData {
  /** The id of the X window in hexadecimal, such as `0x2a0000c`. */
  window_id: string;
  /** The title of the window. */
  title: string;
}

/** A closed window. */
export interface WindowIdData {
  /** The id of the X window in hexadecimal, such as `0x2a0000c`. */
  window_id: string;
}

/** The content of the clipboard. */
export interface ClipboardData {
  /** The text of the clipboard. */
  content: string;
}

/** A change to a file. */
export interface FileChangeData {
  /** The absolute path of the file. */
  path: string;
  /** The kind of change: `created`, `modified` or `deleted`. */
  action: string;
}

/** The size of the screen. */
export interface ScreenChangeData {
  /** The width in pixels. */
  width: number;
  /** The height in pixels. */
  height: number;
}

/** No data. */
export interface NoData {
}

/** A process. */
export interface ProcessData {
  /** The process id. */
  pid: number;
  /** The name of the process. */
  name: string;
}

/** The time since the last input. */
export interface IdleData {
  /** The number of seconds since the last input. */
  idle_seconds: number;
}

/** Parameters of `workspaces.create`. */
export interface CreateWorkspaceParams {
  /** A name that is unique within the account. */
  name: string;
}

/** Parameters of `computers.create`. */
export interface CreateComputerParams {
  /** The UUID of the workspace that the computer belongs to. */
  workspace_id: string;
  /** A name that is unique within the workspace. */
  name: string;
  /** The operating system. Default: `linux`. */
  os?: Os;
  /** The memory, in GB. Accepts one of 4, 8, 16, 32, 64. Default: `4`. */
  ram?: number;
  /** The number of processor cores. 0.5 and 1 need a newer generation of the service, whose default is 1. Accepts one of 0.5, 1, 2, 4, 8, 16. Default: `2`. */
  cpu?: number;
  /** The graphics card. Default: `none`. */
  gpu?: Gpu;
  /** The size of the screen in pixels and its depth in bits, `WIDTHxHEIGHTxDEPTH`. Accepts WIDTHxHEIGHTxDEPTH, such as 1280x720x24. Default: `1280x720x24`. */
  resolution?: string;
  /** The size of the disk, in GB. Accepts a whole number of at least 1. */
  disk_size_gb?: number;
  /** The template of the computer, such as `namespace/name@version`. */
  template_ref?: string;
  /** The reference of the image of the computer. */
  image?: string;
}

/** Parameters of `computers.screenshot`. */
export interface TakeScreenshotParams {
  /** The encoding. A server that does not support this parameter uses the server's default encoding. */
  format?: ScreenshotFormat;
  /** The factor by which the image is scaled down from the screen, at most 1. A server that does not support this parameter returns the full size. Accepts a number from 0.01 to 1. Default: `1`. */
  scale?: number;
}

/** Parameters of `computers.click`. */
export interface ClickParams {
  /** The horizontal position, in pixels from the left edge. Accepts a whole number of at least 0. */
  x: number;
  /** The vertical position, in pixels from the top edge. Accepts a whole number of at least 0. */
  y: number;
  /** The mouse button. Default: `left`. */
  button?: MouseButton;
  /** Whether to click twice. Default: `false`. */
  double?: boolean;
}

/** Parameters of `computers.drag`. */
export interface DragParams {
  /** The horizontal position at which the button is pressed, in pixels from the left edge. Accepts a whole number of at least 0. */
  start_x: number;
  /** The vertical position at which the button is pressed, in pixels from the top edge. Accepts a whole number of at least 0. */
  start_y: number;
  /** The horizontal position at which the button is released, in pixels from the left edge. Accepts a whole number of at least 0. */
  end_x: number;
  /** The vertical position at which the button is released, in pixels from the top edge. Accepts a whole number of at least 0. */
  end_y: number;
  /** The mouse button. Default: `left`. */
  button?: MouseButton;
  /** The duration of the movement, in seconds. Accepts a number of at least 0. Default: `0.5`. */
  duration?: number;
}

/** Parameters of `computers.type`. */
export interface TypeTextParams {
  /** The pause between characters, in milliseconds. Accepts a whole number of at least 0. Default: `12`. */
  delay_ms?: number;
}

/** Parameters of `computers.scroll`. */
export interface ScrollParams {
  /** The scroll direction. */
  direction: ScrollDirection;
  /** The number of wheel steps. Accepts a whole number of at least 1. Default: `3`. */
  amount?: number;
  /** The horizontal position to scroll at, in pixels from the left edge. Requires `y`. Default: the position of the pointer. Accepts a whole number of at least 0. */
  x?: number;
  /** The vertical position to scroll at, in pixels from the top edge. Requires `x`. Accepts a whole number of at least 0. */
  y?: number;
}

/** Parameters of `computers.bash`. */
export interface RunBashParams {
  /** The server's time limit, in seconds. Accepts a whole number from 1 to 300. Default: `200`. */
  timeout?: number;
}

/** Parameters of `computers.exec`. */
export interface ExecPythonParams {
  /** The server's time limit, in seconds. Accepts a whole number from 1 to 300. Default: `10`. */
  timeout?: number;
}

/** Parameters of `files.upload`. */
export interface UploadFileParams {
  /** The UUID of the workspace that the file belongs to. */
  workspace_id: string;
  /** The UUID of the computer that receives the file. */
  computer_id?: string;
}

/** Parameters of `files.list`. */
export interface ListFilesParams {
  /** The UUID of the workspace. */
  workspace_id: string;
  /** The UUID of a computer, to list only the files of this computer. */
  computer_id?: string;
}

/** Parameters of `files.export`. */
export interface ExportFileParams {
  /** The UUID of the computer that has the file. */
  computer_id: string;
  /** The path: absolute, relative to the home folder, or starting with `~/`. */
  path: string;
}

/** The focus moved to another window. */
export interface WindowFocusEvent {
  type: "window_focus";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowData;
}

/** A window opened. */
export interface WindowOpenEvent {
  type: "window_open";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowData;
}

/** A window closed. */
export interface WindowCloseEvent {
  type: "window_close";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: WindowIdData;
}

/** Text was copied. */
export interface ClipboardEvent {
  type: "clipboard";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ClipboardData;
}

/** A file in the desktop folder or the downloads folder changed. */
export interface FileChangeEvent {
  type: "file_change";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: FileChangeData;
}

/** The size of the screen changed. */
export interface ScreenChangeEvent {
  type: "screen_change";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ScreenChangeData;
}

/** A program started to play audio. */
export interface AudioStreamStartEvent {
  type: "audio_stream_start";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** A program stopped playing audio. */
export interface AudioStreamStopEvent {
  type: "audio_stream_stop";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** A process started. */
export interface ProcessStartEvent {
  type: "process_start";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ProcessData;
}

/** A process ended. */
export interface ProcessStopEvent {
  type: "process_stop";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: ProcessData;
}

/** There was no input for some time; 30 s, according to the documentation. */
export interface IdleEvent {
  type: "idle";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: IdleData;
}

/** There is input again after an `idle` event. */
export interface ActiveEvent {
  type: "active";
  /** The time of the event: ISO 8601 with milliseconds, UTC. */
  timestamp: string;
  data: NoData;
}

/** An event of the desktop; `type` distinguishes the events. */
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
