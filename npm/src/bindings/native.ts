import type {
  Binding,
  BindingChannel,
  BindingClient,
  BindingEvents,
  BindingTerminal,
  BindingUploadProgress,
  Log,
  Outcome,
} from "../binding.js";
import { BindingError } from "../errors.js";
import type { ErrorRecord, EventItem, InputRefusal, TerminalItem } from "../generated/channels.js";

/** The addon: everything but bytes passes as JSON text, which costs least at this border. */
export interface Addon {
  version(): string;
  Client: new (config: string, log?: Log) => RawClient;
  wavHeader(sampleRate: number, channels: number): Uint8Array;
  wavEncode(samples: Float32Array): Uint8Array;
  level(samples: Float32Array): Float32Array;
}

/** Its methods and those of the channels throw an `Error` whose message is an `ErrorRecord` as JSON. */
interface RawClient {
  call(operation: string, params: string, options: string, content?: RawContent): RawCall;
  terminal(target: string, options: string): RawTerminal;
  audio(target: string, options: string): RawChannel;
  events(target: string, options: string): RawEvents;
}

interface RawContent {
  name: string;
  contentType: string;
  data: Uint8Array;
  watched: boolean;
}

interface RawCall {
  outcome(): Promise<{ ok: boolean; json: string; bytes?: Uint8Array }>;
  nextUploadProgress(): Promise<BindingUploadProgress | null>;
  cancel(): void;
}

/** Items as JSON. Long contents lie beside it, one after the other; an item says how much of them is its own. */
interface Batch {
  json: string;
  text?: string;
  samples?: Float32Array;
}

interface RawChannel {
  next(): Promise<Batch | null>;
  nextState(): Promise<string | null>;
  nextPasswordRequest(): Promise<boolean>;
  answer(target: string | undefined, problem: string | undefined): void;
  state(): string;
  counters(): string;
  close(): void;
}

interface RawTerminal extends RawChannel {
  input(text: string): InputRefusal | null;
  refusal(): InputRefusal | null;
  nextProgress(): Promise<boolean>;
  resize(cols: number, rows: number): void;
}

interface RawEvents extends RawChannel {
  subscribe(types: string[]): void;
  unsubscribe(types: string[]): void;
}

/** Makes a binding of the addon. */
export function nativeBinding(addon: Addon): Binding {
  return {
    kind: "native",
    version: () => addon.version(),
    client: (config, log) => client(checked(() => new addon.Client(JSON.stringify(config), log))),
    pcm: { header: addon.wavHeader, encode: addon.wavEncode, level: addon.level },
  };
}

function client(raw: RawClient): BindingClient {
  return {
    call(operation, params, options, content) {
      const upload = content && {
        name: content.name,
        contentType: content.content_type,
        data: content.data,
        watched: content.watched ?? false,
      };
      const call = checked(() => raw.call(operation, JSON.stringify(params), JSON.stringify(options), upload));
      return { outcome: outcome(call), nextUploadProgress: () => call.nextUploadProgress(), cancel: () => call.cancel() };
    },
    terminal: (target, options) => terminal(checked(() => raw.terminal(JSON.stringify(target), JSON.stringify(options)))),
    audio: (target, options) => channel(checked(() => raw.audio(JSON.stringify(target), JSON.stringify(options)))),
    events: (target, options) => events(checked(() => raw.events(JSON.stringify(target), JSON.stringify(options)))),
  };
}

async function outcome(call: RawCall): Promise<Outcome> {
  const { ok, json, bytes } = await call.outcome();
  if (!ok) return { ok, error: JSON.parse(json) as ErrorRecord };
  return { ok, value: JSON.parse(json), ...(bytes && { bytes }) };
}

function channel<Item>(raw: RawChannel): BindingChannel<Item> {
  return {
    async next() {
      const batch = await raw.next();
      return batch && items(batch);
    },
    async nextState() {
      const state = await raw.nextState();
      return state === null ? null : JSON.parse(state);
    },
    nextPasswordRequest: () => raw.nextPasswordRequest(),
    answer: (target, problem) => raw.answer(target && JSON.stringify(target), problem),
    state: () => JSON.parse(raw.state()),
    counters: () => JSON.parse(raw.counters()),
    close: () => raw.close(),
  };
}

function items<Item>({ json, text, samples }: Batch): Item[] {
  let at = 0;
  return JSON.parse(json).map(({ length, ...item }: { length?: number }) => {
    if (length === undefined) return item;
    const [from, to] = [at, at + length];
    at = to;
    // Whoever takes samples may transfer them, so they get memory of their own.
    return samples ? { ...item, samples: samples.slice(from, to) } : { ...item, data: text?.slice(from, to) };
  });
}

function terminal(raw: RawTerminal): BindingTerminal {
  return {
    ...channel<TerminalItem>(raw),
    input: (text) => checked(() => raw.input(text)) ?? undefined,
    refusal: () => raw.refusal() ?? undefined,
    nextProgress: () => raw.nextProgress(),
    resize: (cols, rows) => checked(() => raw.resize(cols, rows)),
  };
}

function events(raw: RawEvents): BindingEvents {
  return {
    ...channel<EventItem>(raw),
    subscribe: (types) => checked(() => raw.subscribe(types)),
    unsubscribe: (types) => checked(() => raw.unsubscribe(types)),
  };
}

/** Turns the addon's exceptions into the records that they hold. */
function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    let record: unknown;
    try {
      record = JSON.parse((error as Error).message);
    } catch {
      throw new BindingError({
        kind: "binding",
        message: `the native addon failed: ${(error as Error).message}`,
        delivered: "no",
        cause: error,
      });
    }
    throw record;
  }
}
