// Searches the output of the desktop server and the dashboard server for secrets, and the responses of the dashboard,
// which must not contain the API key.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { buildDashboard } from "../../examples/dashboard/build.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until, within } from "../support/wait.mjs";
import { startEchoServer } from "./echo-server.mjs";
import { escaped, findSecrets, SECRETS } from "./forms.mjs";

const LIMIT = { timeout: 120_000 };
/** The header that the dashboard's page sends with each call. */
const DASHBOARD_HEADER = { "x-orgo-dashboard": "1" };
const SERVER = new URL("../../examples/dashboard/server.mjs", import.meta.url).pathname;

/**
 * Returns the secrets in a text, except the secret `header`. The dashboard does not send this header to the service, so this
 * secret comes from the test.
 */
const findKnown = (text) => findSecrets(text).filter((what) => !what.startsWith("header"));

describe("the output of the desktop server", () => {
  const wrong = { key: "sk_live_wr0ng-k3y", password: "wr0ng p@ssw/ord", signature: "0123456789abcdef".repeat(4) };
  let desktop;
  before(async () => {
    process.env.RUST_LOG = "orgo_desktop=debug";
    desktop = await startDesktop({ connections: { dead: "rtmp://127.0.0.1:9/live/str3am-k3y" } });
  });
  after(() => desktop?.stop());

  test("it contains neither valid nor invalid secrets", LIMIT, async () => {
    const sdk = await import("orgo-sdk");
    const { options } = desktop;
    const { orgo, computer, workspace } = await createComputer(sdk, options);
    const refused = (promise) => assert.rejects(promise, sdk.OrgoError);
    await refused(new sdk.Orgo({ ...options, apiKey: wrong.key }).workspaces.list());
    await refused(orgo.computers.get(wrong.key));
    const connection = (await computer.connection()).toJSON();
    await (await sdk.Orgo.connect(connection).terminal()).close();
    await refused(sdk.Orgo.connect({ ...connection, password: wrong.password }).terminal());
    await refused(computer.stream.start("dead").then(() => computer.stream.start("none")));
    const file = await orgo.files.upload({ workspace_id: workspace.id, name: "f", file: new Uint8Array(3) });
    const { url } = await orgo.files.download(file.id);
    assert.equal((await fetch(url)).status, 200);
    const signature = new URL(url).searchParams.get("signature");
    assert.notEqual((await fetch(url.replace(signature, wrong.signature))).status, 200);
    await computer.delete();
    await desktop.stop();
    assert.ok(desktop.log.length > 0);
    const secrets = [options.apiKey, connection.password, signature, "str3am-k3y", ...Object.values(wrong)];
    for (const secret of secrets) {
      for (const form of escaped(secret)) assert.ok(!desktop.log.includes(form), `${form} is in\n${desktop.log}`);
    }
    desktop = undefined;
  });
});

describe("the output and the responses of the dashboard server", () => {
  let server, child;
  let written = "";
  before(async () => {
    server = await startEchoServer();
    await buildDashboard();
  });
  after(() => {
    child?.kill("SIGKILL");
    return server?.close();
  });

  for (const mode of ["computer", "403", "misfit"]) {
    test(`with the service in the mode ${mode}, they contain no secrets`, LIMIT, async () => {
      written = "";
      const env = { ...process.env, PORT: "0", ORGO_API_KEY: SECRETS.apiKey, ORGO_BASE_URL: `${server.url}/${mode}/api` };
      child = spawn(process.execPath, [SERVER], { stdio: ["ignore", "pipe", "pipe"], env });
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (written += text));
      const address = await until("the dashboard", () => /^Dashboard: (\S+)$/m.exec(written)?.[1], 30_000);
      const { origin: url, searchParams } = new URL(address);
      const [cookie] = (await fetch(address, { redirect: "manual" })).headers.getSetCookie()[0].split(";");
      const ownHeaders = { ...DASHBOARD_HEADER, cookie };
      let responses = "";
      const paths = [
        "service",
        "computers",
        "computers/c/screenshot",
        `computers/${encodeURIComponent(SECRETS.password)}/screenshot`,
      ];
      for (const path of paths) {
        const response = await fetch(`${url}/api/${path}`, { headers: ownHeaders });
        responses += `${JSON.stringify([...response.headers])} ${await response.text()}`;
      }
      const headers = { ...ownHeaders, "content-type": "application/json" };
      for (const action of ["click", "stop", "nothing"]) {
        const init = { method: "POST", headers, body: '{"x":1,"y":1}' };
        responses += await (await fetch(`${url}/api/computers/c/${action}`, init)).text();
      }
      const connection = await (await fetch(`${url}/api/computers/c/connection`, { headers: ownHeaders })).text();
      // A connection contains the password by design, but never the API key.
      const found = [...findKnown(responses), ...findKnown(connection).filter((what) => what.startsWith("apiKey"))];
      child.kill("SIGTERM");
      await within("the dashboard to end", once(child, "close"));
      assert.deepEqual(found, [], responses);
      assert.deepEqual(findKnown(written), [], written);
      // The dashboard's own secrets: only the printed URL may contain the access key, and no output may contain the cookie.
      const output = written.replace(`Dashboard: ${address}\n`, "");
      for (const secret of [searchParams.get("key"), cookie.split("=")[1]]) {
        assert.ok(!(output + responses + connection).includes(secret), "a secret of the dashboard was printed");
      }
      if (mode === "computer") assert.ok(connection.includes(JSON.stringify(SECRETS.password)), connection);
    });
  }
});
