// Tells whether Node's `fetch` has begun to send a request. `fetch` itself does not report whether a request that was aborted at its
// limit waited for its connection all the time.

import { type ChannelListener, subscribe } from "node:diagnostics_channel";

/** The part of Node's socket that is used here. */
interface Socket {
  ref(): void;
  unref(): void;
  once(event: "close", listener: () => void): void;
}

/** A message of undici's diagnostics channels, which both its HTTP/1 and its HTTP/2 client publish. */
interface Message {
  request: { method: string; origin: string | URL; path: string };
  socket: Socket;
}

/** Equal requests that are in progress. They cannot be distinguished. */
interface Entry {
  count: number;
  /** Whether undici has received the request. Other implementations of `fetch` publish no messages. */
  created: boolean;
  sent: boolean;
}

const entries = new Map<string, Entry>();

/** The connections to proxies, by the host and the port to which each proxy was asked to connect. */
const tunnels = new Map<string, Socket>();

const key = (method: string, { origin, pathname, search }: URL) => `${method} ${origin}${pathname}${search}`;
const find = ({ request: { method, origin, path } }: Message) => entries.get(`${method} ${origin}${path}`);

function handleCreated(message: Message): void {
  const entry = find(message);
  if (entry !== undefined) entry.created = true;
}

function handleSent(message: Message): void {
  const entry = find(message);
  if (entry !== undefined) entry.sent = true;
  const { request, socket } = message;
  if (request.method !== "CONNECT") return;
  tunnels.set(request.path, socket);
  socket.once("close", () => {
    if (tunnels.get(request.path) === socket) tunnels.delete(request.path);
  });
}

let subscribed = false;

/**
 * Watches a request, which the caller sends right after this call. The result ends the watch, and returns whether certainly no byte
 * of the request was sent.
 */
export function watchSending(method: string, url: string): () => boolean {
  if (!subscribed) {
    subscribe("undici:request:create", handleCreated as ChannelListener);
    subscribe("undici:client:sendHeaders", handleSent as ChannelListener);
    subscribed = true;
  }
  const target = new URL(url);
  const name = key(method, target);
  const entry = entries.get(name) ?? { count: 0, created: false, sent: false };
  entries.set(name, entry);
  entry.count += 1;
  const tunnel = () => tunnels.get(`${target.hostname}:${target.port || (target.protocol === "https:" ? 443 : 80)}`);
  tunnel()?.ref();
  return () => {
    entry.count -= 1;
    if (entry.count === 0) entries.delete(name);
    const unsent = entry.created && !entry.sent;
    // Undici waits up to 5 minutes for the response of a proxy, even if no request waits for it. This must not keep the process
    // alive.
    if (unsent && entry.count === 0) tunnel()?.unref();
    return unsent;
  };
}
