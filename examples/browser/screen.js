import { connect, show } from "./connect.js";

const find = (id) => document.querySelector(`#${id}`);
const state = find("state");
const element = find("screen");

try {
  const computer = await connect();
  const screen = await computer.screen();
  show(state, screen.state);
  screen.on("state", (now) => show(state, now));
  const view = screen.attach(element);
  view.focus();

  /** Runs an action when a button is clicked, and shows its error. */
  const onClick = (id, act) => find(id).addEventListener("click", () => act().catch((error) => show(state, error)));

  find("view-only").addEventListener("change", ({ target }) => {
    view.input = !target.checked;
  });
  find("exact").addEventListener("change", ({ target }) => {
    view.scale = target.checked ? "1:1" : "fit";
  });
  onClick("escape", async () => screen.key("Escape"));
  // The clipboards are only exchanged when the user asks for it.
  onClick("copy", async () => navigator.clipboard.writeText(await screen.clipboard.read()));
  onClick("paste", async () => screen.clipboard.write(await navigator.clipboard.readText()));
  onClick("save", async () => {
    const { data } = await screen.screenshot();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data], { type: "image/png" }));
    link.download = "screen.png";
    link.click();
    URL.revokeObjectURL(link.href);
  });
} catch (error) {
  show(state, error);
}
