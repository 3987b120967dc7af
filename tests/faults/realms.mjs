// Passes objects of another realm (a `node:vm` context, an iframe) to the package.

/** The content of the file in every form. */
const TEXT = "abcd";

/**
 * Returns the forms of a file that a realm can create.
 *
 * @param {typeof globalThis} realm the global object of the other realm
 */
function files(realm) {
  const bytes = new realm.Uint8Array([...`-${TEXT}-`].map((character) => character.charCodeAt(0)));
  const exact = bytes.slice(1, 5).buffer;
  const shared = realm.SharedArrayBuffer && new realm.SharedArrayBuffer(4);
  if (shared) new realm.Uint8Array(shared).set(bytes.subarray(1, 5));
  return {
    "a Uint8Array that is a part of its buffer": bytes.subarray(1, 5),
    "an ArrayBuffer": exact,
    "a DataView": new realm.DataView(bytes.buffer, 1, 4),
    "a Uint16Array": new realm.Uint16Array(exact),
    ...(shared && { "a SharedArrayBuffer": shared, "a view of a SharedArrayBuffer": new realm.Uint8Array(shared) }),
    ...(realm.Blob && { "a Blob": new realm.Blob([exact]) }),
    ...(realm.File && { "a File": new realm.File([exact], "f") }),
    ...(realm.Buffer && { "a Buffer": realm.Buffer.from(TEXT) }),
  };
}

/** Uploads the forms of a file, and returns the content that the server received for each form. */
export async function uploadForeign(sdk, url, realm) {
  const orgo = new sdk.Orgo({ apiKey: "sk_fault", baseUrl: `${url}/mirror/api`, maxRetries: 0, dangerouslyAllowBrowser: true });
  const received = {};
  for (const [form, file] of Object.entries(files(realm))) {
    const stored = await orgo.files.upload({ workspace_id: "w", name: "f", file }).catch((error) => ({ id: String(error) }));
    received[form] = stored.id;
  }
  return received;
}

/** Uses errors and abort signals of another realm. Returns the resulting errors. */
export async function abortForeign(sdk, url, realm) {
  const orgo = new sdk.Orgo({ apiKey: "sk_fault", baseUrl: `${url}/hang/api`, maxRetries: 0, dangerouslyAllowBrowser: true });
  const controller = new (realm.AbortController ?? AbortController)();
  const reason = new realm.Error("enough");
  setTimeout(() => controller.abort(reason), 50);
  const aborted = await orgo.computers.get("c", { signal: controller.signal }).catch((error) => error);
  const connection = { version: 1, computer_id: "c", password: "p", connection_url: `${url}/close-4401` };
  const refresh = () => Promise.reject(new realm.Error("no session"));
  const refused = await sdk.Orgo.connect(connection, { refresh })
    .terminal({}, { maxRetries: 0 })
    .catch((error) => error);
  return { aborted: aborted.kind, keepsReason: aborted.reason === reason, refused: refused.message };
}

/** Passes values that are not files. Returns the names of the invalid parameters. */
export async function refuseOthers(sdk, url, realm) {
  const orgo = new sdk.Orgo({ apiKey: "sk_fault", baseUrl: `${url}/mirror/api`, maxRetries: 0, dangerouslyAllowBrowser: true });
  const values = [new realm.Array(3), new realm.Map(), "text", null, { byteLength: 3, [Symbol.toStringTag]: "ArrayBuffer" }];
  const errors = values.map((file) => orgo.files.upload({ workspace_id: "w", name: "f", file }).catch(({ field }) => field));
  return Promise.all(errors);
}
