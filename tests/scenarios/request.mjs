import { equal, rejects } from "./check.mjs";

export async function undeclaredRequestsAreSent({ sdk, orgo, computer }) {
  const path = `/computers/${computer.id}`;
  const found = await orgo.request({ method: "GET", path, query: { fields: ["id", "name"], limit: 5 } });
  equal(found.id, computer.id, "the JSON of a response");
  const body = { command: "printf 'a\\0é'" };
  equal((await orgo.request({ method: "POST", path: `${path}/bash`, body })).output, "a\0é", "what a body does");
  const error = await rejects(orgo.request({ method: "GET", path: "/no/such/path" }), sdk.NotFoundError, "an unknown path");
  equal(error.message.startsWith("request GET /no/such/path: 404"), true, error.message);
  await rejects(orgo.request({ method: "GET", path: "no/slash" }), sdk.InvalidParameterError, "a path without a slash");
}
