import type { Asset } from "../assets/asset.js";
import type {
  BindingChannel,
  BindingConfig,
  ChannelBinding,
  ChannelClient,
  ChannelItems,
  ChannelKind,
  ChannelTarget,
  Log,
} from "../binding.js";
import type { ToWorker, WorkerModule } from "./messages.js";

/** Wraps a binding so that each audio channel runs in its own worker, if the page can create workers. */
export function withAudioWorkers(binding: ChannelBinding, wasm: WorkerModule, file: Asset<string | URL>): ChannelBinding {
  class Client extends binding.Client implements ChannelClient {
    readonly #config: BindingConfig;
    readonly #log: Log | undefined;

    constructor(config: BindingConfig, log?: Log) {
      super(config, log);
      this.#config = config;
      this.#log = log;
    }

    override async open<Kind extends ChannelKind>(
      kind: Kind,
      target: ChannelTarget,
      options: object,
    ): Promise<BindingChannel<ChannelItems[Kind]>> {
      if (kind !== "audio") return super.open(kind, target, options);
      const task: ToWorker = { type: "open", wasm, config: this.#config, target, options };
      const code = await import("./in-page.js").catch(() => undefined);
      const channel = await code?.openRemote(file, task, this.#log);
      // The compiler cannot infer the type of the items from the comparison.
      return (channel as never) ?? super.open(kind, target, options);
    }
  }
  return { ...binding, Client };
}
