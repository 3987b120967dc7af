// Makes a computer, looks at it, works it, and deletes it.
//
//   ORGO_API_KEY=sk_live_... node quickstart.mjs
//
// For a local desktop set ORGO_BASE_URL too; `orgo-desktop serve` prints both.
import { writeFile } from "node:fs/promises";
import { Orgo } from "orgo-sdk";

const orgo = new Orgo();

const workspace = await orgo.workspaces.create({ name: `quickstart-${Date.now()}` });
try {
  const computer = await orgo.computers.create({ workspace_id: workspace.id, name: "agent-1" });
  console.log(`${computer.id} is starting`);
  const { resolution } = await computer.waitUntilRunning();
  console.log(`It runs, with a screen of ${resolution}`);

  const { data, mime_type, width, height } = await computer.screenshot();
  const picture = mime_type === "image/jpeg" ? "screen.jpg" : "screen.png";
  await writeFile(picture, data);
  console.log(`${picture} has ${width}x${height} pixels`);

  const { output, exit_code } = await computer.bash("uname -sr && ls ~");
  console.log(`bash ended with ${exit_code}:\n${output}`);

  await computer.click({ x: Math.round(width / 2), y: Math.round(height / 2) });
  await computer.type("Hello, computer!");
  await computer.key("Escape");
} finally {
  await orgo.workspaces.delete(workspace.id);
  console.log("The workspace and its computer are deleted");
}
