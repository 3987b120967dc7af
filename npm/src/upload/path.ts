// Files on the disk, in Node.

import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { FilePath } from "./content.js";
import { PIECE, type SourceFile } from "./source.js";

/** Opens a file. */
export async function openPath(fs: typeof import("node:fs/promises"), path: FilePath["path"]): Promise<SourceFile> {
  // Otherwise the opening of a named pipe waits for a program that writes to it, and cannot be ended. Windows has no such flag.
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const handle = await fs.open(typeof path === "string" ? path : new URL(path.href), O_RDONLY | O_NONBLOCK);
  try {
    const opened = await handle.stat();
    if (!opened.isFile()) throw new Error("it is not a regular file; to send a pipe or a device, pass a stream");
    // The files of the kernel in /proc have the size 0 and a content.
    const isUnsized = opened.size === 0 && (await handle.read(new Uint8Array(1), 0, 1, 0)).bytesRead > 0;
    const size = isUnsized ? undefined : opened.size;
    return { size, repeatable: true, read: () => readFile(handle, opened, size), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function readFile(handle: FileHandle, opened: Stats, size = Infinity) {
  const buffer = new Uint8Array(Math.min(PIECE, size));
  let position = 0;
  return async (): Promise<Uint8Array | undefined> => {
    const length = Math.min(buffer.length, size - position);
    const { bytesRead } = length > 0 ? await handle.read(buffer, 0, length, position) : { bytesRead: 0 };
    position += bytesRead;
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    const now = await handle.stat();
    // The caller reports a missing end.
    if (position === size && (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs)) {
      throw new Error("it has changed while it was read");
    }
    return undefined;
  };
}
