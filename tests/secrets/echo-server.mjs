// A service that echoes secrets in bodies, headers, redirects, close reasons and messages. The first part of a path is
// the mode.
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { freePort } from "../support/receiver.mjs";
import { escaped, SECRETS } from "./forms.mjs";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-allow-methods": "GET, POST, DELETE",
  "access-control-expose-headers": "*",
};
/** The secrets that a call sends, in the forms in which a server may echo them. */
const CALL_SECRETS = [...escaped(SECRETS.apiKey), ...escaped(SECRETS.header)].join("; ");
const PASSWORD_FORMS = escaped(SECRETS.password);
const SIGNED = `expires=1790000000&signature=${encodeURIComponent(SECRETS.signature)}`;

function respond(response, status, body, headers = {}) {
  const type = typeof body === "string" ? "text/html" : "application/json";
  response.writeHead(status, { ...CORS, "content-type": type, ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Returns a body that echoes the request in every field that the client may copy into an error. */
const echo = ({ method, url, headers }, body) => ({
  error: `${method} ${url} with ${CALL_SECRETS}`,
  message: `${headers.authorization} ${CALL_SECRETS}`,
  code: headers.authorization,
  request_id: headers.authorization ?? CALL_SECRETS,
  details: JSON.stringify({ headers, body, vnc_password: SECRETS.password }),
  request: { url, headers, body },
  desktop: { vnc_password: SECRETS.password, desktop_api_token: SECRETS.password },
});

/** The request handler of each mode. If the mode is a number, the server echoes the request with this status instead. */
const requests = {
  garbage: (response, request, body) => respond(response, 200, `<pre>${JSON.stringify(echo(request, body))}`),
  misfit: (response, request, body) =>
    respond(response, 200, { ...echo(request, body), id: 17, password: 4711, action: 17, success: "yes" }),
  redirect: (response, { url }) =>
    respond(response, 302, "", { location: `/404${url}?key=${encodeURIComponent(SECRETS.apiKey)}` }),
  loop: (response, { url }) => respond(response, 307, "", { location: `${url}?key=${encodeURIComponent(SECRETS.apiKey)}` }),
  link: (response, { headers }) => respond(response, 200, { url: `http://${headers.host}/403/file?${SIGNED}` }),
  brokenlink: (response) => respond(response, 200, { url: `http://1.2.3.999/file?${SIGNED}` }),
  deadlink: (response, _, __, deadUrl) => respond(response, 200, { url: `${deadUrl}/file?${SIGNED}` }),
  reset: (response) => response.socket.destroy(),
  hang: () => {},
  computer: (response, { url }) =>
    respond(response, 200, {
      id: "c",
      name: "c",
      status: url.includes("broken") ? "error" : "running",
      instance_id: "i",
      password: SECRETS.password,
      vnc_password: SECRETS.password,
      desktop_api_token: SECRETS.password,
      instance_details: { deep: { vnc_password_encrypted: SECRETS.password } },
      desktops: [{ id: "c", vnc_password: SECRETS.password }],
    }),
};

/** The socket handler of each mode. If the mode is a number, the server closes the socket with this code instead. */
const sockets = {
  errors(socket) {
    for (const message of PASSWORD_FORMS) socket.send(JSON.stringify({ type: "error", message }));
  },
  computer: () => {},
};

/**
 * @returns {Promise<{ url: string, deadUrl: string, targets: string[], close(): Promise<void> }>} the URL of the
 *   server, a URL without a server, and the request targets of all sockets so far
 */
export async function startEchoServer() {
  const deadUrl = `http://127.0.0.1:${await freePort()}`;
  const targets = [];
  const http = createServer(async (request, response) => {
    if (request.method === "OPTIONS") return respond(response, 204, "");
    let body = "";
    for await (const piece of request) body += piece;
    const [, mode] = request.url.split("/");
    const ids = { "x-request-id": encodeURI(request.headers.authorization ?? "") };
    if (Number(mode)) respond(response, Number(mode), echo(request, body), ids);
    else requests[mode](response, request, body, deadUrl);
  });
  // A long timeout, because the server must not close an idle connection at the moment when the client reuses it.
  http.keepAliveTimeout = 60_000;
  const upgrades = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, stream, head) => {
    targets.push(request.url);
    const [, mode] = request.url.split("/");
    const code = Number(mode);
    if (code < 1000) {
      const body = JSON.stringify(echo(request, ""));
      stream.end(`HTTP/1.1 ${code} ${PASSWORD_FORMS[1]}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    upgrades.handleUpgrade(request, stream, head, (socket) => {
      const reason = PASSWORD_FORMS[targets.length % PASSWORD_FORMS.length];
      if (code) return socket.close(code, reason);
      socket.on("message", () => socket.send('{"type":"pong"}'));
      sockets[mode](socket);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    deadUrl,
    targets,
    close: () =>
      new Promise((resolve) => {
        for (const socket of upgrades.clients) socket.terminate();
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}
