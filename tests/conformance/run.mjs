// Holds a server to the documented protocol: ORGO_BASE_URL=… ORGO_API_KEY=… node tests/conformance/run.mjs
// It makes a workspace with a computer in it, and removes both. The addresses of the channels are taken from
// ORGO_REALTIME_URL, with {instance_id} and {channel} in it; without it from what docs/protocol.md says of the base.
import { count, differences } from "./conform.mjs";

const { ORGO_BASE_URL: baseUrl, ORGO_API_KEY: apiKey, ORGO_REALTIME_URL: given } = process.env;
if (!baseUrl || !apiKey) {
  console.error("ORGO_BASE_URL and ORGO_API_KEY say which server is meant, such as http://127.0.0.1:8800/api");
  process.exit(2);
}
const realtimeUrl = given ?? `${new URL("/", baseUrl).href.replace(/^http/, "ws")}desktops/{instance_id}/ws/{channel}`;
const rows = await differences({ baseUrl: baseUrl.replace(/\/$/, ""), apiKey, realtimeUrl });
if (rows.length > 0) console.table(rows);
console.log(`${count - rows.length} of ${count} checks are met`);
process.exitCode = rows.length > 0 ? 1 : 0;
