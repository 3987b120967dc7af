// The events of a WebSocket.

/**
 * Passes the messages of a socket, and its other events, to functions. `null` detaches them.
 *
 * @param {WebSocket} socket
 * @param {((event: MessageEvent) => void) | null} onMessage
 * @param {((event: Event) => void) | null} onOther
 */
export function listen(socket, onMessage, onOther) {
  socket.binaryType = "arraybuffer";
  socket.onmessage = onMessage;
  socket.onopen = socket.onerror = socket.onclose = onOther;
}
