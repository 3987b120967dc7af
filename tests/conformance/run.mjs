// Compares a server with the documented protocol: ORGO_BASE_URL=… ORGO_API_KEY=… node tests/conformance/run.mjs
// The checks create workspaces and computers, and delete them. tests/README.md lists more variables.
import { differences } from "./conform.mjs";

const { env } = process;
if (!env.ORGO_BASE_URL || !env.ORGO_API_KEY) {
  console.error("set ORGO_BASE_URL (for example http://127.0.0.1:8800/api) and ORGO_API_KEY");
  process.exit(2);
}
const base = new URL(env.ORGO_BASE_URL.replace(/\/$/, ""));
const sockets = base.protocol.replace("http", "ws");
const isLocal = /^(127\.|localhost$|\[::1\]$)/.test(base.hostname);
const { passed, rows } = await differences({
  baseUrl: base.href,
  apiKey: env.ORGO_API_KEY,
  realtimeUrl: env.ORGO_REALTIME_URL ?? `${sockets}//${base.host}/desktops/{instance_id}/ws/{channel}`,
  olderRealtimeUrl:
    env.ORGO_OLDER_REALTIME_URL ??
    (isLocal ? `${sockets}//{instance_id}.localhost:${base.port}/{channel}` : "wss://{instance_id}.orgo.dev/{channel}"),
  connection: env.ORGO_STREAM_CONNECTION,
  deadConnection: env.ORGO_DEAD_STREAM_CONNECTION,
});
if (rows.length > 0) console.table(rows);
console.log(`${passed} of ${passed + rows.length} checks passed`);
process.exitCode = rows.length > 0 ? 1 : 0;
