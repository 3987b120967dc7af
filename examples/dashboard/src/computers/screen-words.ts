import { sentence } from "../api/problem.js";
import type { CoverWords } from "../screen/cover.js";
import type { Computers } from "./store.js";
import { canStart, OUT_OF_REACH, statusWords } from "./words.js";

/** What can be done where there is no screen. */
export interface ScreenActions {
  create(): void;
  /** Looks for the computers again. */
  retry(): void;
  start(id: string): void;
}

/** What is said in the place of a screen. */
export function screenWords(
  { inventory, selected, error, away }: Computers,
  { create, retry, start }: ScreenActions,
): CoverWords {
  const again = { label: "Retry now", run: retry };
  if (inventory === undefined) {
    return error === undefined ? { text: "Looking for computers…" } : { text: "The computers cannot be listed.", action: again };
  }
  if (away) {
    const detail = "This page looks for it every second. What runs on the computer may go on meanwhile.";
    return { text: selected === undefined ? "The service is out of reach." : OUT_OF_REACH.sentence, detail, action: again };
  }
  const action = { label: "New computer", run: create };
  if (selected === undefined) {
    if (inventory.first?.pending) {
      return { text: "Making your first computer…", detail: "It has a desktop of its own and starts by itself." };
    }
    if (inventory.first?.error !== undefined) {
      return { text: "The first computer could not be made.", detail: inventory.first.error.message, action };
    }
    return {
      text: "There is no computer yet.",
      detail: "A computer is a Linux desktop that a program can work.",
      action,
    };
  }
  const { status, id, problem } = selected;
  if (status === "running") return { text: "Taking the first picture…" };
  return {
    text: statusWords(status).sentence,
    ...(status === "error" && problem !== undefined && { detail: sentence(problem) }),
    ...(canStart(status) && { action: { label: "Start", run: () => start(id) } }),
  };
}
