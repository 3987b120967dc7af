// The server of one transcript. It delays the response to each connection and to each request for credentials until the
// step of the transcript that contains the response.
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Mailbox } from "./mailbox.mjs";

const CORS = { "access-control-allow-origin": "*", "access-control-allow-headers": "*, authorization" };
/** The close codes that mean: closed without a close frame, and closed by a close frame without a code. */
const [LOST, NO_CODE] = [1006, 1005];

export class Stage {
  /** The actions of the client, in order: `{connect}`, `{send, text}`, `{close}`, `"authorize"`. */
  outputs = new Mailbox();
  #http = createServer((request, response) => this.#ask(request, response));
  #sockets = new WebSocketServer({ noServer: true });
  #upgrade;
  #socket;
  #questions = [];

  static async start() {
    const stage = new Stage();
    stage.#http.on("upgrade", (request, connection, head) => {
      connection.on("error", () => {});
      stage.#upgrade = { request, connection, head };
      stage.outputs.put({ connect: request.url });
    });
    stage.#http.listen(0, "127.0.0.1");
    await once(stage.#http, "listening");
    return stage;
  }

  get port() {
    return this.#http.address().port;
  }

  /** Accepts the delayed connection. */
  open() {
    const { request, connection, head } = this.#upgrade;
    this.#sockets.handleUpgrade(request, connection, head, (socket) => {
      this.#socket = socket;
      socket.on("error", () => {});
      socket.on("message", (data) => {
        const text = data.toString();
        this.outputs.put({ send: JSON.parse(text), text });
      });
      socket.on("close", (code) => {
        if (this.#socket === socket) this.outputs.put({ close: code });
      });
    });
  }

  /** Refuses the delayed connection: with an HTTP status or, without one, by closing the connection. */
  refuse(status) {
    const { connection } = this.#upgrade;
    if (status === undefined) connection.destroy();
    else connection.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }

  /** Responds to an additional ping. The socket may have closed since the ping. */
  pong() {
    this.#socket?.send('{"type":"pong"}');
  }

  send(message) {
    this.#socket.send(message);
  }

  close(code, reason) {
    const socket = this.#socket;
    // The server causes this close, so it must not be recorded as an action of the client.
    this.#socket = undefined;
    if (code === LOST) socket.terminate();
    else if (code === NO_CODE) socket.close();
    else socket.close(code, reason);
  }

  /** Responds to the delayed requests for credentials, and to the password request that follows. */
  provideCredentials(credentials) {
    this.credentials = credentials;
    for (const { request, response } of this.#questions.splice(0)) this.#reply(request, response);
  }

  stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    // The HTTP server does not close a connection that waits for its upgrade.
    this.#upgrade?.connection.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  /** Handles an API call in which the channel requests the address or the password of the computer. */
  #ask(request, response) {
    if (request.method === "OPTIONS") {
      response.writeHead(204, CORS).end();
    } else if (this.credentials && request.url.endsWith("/vnc-password")) {
      this.#reply(request, response);
    } else {
      this.#questions.push({ request, response });
      this.outputs.put("authorize");
    }
  }

  #reply({ url }, response) {
    const { error, address, password } = this.credentials;
    // The request for the password comes after the request for the computer, and is the last one.
    const last = url.endsWith("/vnc-password");
    if (last) this.credentials = undefined;
    const body = error ? { error: error.message } : last ? { password } : { ...address, id: address.computer_id };
    response.writeHead(error?.status ?? 200, { ...CORS, "content-type": "application/json" }).end(JSON.stringify(body));
  }
}
