import type { Computer } from "../api/types.js";
import type { Tone } from "../ui/dom.js";

/** The texts that describe a computer's status. */
export interface StatusText {
  label: string;
  tone: Tone;
  /** The message in place of the screen. */
  sentence: string;
}

const TEXTS: Record<string, StatusText> = {
  creating: { label: "Creating", tone: "busy", sentence: "The computer is being created." },
  starting: { label: "Starting", tone: "busy", sentence: "The computer is starting." },
  running: { label: "Running", tone: "good", sentence: "The computer is running." },
  stopping: { label: "Stopping", tone: "busy", sentence: "The computer is stopping." },
  stopped: { label: "Stopped", tone: "idle", sentence: "The computer is stopped. Its disk is kept." },
  restarting: { label: "Restarting", tone: "busy", sentence: "The computer is restarting." },
  suspended: { label: "Suspended", tone: "idle", sentence: "The computer is suspended." },
  frozen: { label: "Stopped", tone: "idle", sentence: "The computer is stopped. Its disk is kept." },
  deleting: { label: "Deleting", tone: "busy", sentence: "The computer is being deleted." },
  error: {
    label: "Error",
    tone: "bad",
    sentence: "The computer has failed. Start it again, or delete it and create a new one.",
  },
};

export function statusText(status: string | undefined): StatusText {
  const name = status ?? "unknown";
  return TEXTS[name] ?? { label: name, tone: "idle", sentence: `The computer's status is “${name}”.` };
}

/** The texts for a computer while the service is unreachable. */
export const UNREACHABLE: StatusText = {
  label: "Unreachable",
  tone: "idle",
  sentence: "The computer is unreachable.",
};

/** Returns whether a status is transitional. */
export function isChanging(status: string | undefined): boolean {
  return statusText(status).tone === "busy";
}

export function canStart(status: string | undefined): boolean {
  return ["stopped", "suspended", "frozen", "error"].includes(status ?? "");
}

/** Returns the specifications of a computer on one line. */
export function specs({ resolution, ram, cpu, missing = [], workspace }: Computer): string {
  const [width, height] = (resolution ?? "").split("x");
  return [
    width && height && `${width} × ${height}`,
    cpu !== undefined && `${cpu} cores`,
    ram !== undefined && `${ram} GB`,
    workspace.name,
    missing.length > 0 && `missing: ${missing.join(", ")}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
