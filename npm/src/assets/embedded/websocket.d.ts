import type { WebSocketClass } from "../embedded.js";

declare const client: WebSocketClass;
export default client;
