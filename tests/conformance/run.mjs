// Holds a server to the documented protocol: ORGO_BASE_URL=… ORGO_API_KEY=… node tests/conformance/run.mjs
// It makes workspaces and computers, and removes them. More variables: tests/README.md
import { differences } from "./conform.mjs";

const { env } = process;
if (!env.ORGO_BASE_URL || !env.ORGO_API_KEY) {
  console.error("ORGO_BASE_URL and ORGO_API_KEY say which server is meant, such as http://127.0.0.1:8800/api");
  process.exit(2);
}
const base = new URL(env.ORGO_BASE_URL.replace(/\/$/, ""));
const sockets = base.protocol.replace("http", "ws");
const isLocal = /^(127\.|localhost$|\[::1\]$)/.test(base.hostname);
const { met, rows } = await differences({
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
console.log(`${met} of ${met + rows.length} checks are met`);
process.exitCode = rows.length > 0 ? 1 : 0;
