// The server of one transcript: it holds every connection attempt and every request for a password until the transcript
// says how to respond.
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Mailbox } from "./mailbox.mjs";

const CORS = { "access-control-allow-origin": "*", "access-control-allow-headers": "*, authorization" };
/** The codes of an end without a close frame, and of a close frame without a code. */
const [LOST, NO_CODE] = [1006, 1005];

export class Stage {
  /** What the client does, in order: `{dial}`, `{send, text}`, `{hangup}`, `"authorize"`. */
  outputs = new Mailbox();
  #http = createServer((request, response) => this.#ask(request, response));
  #sockets = new WebSocketServer({ noServer: true });
  #dial;
  #socket;
  #questions = [];

  static async start() {
    const stage = new Stage();
    stage.#http.on("upgrade", (request, connection, head) => {
      connection.on("error", () => {});
      stage.#dial = { request, connection, head };
      stage.outputs.put({ dial: request.url });
    });
    stage.#http.listen(0, "127.0.0.1");
    await once(stage.#http, "listening");
    return stage;
  }

  get port() {
    return this.#http.address().port;
  }

  /** Accepts the connection attempt that is held. */
  open() {
    const { request, connection, head } = this.#dial;
    this.#sockets.handleUpgrade(request, connection, head, (socket) => {
      this.#socket = socket;
      socket.on("error", () => {});
      socket.on("message", (data) => {
        const text = data.toString();
        this.outputs.put({ send: JSON.parse(text), text });
      });
      socket.on("close", (code) => {
        if (this.#socket === socket) this.outputs.put({ hangup: code });
      });
    });
  }

  /** Refuses the connection attempt that is held, with a status or by a reset. */
  refuse(status) {
    const { connection } = this.#dial;
    if (status === undefined) connection.destroy();
    else connection.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }

  send(message) {
    this.#socket.send(message);
  }

  close(code, reason) {
    const socket = this.#socket;
    // The client did not cause this end.
    this.#socket = undefined;
    if (code === LOST) socket.terminate();
    else if (code === NO_CODE) socket.close();
    else socket.close(code, reason);
  }

  /** Responds to the requests that are held, and to those that follow. */
  answer(credentials) {
    this.credentials = credentials;
    for (const { request, response } of this.#questions.splice(0)) this.#reply(request, response);
  }

  stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    // The server does not know the connection of an attempt that is held.
    this.#dial?.connection.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  /** A call of the API: the channel wants to know the computer's address or password. */
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
    // If the first request is for the computer, the next one is for its password.
    const last = url.endsWith("/vnc-password");
    if (last) this.credentials = undefined;
    const body = error ? { error: error.message } : last ? { password } : { ...address, id: address.computer_id };
    response.writeHead(error?.status ?? 200, { ...CORS, "content-type": "application/json" }).end(JSON.stringify(body));
  }
}
