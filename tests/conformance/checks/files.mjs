import assert from "node:assert/strict";
import { hasFields, ok, refused, succeeded, TIME, UNKNOWN, UUID } from "../expect.mjs";

const FILE = { id: UUID, filename: "string", size_bytes: "number", content_type: /\//, created_at: TIME };
const TOO_LARGE = 10 * 1024 * 1024 + 1;

/** Creates a form with a file and the fields that have a value. */
function form(name, content, fields = {}) {
  const data = new FormData();
  if (name) data.set("file", new Blob([content], { type: "text/plain" }), name);
  for (const [field, value] of Object.entries(fields)) if (value) data.set(field, value);
  return data;
}

const upload = (wire, data) => wire.call("POST", "/files/upload", undefined, { form: data });
const bash = async (wire, { id }, command) => ok(await wire.call("POST", `/computers/${id}/bash`, { command })).output;

/** Downloads the text to which a link leads. The link needs no API key. */
async function download(wire, link) {
  const { status, bytes } = await wire.fetch(link);
  assert.equal(status, 200, `the status of the link is ${status}`);
  return bytes.toString();
}

export const files = [
  {
    name: "POST /files/upload stores a file for a workspace",
    source: "SEED, G3",
    async run(wire, state) {
      const { file } = ok(await upload(wire, form("note.txt", "for all", { projectId: state.workspace.id })));
      hasFields(file, FILE);
      assert.deepEqual([file.filename, file.size_bytes, file.content_type], ["note.txt", 7, "text/plain"]);
      state.file = file;
    },
  },
  {
    name: "GET /files lists the file with its source",
    source: "SEED, G3",
    async run(wire, { workspace, file }) {
      const { files: listed } = ok(await wire.call("GET", `/files?projectId=${workspace.id}`));
      hasFields(
        listed.find(({ id }) => id === file.id),
        { ...FILE, source: /^upload$/ },
      );
    },
  },
  {
    name: "a file for a computer is on its desktop and in its file list",
    source: "SEED, G1, G3",
    async run(wire, { workspace, computer, file }) {
      const fields = { projectId: workspace.id, desktopId: computer.id };
      const sent = ok(await upload(wire, form("for one.txt", "for one", fields))).file;
      assert.equal(await bash(wire, computer, "cat ~/Desktop/'for one.txt'"), "for one");
      const { files: listed } = ok(await wire.call("GET", `/files?projectId=${workspace.id}&desktopId=${computer.id}`));
      const ids = listed.map(({ id }) => id);
      assert.deepEqual([ids.includes(sent.id), ids.includes(file.id)], [true, false]);
    },
  },
  {
    name: "GET /files/download returns a link that needs no API key",
    source: "SEED, G3",
    async run(wire, { file }) {
      const { url } = ok(await wire.call("GET", `/files/download?id=${file.id}`));
      assert.equal(await download(wire, url), "for all");
    },
  },
  {
    name: "POST /files/export accepts relative, home and absolute paths",
    source: "SEED, G3",
    async run(wire, { computer }) {
      await bash(wire, computer, "printf content > ~/export.txt");
      for (const path of ["export.txt", "~/export.txt", "/home/user/export.txt"]) {
        const body = succeeded(await wire.call("POST", "/files/export", { desktopId: computer.id, path }));
        hasFields(body.file, FILE);
        assert.deepEqual([body.file.filename, await download(wire, body.url)], ["export.txt", "content"]);
      }
    },
  },
  {
    name: "an exported file contains the ids of its computer and workspace",
    source: "G1",
    async run(wire, { computer, workspace }) {
      const request = { desktopId: computer.id, path: "export.txt" };
      const { file } = succeeded(await wire.call("POST", "/files/export", request));
      assert.deepEqual([file.desktop_id, file.project_id], [computer.id, workspace.id]);
      const { files: listed } = ok(await wire.call("GET", `/files?projectId=${workspace.id}&desktopId=${computer.id}`));
      assert.equal(listed.find(({ id }) => id === file.id).source, "export");
    },
  },
  {
    name: "an export of a file outside the home directory is refused with 403",
    source: "G3",
    async run(wire, { computer }) {
      refused(await wire.call("POST", "/files/export", { desktopId: computer.id, path: "/etc/passwd" }), 403);
      refused(await wire.call("POST", "/files/export", { desktopId: computer.id, path: "../../etc/passwd" }), 403);
    },
  },
  {
    name: "uploads without a file or a workspace are refused with 400",
    source: "SEED, G3",
    async run(wire, { workspace }) {
      refused(await upload(wire, form(undefined, "", { projectId: workspace.id })), 400);
      refused(await upload(wire, form("a.txt", "a")), 400);
    },
  },
  {
    name: "an upload of more than 10 MiB is refused",
    source: "G3",
    run: async (wire, { workspace }) =>
      refused(await upload(wire, form("large", new Uint8Array(TOO_LARGE), { projectId: workspace.id }))),
  },
  {
    name: "calls without required parameters are refused with 400",
    source: "SEED, G3",
    async run(wire, { computer }) {
      refused(await wire.call("GET", "/files"), 400);
      refused(await wire.call("GET", "/files/download"), 400);
      refused(await wire.call("POST", "/files/export", { desktopId: computer.id }), 400);
      refused(await wire.call("POST", "/files/export", { path: "export.txt" }), 400);
      refused(await wire.call("DELETE", "/files/delete"), 400);
    },
  },
  {
    name: "unknown files, computers and workspaces are refused with 404",
    source: "G3",
    async run(wire) {
      refused(await wire.call("GET", `/files?projectId=${UNKNOWN}`), 404);
      refused(await wire.call("GET", `/files/download?id=${UNKNOWN}`), 404);
      refused(await wire.call("DELETE", `/files/delete?id=${UNKNOWN}`), 404);
      refused(await wire.call("POST", "/files/export", { desktopId: UNKNOWN, path: "a" }), 404);
    },
  },
  {
    name: "the older paths of files work",
    source: "G1",
    async run(wire, { computer }) {
      const older = form("older.txt", "older");
      const path = `/computers/${computer.id}/files/upload`;
      const { id } = ok(await wire.call("POST", path, undefined, { form: older })).file;
      const { files: listed } = ok(await wire.call("GET", `/computers/${computer.id}/files`));
      assert.ok(listed.some((file) => file.id === id));
      assert.equal(await download(wire, ok(await wire.call("GET", `/files/${id}/download`)).url), "older");
      succeeded(await wire.call("DELETE", `/files/${id}`));
      refused(await wire.call("GET", `/files/download?id=${id}`), 404);
    },
  },
  {
    name: "DELETE /files/delete deletes a file",
    source: "SEED, G3",
    async run(wire, { workspace, file }) {
      succeeded(await wire.call("DELETE", `/files/delete?id=${file.id}`));
      refused(await wire.call("GET", `/files/download?id=${file.id}`), 404);
      const { files: listed } = ok(await wire.call("GET", `/files?projectId=${workspace.id}`));
      assert.ok(listed.every(({ id }) => id !== file.id));
    },
  },
];
