import { sentence } from "../api/problem.js";
import type { OverlayMessage } from "../screen/overlay.js";
import { canStart, statusText, UNREACHABLE } from "./status.js";
import type { Computers } from "./store.js";

/** The actions that the screen offers while it has no image. */
export interface ScreenActions {
  create(): void;
  /** Lists the computers again. */
  retry(): void;
  start(id: string): void;
}

/** Returns the message to show in place of a screen. */
export function screenMessage(
  { inventory, selected, error, offline }: Computers,
  { create, retry, start }: ScreenActions,
): OverlayMessage {
  const retryAction = { label: "Retry now", run: retry };
  if (inventory === undefined) {
    return error === undefined
      ? { text: "Loading computers…" }
      : { text: "The computers could not be listed.", action: retryAction };
  }
  if (offline) {
    const text = selected === undefined ? "The service is unreachable." : UNREACHABLE.sentence;
    const detail = "The page retries every second. Programs on the computer may still be running.";
    return { text, detail, action: retryAction };
  }
  const action = { label: "New computer", run: create };
  if (selected === undefined) {
    if (inventory.first?.pending) {
      return { text: "Creating your first computer…", detail: "It starts automatically." };
    }
    if (inventory.first?.error !== undefined) {
      return { text: "The first computer could not be created.", detail: inventory.first.error.message, action };
    }
    return {
      text: "No computers yet.",
      detail: "A computer is a Linux desktop that programs can control.",
      action,
    };
  }
  const { status, id, problem } = selected;
  if (status === "running") return { text: "Loading the screen…" };
  return {
    text: statusText(status).sentence,
    ...(status === "error" && problem !== undefined && { detail: sentence(problem) }),
    ...(canStart(status) && { action: { label: "Start", run: () => start(id) } }),
  };
}
