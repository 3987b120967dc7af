import { equal, ok, rejects } from "./check.mjs";

const NAME = "räport 1.txt";

const text = (bytes) => new TextDecoder().decode(bytes);

export async function storesFiles({ sdk, orgo, workspace, computer }) {
  const content = new TextEncoder().encode("Grüße 🙂\n".repeat(10_000));
  const sent = await computer.files.upload(content, { name: NAME });
  equal(sent.filename, NAME, "its name");
  equal(sent.size_bytes, content.length, "its size");
  equal((await computer.bash(`wc -c < ~/Desktop/'${NAME}'`)).output.trim(), String(content.length), "its size on the desktop");
  equal(text(await orgo.files.bytes(sent.id)), text(content), "its content");
  ok(
    (await computer.files.list()).some(({ id }) => id === sent.id),
    "the computer does not list the file",
  );

  for (const name of ['say "hi".txt', "a\nb\r.txt", "a\\b.txt", "100%25 é.txt", "; filename=x"]) {
    const { id, filename } = await computer.files.upload(new Uint8Array(1), { name });
    equal(filename, name, "a name with characters that forms escape");
    await orgo.files.delete(id);
  }
  const refused = await rejects(
    computer.files.upload(new Uint8Array(1), { name: "a%22b" }),
    sdk.OrgoError,
    "a name that a form cannot represent",
  );
  ok(refused.message.includes("`file`"), `the error does not contain the field: ${refused.message}`);
  await computer.bash("chmod 0 ~/Desktop");
  const pending = await computer.files.upload(new Uint8Array(1), { name: "pending" });
  equal(pending.delivered, false, "an upload to an inaccessible folder was delivered");
  ok(pending.delivery_error?.includes("~/Desktop"), `the reason: ${pending.delivery_error}`);
  await computer.bash("chmod 700 ~/Desktop");
  await orgo.files.delete(pending.id);
  await computer.bash("touch ~/locked; chmod 0 ~/locked");
  const locked = await rejects(computer.files.export("locked"), sdk.PermissionDeniedError, "a file that cannot be read");
  equal(locked.delivered, "no", "whether the export was executed");

  const shared = await orgo.files.upload({ workspace_id: workspace.id, file: content.subarray(0, 3), name: "three" });
  ok(
    (await orgo.files.list({ workspace_id: workspace.id })).some(({ id }) => id === shared.id),
    "the workspace does not list the file",
  );
  ok(
    (await computer.files.list()).every(({ id }) => id !== shared.id),
    "the computer lists a file of its workspace",
  );

  await computer.bash("printf 'a\\0b' > ~/created.bin");
  const exported = await computer.files.export("created.bin");
  equal(exported.file.source, "export", "its source");
  equal([...(await orgo.files.bytes(exported.file.id))].join(), "97,0,98", "its bytes");
  const outside = await rejects(computer.files.export("/etc/passwd"), sdk.PermissionDeniedError, "a file outside the home");
  equal(outside.status, 403, "the status");
  await rejects(computer.files.export("missing"), sdk.NotFoundError, "a missing file");

  for (const { id } of [sent, shared, exported.file]) {
    await orgo.files.delete(id);
    await rejects(orgo.files.bytes(id), sdk.NotFoundError, "a deleted file");
  }
}

export async function streamsFiles({ orgo, workspace }) {
  const piece = new Uint8Array(700_001).map((_, index) => (index * 7) % 251);
  const count = 5;
  // In Node, the request has no `content-length`.
  const stream = () => {
    let left = count;
    return new ReadableStream({
      pull(controller) {
        if (left > 0) controller.enqueue(piece);
        else controller.close();
        left -= 1;
      },
    });
  };
  const content = await new Response(stream()).arrayBuffer();
  const sources = { stream: stream(), blob: new Blob([content]), bytes: new Uint8Array(content) };
  for (const [name, file] of Object.entries(sources)) {
    const stored = await orgo.files.upload({ workspace_id: workspace.id, file, name });
    equal(stored.size_bytes, count * piece.length, `the size of the uploaded ${name}`);
    const download = await orgo.files.stream(stored.id);
    equal(download.size, stored.size_bytes, `the size of the downloaded ${name}`);
    const received = new Uint8Array(await new Response(download).arrayBuffer());
    ok(
      received.length === content.byteLength && received.every((byte, index) => byte === piece[index % piece.length]),
      `the content of the ${name} is different`,
    );
    await orgo.files.delete(stored.id);
  }
  const tooLarge = async function* () {
    for (let sent = 0; sent < 11; sent += 1) yield new Uint8Array(1 << 20);
  };
  const error = await rejects(
    orgo.files.upload({ workspace_id: workspace.id, file: tooLarge(), name: "large" }),
    Error,
    "a stream of more than 10 MB",
  );
  equal(error.status, 413, "the status");
}

export async function refusesLargeFile({ sdk, orgo, workspace }) {
  const file = new Uint8Array(10 * 1024 * 1024 + 1);
  const upload = orgo.files.upload({ workspace_id: workspace.id, file, name: "large" });
  const error = await rejects(upload, sdk.APIError, "an upload of more than 10 MB");
  equal(error.status, 413, "the status");
  equal(error.code, "file_too_large", "the code");
}
