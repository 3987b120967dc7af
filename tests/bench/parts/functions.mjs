// Reads the names and the sizes of the functions of a WebAssembly module with a section `name`.

/** The ids of sections (WebAssembly specification, section 5.5.2), and of the subsection with the names of functions. */
const CUSTOM = 0;
const IMPORT = 2;
const CODE = 10;
const DATA = 11;
const FUNCTION_NAMES = 1;
/** The kinds of imports (section 5.5.5). */
const KINDS = ["function", "table", "memory", "global", "tag"];

class Reader {
  #bytes;
  at;

  constructor(bytes, at) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.#bytes[this.at++];
  }

  /** Reads an unsigned number in the format LEB128. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  text() {
    const length = this.number();
    this.at += length;
    return this.#bytes.toString("utf8", this.at - length, this.at);
  }

  limits() {
    const hasMaximum = this.byte() & 1;
    this.number();
    if (hasMaximum) this.number();
  }

  /** Calls `read` for each item of a list. */
  list(read) {
    const count = this.number();
    return Array.from({ length: count }, (_, index) => read(index));
  }
}

/**
 * @param {Buffer} bytes the module
 * @returns {{ items: { name: string, size: number }[], data: number }} the functions, and the size of the data, in bytes
 */
export function functions(bytes) {
  const reader = new Reader(bytes, 8);
  const names = new Map();
  let sizes = [];
  let imported = 0;
  let data = 0;
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    if (id === IMPORT) imported = reader.list(() => importedKind(reader)).filter((kind) => kind === "function").length;
    if (id === CODE) {
      sizes = reader.list(() => {
        const length = reader.number();
        reader.at += length;
        return length;
      });
    }
    if (id === DATA) data = size;
    if (id === CUSTOM && reader.text() === "name") readNames(reader, end, names);
    reader.at = end;
  }
  return { items: sizes.map((size, index) => ({ name: names.get(index + imported) ?? "unnamed", size })), data };
}

function importedKind(reader) {
  reader.text();
  reader.text();
  const kind = KINDS[reader.byte()];
  if (kind === "function") reader.number();
  if (kind === "table") reader.byte();
  if (kind === "table" || kind === "memory") reader.limits();
  if (kind === "global") reader.at += 2;
  if (kind === "tag") {
    reader.byte();
    reader.number();
  }
  return kind;
}

function readNames(reader, end, names) {
  while (reader.at < end) {
    const id = reader.byte();
    const size = reader.number();
    const next = reader.at + size;
    if (id === FUNCTION_NAMES) {
      reader.list(() => {
        const index = reader.number();
        names.set(index, reader.text());
      });
    }
    reader.at = next;
  }
}
