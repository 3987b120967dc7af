// Creates a computer, takes a screenshot, runs a command, sends input, and deletes the computer.
//
//   ORGO_API_KEY=sk_live_... node quickstart.mjs
//
// For a local desktop, also set ORGO_BASE_URL. `orgo-desktop serve` prints both variables.
import { writeFile } from "node:fs/promises";
import { Orgo } from "orgo-sdk";

const orgo = new Orgo();

const workspace = await orgo.workspaces.create({ name: `quickstart-${Date.now()}` });
try {
  const computer = await orgo.computers.create({ workspace_id: workspace.id, name: "agent-1" });
  console.log(`${computer.id} is starting`);
  const { resolution } = await computer.waitUntilRunning();
  console.log(`It is running with a screen of ${resolution}`);

  const { data, mime_type, width, height } = await computer.screenshot();
  const file = mime_type === "image/jpeg" ? "screen.jpg" : "screen.png";
  await writeFile(file, data);
  console.log(`Saved a screenshot of ${width}x${height} pixels to ${file}`);

  const { output, exit_code } = await computer.bash("uname -sr && ls ~");
  console.log(`bash exited with code ${exit_code}:\n${output}`);

  await computer.click({ x: Math.round(width / 2), y: Math.round(height / 2) });
  await computer.type("Hello, computer!");
  await computer.key("Escape");
} finally {
  await orgo.workspaces.delete(workspace.id);
  console.log("Deleted the workspace and its computer");
}
