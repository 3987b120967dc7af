// Creates docs/dashboard.png, the screenshot in the README: `node tests/browser/readme-screenshot.mjs`
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDashboard } from "../support/dashboard-page.mjs";
import { decodePng, encodeSmallPng } from "../support/png.mjs";
import { until } from "../support/wait.mjs";

const FILE = fileURLToPath(new URL("../../docs/dashboard.png", import.meta.url));
/** The maximum size of the image in bytes, so that the README loads fast. */
const MAX_SIZE = 150_000;

const CODE = `import csv
from pathlib import Path

totals = {}
for row in csv.DictReader(Path("~/orders.csv").expanduser().open()):
    totals[row["country"]] = totals.get(row["country"], 0) + float(row["amount"])

for country, total in sorted(totals.items(), key=lambda item: -item[1]):
    print(f"{country:<12} {total:>10.2f}")
`;
const ORDERS = "country,amount\nNorway,1204.50\nJapan,980.00\nBrazil,441.25\nJapan,77.10\nKenya,310.00\n";

const { page, computer, close } = await openDashboard({ viewport: { width: 1840, height: 1120 }, reducedMotion: "reduce" });
try {
  await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
  await page.locator("#events-state", { hasText: "Connected" }).waitFor();
  await computer.bash(`cat > totals.py <<'CODE'\n${CODE}CODE\nprintf '${ORDERS}' > orders.csv`);
  await computer.bash("setsid mousepad totals.py > /dev/null 2>&1 & setsid pcmanfm /home/user > /dev/null 2>&1 &");
  await until("the windows", async () => (await page.locator("#events-list").innerText()).match(/window open/g)?.length >= 2);
  await page.locator("#files-input").setInputFiles([
    { name: "orders-2026.csv", mimeType: "text/csv", buffer: Buffer.from(ORDERS.repeat(400)) },
    { name: "briefing.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(84_000) },
  ]);
  await page.locator("#files-list").getByText("briefing.pdf").waitFor();
  await page.locator("#terminal-view").click();
  for (const line of ["uname -sm; python3 --version", "python3 totals.py"]) await page.keyboard.type(`${line}\n`);
  await page
    .locator(".xterm-rows > div")
    .filter({ hasText: /^Kenya/ })
    .waitFor();
  await page.locator("#screen-title").click();
  let image;
  await until("an image without further changes", async () => {
    const last = image;
    await new Promise((resolve) => setTimeout(resolve, 500));
    image = await page.locator("#screen-stage").screenshot();
    return last?.equals(image);
  });
  const png = encodeSmallPng(decodePng(await page.screenshot()));
  if (png.length > MAX_SIZE) throw new Error(`The screenshot has ${png.length} bytes, the maximum is ${MAX_SIZE}`);
  writeFileSync(FILE, png);
  console.log(`${FILE}: ${png.length} bytes`);
} finally {
  await close();
}
