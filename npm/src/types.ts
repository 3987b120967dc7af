/** The shapes of the wire that the sources of this package name, as the generated files have them. */
export type { ChannelState, CloseCause, CloseReason, Counters, Delivered, ErrorRecord } from "./generated/channels.js";
export type { Operations } from "./generated/operations.js";
export type {
  Acknowledged,
  ActionResult,
  BashResult,
  ClickParams,
  Computer as ComputerData,
  CreateComputerParams,
  CreateWorkspaceParams,
  DesktopEvent,
  DownloadUrl,
  DragParams,
  EventType,
  ExecPythonParams,
  ExecResult,
  ExportedFile,
  ExportFileParams,
  File,
  ListFilesParams,
  RunBashParams,
  ScrollParams,
  StreamStatus,
  TypeTextParams,
  UploadFileParams,
  VncPassword,
  Workspace,
} from "./generated/types.js";
