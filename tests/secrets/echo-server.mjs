// A service that echoes what it is asked: into bodies, headers, redirections, close reasons and messages. How it does is the
// first part of a path.
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
/** What a call knows, in the forms that a server may write it in. */
const KNOWN = [...escaped(SECRETS.apiKey), ...escaped(SECRETS.header)].join("; ");
const PASSWORD_FORMS = escaped(SECRETS.password);
const SIGNED = `expires=1790000000&signature=${encodeURIComponent(SECRETS.signature)}`;

function answer(response, status, body, headers = {}) {
  const type = typeof body === "string" ? "text/html" : "application/json";
  response.writeHead(status, { ...CORS, "content-type": type, ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Everything that came, in every place where an error has something. */
const echo = ({ method, url, headers }, body) => ({
  error: `${method} ${url} with ${KNOWN}`,
  message: `${headers.authorization} ${KNOWN}`,
  code: headers.authorization,
  request_id: headers.authorization ?? KNOWN,
  said: JSON.stringify({ headers, body, vnc_password: SECRETS.password }),
  request: { url, headers, body },
  desktop: { vnc_password: SECRETS.password, desktop_api_token: SECRETS.password },
});

/** What is done with a request, by the first part of its path; a number is the status of an echo. */
const requests = {
  garbage: (response, request, body) => answer(response, 200, `<pre>${JSON.stringify(echo(request, body))}`),
  misfit: (response, request, body) =>
    answer(response, 200, { ...echo(request, body), id: 17, password: 4711, action: 17, success: "yes" }),
  redirect: (response, { url }) =>
    answer(response, 302, "", { location: `/404${url}?key=${encodeURIComponent(SECRETS.apiKey)}` }),
  loop: (response, { url }) => answer(response, 307, "", { location: `${url}?key=${encodeURIComponent(SECRETS.apiKey)}` }),
  link: (response, { headers }) => answer(response, 200, { url: `http://${headers.host}/403/file?${SIGNED}` }),
  brokenlink: (response) => answer(response, 200, { url: `http://1.2.3.999/file?${SIGNED}` }),
  lostlink: (response, _, __, nowhere) => answer(response, 200, { url: `${nowhere}/file?${SIGNED}` }),
  reset: (response) => response.socket.destroy(),
  hang: () => {},
  computer: (response, { url }) =>
    answer(response, 200, {
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

/** What is done with a socket that was opened, by the first part of its path; a number is the code of a close. */
const sockets = {
  errors(socket) {
    for (const message of PASSWORD_FORMS) socket.send(JSON.stringify({ type: "error", message }));
  },
  computer: () => {},
};

/**
 * @returns {Promise<{ url: string, nowhere: string, targets: string[], close(): Promise<void> }>} its URL, one where nobody
 *   listens, and the targets of the sockets that it saw
 */
export async function startEchoServer() {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const targets = [];
  const http = createServer(async (request, response) => {
    if (request.method === "OPTIONS") return answer(response, 204, "");
    let body = "";
    for await (const piece of request) body += piece;
    const [, way] = request.url.split("/");
    const ids = { "x-request-id": encodeURI(request.headers.authorization ?? "") };
    if (Number(way)) answer(response, Number(way), echo(request, body), ids);
    else requests[way](response, request, body, nowhere);
  });
  // An idle connection that it closes just when it is used again would be one fault more.
  http.keepAliveTimeout = 60_000;
  const upgrades = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, stream, head) => {
    targets.push(request.url);
    const [, way] = request.url.split("/");
    const code = Number(way);
    if (code < 1000) {
      const body = JSON.stringify(echo(request, ""));
      stream.end(`HTTP/1.1 ${code} ${PASSWORD_FORMS[1]}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    upgrades.handleUpgrade(request, stream, head, (socket) => {
      const reason = PASSWORD_FORMS[targets.length % PASSWORD_FORMS.length];
      if (code) return socket.close(code, reason);
      socket.on("message", () => socket.send('{"type":"pong"}'));
      sockets[way](socket);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    nowhere,
    targets,
    close: () =>
      new Promise((resolve) => {
        for (const socket of upgrades.clients) socket.terminate();
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}
