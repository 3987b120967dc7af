import assert from "node:assert/strict";
import { until } from "../../support/wait.mjs";
import { hasFields, ok, refused, succeeded, TIME } from "../expect.mjs";

const start = (wire, { id }, name) => wire.call("POST", `/computers/${id}/stream/start`, { connection_name: name });
const status = async (wire, { id }) => ok(await wire.call("GET", `/computers/${id}/stream/status`));
const stop = (wire, { id }) => wire.call("POST", `/computers/${id}/stream/stop`);

/** The checks of streams. Some need RTMP connections of the account, whose names the owner of the account provides. */
export const streams = [
  {
    name: "the status without a stream is idle",
    source: "SEED, G1",
    run: async (wire, { computer }) => assert.equal((await status(wire, computer)).status, "idle"),
  },
  {
    name: "a stream without a connection, or to an unknown one, is refused",
    source: "SEED, G3",
    async run(wire, { computer }) {
      refused(await wire.call("POST", `/computers/${computer.id}/stream/start`, {}), 400);
      refused(await start(wire, computer, "an unknown connection"));
    },
  },
  {
    name: "the status of a stream to an unreachable target becomes terminated",
    source: "G1",
    needs: "deadConnection",
    async run(wire, { computer, deadConnection }) {
      await start(wire, computer, deadConnection);
      const ended = await until("the stream to end", async () => {
        const body = await status(wire, computer);
        return body.status === "terminated" && body;
      });
      hasFields(ended, { message: "string" });
      await stop(wire, computer);
    },
  },
  {
    name: "a stream starts, reports its status and stops",
    source: "SEED, G1, G3",
    needs: "connection",
    async run(wire, { computer, connection }) {
      const body = succeeded(await start(wire, computer, connection));
      hasFields(body, { status: /^streaming$/, pid: "number", start_time: TIME });
      const current = await status(wire, computer);
      assert.deepEqual([current.status, current.pid, current.start_time], ["streaming", body.pid, body.start_time]);
      succeeded(await stop(wire, computer));
      await until("the stream to end", async () => (await status(wire, computer)).status === "idle");
    },
  },
  {
    name: "a stop without a stream returns success and error",
    source: "G1",
    async run(wire, { computer }) {
      hasFields((await stop(wire, computer)).body, { success: "boolean", error: "string" });
    },
  },
];
