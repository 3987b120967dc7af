// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.
import type {
  Acknowledged,
  ActionResult,
  BashResult,
  ClickParams,
  Computer,
  CreateComputerParams,
  CreateWorkspaceParams,
  DownloadUrl,
  DragParams,
  ExecPythonParams,
  ExecResult,
  ExportFileParams,
  ExportedFile,
  ListFilesParams,
  RunBashParams,
  ScrollParams,
  StoredFile,
  StreamStatus,
  TakeScreenshotParams,
  TypeTextParams,
  UploadFileParams,
  VncPassword,
  Workspace,
} from "./types.js";

/** Every call: its parameters, and the result that a binding returns. */
export interface Operations {
  /** Creates a workspace. */
  "workspaces.create": { params: CreateWorkspaceParams; result: Workspace };
  /** Lists all workspaces. The service has no pagination. */
  "workspaces.list": { params: Record<string, never>; result: Workspace[] };
  /** Fetches a workspace with its computers. */
  "workspaces.get": { params: { id: string }; result: Workspace };
  /** Deletes a workspace and every computer in it. */
  "workspaces.delete": { params: { id: string }; result: Acknowledged };
  /** Creates a computer, which starts automatically. */
  "computers.create": { params: CreateComputerParams; result: Computer };
  /** Fetches a computer. */
  "computers.get": { params: { id: string }; result: Computer };
  /** Deletes a computer and its disk. A running computer is stopped first. */
  "computers.delete": { params: { id: string }; result: Acknowledged };
  /** Fetches the password of the computer's channels. */
  "computers.vncPassword": { params: { id: string }; result: VncPassword };
  /** Starts a stopped computer. */
  "computers.start": { params: { id: string }; result: Acknowledged };
  /** Stops a computer. The disk is kept; all processes end. */
  "computers.stop": { params: { id: string }; result: Acknowledged };
  /** Restarts a computer. The password of the computer's channels changes. */
  "computers.restart": { params: { id: string }; result: Acknowledged };
  /** Takes a screenshot. */
  "computers.screenshot": { params: { id: string } & TakeScreenshotParams; result: { mime_type: string; width: number; height: number } };
  /** Clicks the mouse at a point of the screen. */
  "computers.click": { params: { id: string } & ClickParams; result: ActionResult };
  /** Drags the mouse from one point of the screen to another. */
  "computers.drag": { params: { id: string } & DragParams; result: ActionResult };
  /** Types text into the focused window. */
  "computers.type": { params: { id: string; text: string } & TypeTextParams; result: ActionResult };
  /** Presses a key or a combination of keys. */
  "computers.key": { params: { id: string; key: string }; result: ActionResult };
  /** Turns the mouse wheel. */
  "computers.scroll": { params: { id: string } & ScrollParams; result: ActionResult };
  /** Lets the computer wait. */
  "computers.wait": { params: { id: string; duration: number }; result: ActionResult };
  /** Runs a shell command, and waits until it exits. */
  "computers.bash": { params: { id: string; command: string } & RunBashParams; result: BashResult };
  /** Runs Python code in a new interpreter, and waits until it ends. */
  "computers.exec": { params: { id: string; code: string } & ExecPythonParams; result: ExecResult };
  /** Starts a stream to an RTMP connection that is saved in the settings of the account. */
  "stream.start": { params: { id: string; connection_name: string }; result: StreamStatus };
  /** Returns the status of the computer's stream. */
  "stream.status": { params: { id: string }; result: StreamStatus };
  /** Stops the computer's stream. */
  "stream.stop": { params: { id: string }; result: Acknowledged };
  /** Uploads a file. If the computer is running, the file appears in the desktop folder. */
  "files.upload": { params: UploadFileParams; result: StoredFile };
  /** Lists the stored files of a workspace. */
  "files.list": { params: ListFilesParams; result: StoredFile[] };
  /** Stores a file of a running computer, and returns the URL of the content. */
  "files.export": { params: ExportFileParams; result: ExportedFile };
  /** Returns the URL of the content of a file. */
  "files.download": { params: { id: string }; result: DownloadUrl };
  /** Deletes a file. */
  "files.delete": { params: { id: string }; result: Acknowledged };
  /** Fetches the content of a file. */
  "files.bytes": { params: { id: string }; result: null };
  /** Streams the content of a file. */
  "files.stream": { params: { id: string }; result: { size?: number } };
}

/** Whether a call may be retried: see `Effect` in orgo-core. */
export const EFFECTS = {
  "workspaces.create": "once",
  "workspaces.list": "read",
  "workspaces.get": "read",
  "workspaces.delete": "idempotent",
  "computers.create": "once",
  "computers.get": "read",
  "computers.delete": "idempotent",
  "computers.vncPassword": "read",
  "computers.start": "idempotent",
  "computers.stop": "idempotent",
  "computers.restart": "once",
  "computers.screenshot": "read",
  "computers.click": "once",
  "computers.drag": "once",
  "computers.type": "once",
  "computers.key": "once",
  "computers.scroll": "once",
  "computers.wait": "read",
  "computers.bash": "once",
  "computers.exec": "once",
  "stream.start": "once",
  "stream.status": "read",
  "stream.stop": "idempotent",
  "files.upload": "once",
  "files.list": "read",
  "files.export": "once",
  "files.download": "read",
  "files.delete": "idempotent",
  "files.bytes": "read",
  "files.stream": "read",
} as const satisfies Record<keyof Operations, "read" | "idempotent" | "once">;
