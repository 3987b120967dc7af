// Tests access control: only a browser that opened the printed URL can use the dashboard.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Orgo } from "orgo-sdk";
import { openBrowser } from "../../scripts/lib/browser.mjs";
import { hasProgram } from "../../scripts/lib/packages.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDashboard } from "../support/dashboard.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
const run = promisify(execFile);
/** The recorded console output, page errors and request headers, without cookies. */
let seen = "";
let browser, context, dashboard, desktop, folder, page;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "key-"));
  desktop = await startDesktop();
  dashboard = await startDashboard(desktop.options);
  browser = await startChromium();
  context = await browser.newContext();
  page = await open(context);
});

after(async () => {
  await browser?.close();
  await dashboard?.close();
  await desktop?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function open(profile) {
  const opened = await profile.newPage();
  opened.setDefaultTimeout(15_000);
  opened.on("console", (message) => (seen += message.text()));
  opened.on("pageerror", (error) => (seen += error.stack));
  opened.on("request", (request) => (seen += JSON.stringify({ ...request.headers(), cookie: undefined })));
  return opened;
}

/** Waits until the page shows data from the API. */
async function works(opened) {
  await opened.locator("#service", { hasText: "Local desktop" }).waitFor();
  await opened.locator("#computers-list li").first().waitFor();
}

async function isRejected(opened) {
  await opened.getByRole("heading", { name: "Access key required" }).waitFor();
  await opened.getByText("npm start").waitFor();
}

describe("the access key of the dashboard", () => {
  test("the printed URL opens the dashboard, and the page does not contain the key", LIMIT, async () => {
    const response = await page.goto(dashboard.url);
    assert.equal(response.status(), 200);
    assert.equal(page.url(), `${dashboard.origin}/`);
    await works(page);
    const visible = await page.evaluate(() =>
      JSON.stringify([
        document.cookie,
        document.referrer,
        location.href,
        document.documentElement.outerHTML,
        { ...localStorage },
        { ...sessionStorage },
        performance.getEntries().map(({ name }) => name),
      ]),
    );
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
    for (const secret of [dashboard.key, cookie.value]) assert.ok(!visible.includes(secret));
    assert.equal(await page.evaluate("document.cookie"), "");
  });

  test("reloads and other tabs work", LIMIT, async () => {
    await page.reload();
    await works(page);
    const typed = await open(context);
    await typed.goto(dashboard.origin);
    await works(typed);
    const [popup] = await Promise.all([context.waitForEvent("page"), page.evaluate("void open('/')")]);
    await works(popup);
    await typed.close();
    await popup.close();
  });

  test("a browser without the key gets a page with instructions", LIMIT, async () => {
    const profile = await browser.newContext();
    const other = await open(profile);
    for (const path of ["/", "/index.html", "/?key=wrong"]) {
      const response = await other.goto(`${dashboard.origin}${path}`);
      assert.equal(response.status(), 403, path);
      await isRejected(other);
    }
    await profile.close();
  });

  test("a link on another site opens the dashboard, and the tab's history does not contain the key", LIMIT, async () => {
    const site = createServer((_, response) => {
      response.setHeader("content-type", "text/html").end(`<a href="${dashboard.url}">The dashboard</a>`);
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    const profile = await browser.newContext();
    const other = await open(profile);
    // For a browser, `localhost` is another site. Another port of 127.0.0.1 is not.
    await other.goto(`http://localhost:${site.address().port}/`);
    await other.getByText("The dashboard").click();
    await works(other);
    assert.equal(other.url(), `${dashboard.origin}/`);
    await other.goBack();
    assert.equal(new URL(other.url()).hostname, "localhost");
    await profile.close();
    site.close();
  });

  const skipOpener = process.platform !== "linux" ? "the test's opener is xdg-open" : false;
  test("npm start opens a browser without exposing the key to other accounts", { ...LIMIT, skip: skipOpener }, async () => {
    const record = join(folder, "arguments");
    await writeFile(join(folder, "xdg-open"), `#!/bin/sh\nprintf %s "$*" > ${record}.part && mv ${record}.part ${record}\n`);
    await chmod(join(folder, "xdg-open"), 0o755);
    const { PATH } = process.env;
    process.env.PATH = `${folder}${delimiter}${PATH}`;
    let cleanUp;
    try {
      cleanUp = openBrowser(dashboard.url);
      const file = await until("the opener to run", () => readFile(record, "utf8").catch(() => undefined));
      assert.ok(!file.includes(dashboard.key), file);
      assert.equal((await stat(file)).mode & 0o077, 0, "other accounts must not be able to read the file");
      const profile = await browser.newContext();
      const other = await open(profile);
      await other.goto(`file://${file}`);
      await other.waitForURL(`${dashboard.origin}/`);
      await works(other);
      await profile.close();
      cleanUp();
      await assert.rejects(stat(file));
    } finally {
      process.env.PATH = PATH;
      cleanUp?.();
    }
  });

  const skipAccount =
    process.getuid?.() !== 0 ? "only root can become another account" : !hasProgram("curl") && "curl is not installed";
  test("another account cannot get the password of a computer", { ...LIMIT, skip: skipAccount }, async () => {
    const orgo = new Orgo(desktop.options);
    const id = await until("a computer", async () => (await orgo.workspaces.list())[0]?.desktops?.[0]?.id);
    await orgo.computer(id).waitUntilRunning();
    const { password } = await orgo.computers.vncPassword(id);
    const account = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const connection = async (...args) => {
      const url = `${dashboard.origin}/api/computers/${id}/connection`;
      const own = ["--header", "x-orgo-dashboard: 1"];
      return (await run("setpriv", [...account, "curl", "--silent", "--include", ...own, ...args, url])).stdout;
    };
    const rejected = await connection();
    assert.match(rejected, /^HTTP\/1\.1 403 /);
    assert.ok(!rejected.includes(password));
    const [{ name, value }] = await context.cookies();
    const accepted = await connection("--header", `cookie: ${name}=${value}`);
    assert.ok(accepted.includes(password), "with the cookie, the response has the password");
  });

  test("one browser can use two dashboards at the same time", LIMIT, async () => {
    const second = await startDashboard(desktop.options);
    const other = await open(context);
    await other.goto(second.url);
    await works(other);
    await page.reload();
    await works(page);
    await other.close();
    await second.close();
  });

  test("after a restart, the page asks for the new URL", LIMIT, async () => {
    const earlier = dashboard;
    await dashboard.close();
    await page.getByText("dashboard's server does not respond").first().waitFor();
    dashboard = await startDashboard(desktop.options, { port: Number(new URL(earlier.origin).port) });
    assert.equal(dashboard.origin, earlier.origin);
    assert.notEqual(dashboard.key, earlier.key);
    const notice = page.locator("#notices", { hasText: "The dashboard was restarted" });
    await notice.getByText("Open the new URL").first().waitFor();
    for (const address of [`${dashboard.origin}/`, earlier.url]) {
      assert.equal((await page.goto(address)).status(), 403);
      await isRejected(page);
    }
    await page.goto(dashboard.url);
    await works(page);
    assert.equal(page.url(), `${dashboard.origin}/`);
    assert.ok(!seen.includes(earlier.key) && !seen.includes(dashboard.key), "the console output or a header contains a key");
  });
});
