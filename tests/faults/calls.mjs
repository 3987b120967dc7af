// Every call of the public API, for Node and pages.

/** Reads a stream to its end. Chromium's `Response` would replace the error of the stream. */
async function drain(stream) {
  const reader = stream.getReader();
  while (!(await reader.read()).done);
}

/** A file that does not fit into one TCP segment. */
const FILE = new Uint8Array(256 << 10);

/** @type {Record<string, (orgo: import("orgo-sdk").Orgo, options: object) => Promise<unknown>>} */
export const CALLS = {
  "workspaces.create": (orgo, options) => orgo.workspaces.create({ name: "w" }, options),
  "workspaces.list": (orgo, options) => orgo.workspaces.list(options),
  "workspaces.get": (orgo, options) => orgo.workspaces.get("w", options),
  "workspaces.delete": (orgo, options) => orgo.workspaces.delete("w", options),
  "computers.create": (orgo, options) => orgo.computers.create({ workspace_id: "w", name: "c" }, options),
  "computers.get": (orgo, options) => orgo.computers.get("c", options),
  "computers.delete": (orgo, options) => orgo.computers.delete("c", options),
  "computers.vncPassword": (orgo, options) => orgo.computers.vncPassword("c", options),
  "computers.start": (orgo, options) => orgo.computer("c").start(options),
  "computers.stop": (orgo, options) => orgo.computer("c").stop(options),
  "computers.restart": (orgo, options) => orgo.computer("c").restart(options),
  "computers.screenshot": (orgo, options) => orgo.computer("c").screenshot(options),
  "computers.click": (orgo, options) => orgo.computer("c").click({ x: 1, y: 1 }, options),
  "computers.drag": (orgo, options) => orgo.computer("c").drag({ start_x: 1, start_y: 1, end_x: 2, end_y: 2 }, options),
  "computers.type": (orgo, options) => orgo.computer("c").type("text", {}, options),
  "computers.key": (orgo, options) => orgo.computer("c").key("Enter", options),
  "computers.scroll": (orgo, options) => orgo.computer("c").scroll({ direction: "up" }, options),
  "computers.wait": (orgo, options) => orgo.computer("c").wait(0, options),
  "computers.bash": (orgo, options) => orgo.computer("c").bash("true", {}, options),
  "computers.exec": (orgo, options) => orgo.computer("c").exec("1", {}, options),
  "stream.start": (orgo, options) => orgo.computer("c").stream.start("live", options),
  "stream.status": (orgo, options) => orgo.computer("c").stream.status(options),
  "stream.stop": (orgo, options) => orgo.computer("c").stream.stop(options),
  "files.upload": (orgo, options) => orgo.files.upload({ workspace_id: "w", file: FILE, name: "f" }, options),
  "files.list": (orgo, options) => orgo.files.list({ workspace_id: "w" }, options),
  "files.export": (orgo, options) => orgo.files.export({ computer_id: "c", path: "f" }, options),
  "files.download": (orgo, options) => orgo.files.download("f", options),
  "files.delete": (orgo, options) => orgo.files.delete("f", options),
  "files.bytes": (orgo, options) => orgo.files.bytes("f", options),
  "files.stream": async (orgo, options) => drain(await orgo.files.stream("f", options)),
};

/** The calls that accept `onProgress`. With `onProgress`, a page sends these calls by XMLHttpRequest instead of `fetch`. */
export const WITH_PROGRESS = ["files.upload"];

/** The calls that fetch a link if the response contains one. */
export const LINKED = ["computers.screenshot", "files.bytes", "files.stream"];

/** The calls that end when the content of the link begins to arrive. */
export const STREAMED = ["files.stream"];
