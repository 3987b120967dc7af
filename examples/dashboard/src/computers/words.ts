import type { Computer } from "../api/types.js";
import type { Tone } from "../ui/dom.js";

/** A computer's state in words. */
export interface StatusWords {
  label: string;
  tone: Tone;
  /** What it means for the screen. */
  sentence: string;
}

const WORDS: Record<string, StatusWords> = {
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
    label: "Broken",
    tone: "bad",
    sentence: "The computer is broken. Start it again, or delete it and make another.",
  },
};

export function statusWords(status: string | undefined): StatusWords {
  const shown = status ?? "unknown";
  return WORDS[shown] ?? { label: shown, tone: "idle", sentence: `The computer's state is “${shown}”.` };
}

/** A computer of which nothing is known while the service is out of reach. */
export const OUT_OF_REACH: StatusWords = {
  label: "Not known",
  tone: "idle",
  sentence: "The computer cannot be reached now.",
};

/** Whether a computer is on its way to another state. */
export function isChanging(status: string | undefined): boolean {
  return statusWords(status).tone === "busy";
}

export function canStart(status: string | undefined): boolean {
  return ["stopped", "suspended", "frozen", "error"].includes(status ?? "");
}

/** What a computer is made of, in one line. */
export function facts({ resolution, ram, cpu, missing = [], workspace }: Computer): string {
  const [width, height] = (resolution ?? "").split("x");
  return [
    width && height && `${width} × ${height}`,
    cpu !== undefined && `${cpu} cores`,
    ram !== undefined && `${ram} GB`,
    workspace.name,
    missing.length > 0 && `without its ${missing.join(" and ")}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
