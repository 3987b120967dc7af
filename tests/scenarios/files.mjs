import { equal, ok, rejects } from "./check.mjs";

const NAME = "räport 1.txt";

const text = (bytes) => new TextDecoder().decode(bytes);

export async function filesAreKept({ sdk, orgo, workspace, computer }) {
  const content = new TextEncoder().encode("Grüße 🙂\n".repeat(10_000));
  const sent = await computer.files.upload(content, { name: NAME });
  equal(sent.filename, NAME, "its name");
  equal(sent.size_bytes, content.length, "its size");
  equal((await computer.bash(`wc -c < ~/Desktop/'${NAME}'`)).output.trim(), String(content.length), "its size on the desktop");
  equal(text(await orgo.files.bytes(sent.id)), text(content), "its content");
  ok((await computer.files.list()).some(({ id }) => id === sent.id), "the computer has not got it in its list");

  const shared = await orgo.files.upload({ workspace_id: workspace.id, file: content.subarray(0, 3), name: "three" });
  ok((await orgo.files.list({ workspace_id: workspace.id })).some(({ id }) => id === shared.id), "it is not in the list");
  ok((await computer.files.list()).every(({ id }) => id !== shared.id), "the computer has a file of its workspace");

  await computer.bash("printf 'a\\0b' > ~/made.bin");
  const taken = await computer.files.export("made.bin");
  equal(taken.file.source, "export", "where it is from");
  equal([...(await orgo.files.bytes(taken.file.id))].join(), "97,0,98", "its bytes");
  const outside = await rejects(computer.files.export("/etc/passwd"), sdk.PermissionDeniedError, "a file outside the home");
  equal(outside.status, 403, "the status");
  await rejects(computer.files.export("nowhere"), sdk.NotFoundError, "a file that is not there");

  for (const { id } of [sent, shared, taken.file]) {
    await orgo.files.delete(id);
    await rejects(orgo.files.bytes(id), sdk.NotFoundError, "a deleted file");
  }
}

export async function fileThatIsTooLargeIsRefused({ sdk, orgo, workspace }) {
  const file = new Uint8Array(10 * 1024 * 1024 + 1);
  const sending = orgo.files.upload({ workspace_id: workspace.id, file, name: "large" });
  const error = await rejects(sending, sdk.APIError, "an upload of more than 10 MB");
  equal(error.status, 413, "the status");
  equal(error.code, "file_too_large", "the code");
}
