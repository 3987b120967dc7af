import type { WebSocketClass } from "../embedded.js";

declare const client: (load: (name: string) => unknown) => WebSocketClass;
export default client;
