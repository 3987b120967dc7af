import type { AudioStream, Player, PlayerState } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { channelWords, isBroken, isOutdated } from "../channel/words.js";
import { byId, setIcon, setState, setText, type Tone } from "../ui/dom.js";
import { Meter } from "./meter.js";
import { Stats } from "./stats.js";

const PLAYER: Record<PlayerState, { text: string; tone: Tone }> = {
  suspended: { text: "The browser keeps this page silent: press Resume", tone: "busy" },
  paused: { text: "Paused", tone: "idle" },
  buffering: { text: "Waiting for sound…", tone: "busy" },
  playing: { text: "Playing", tone: "good" },
  stopped: { text: "Off", tone: "idle" },
};

/** What listening holds open. */
interface Listening {
  stream: AudioStream;
  player: Player;
  /** Samples per second, 0 until the server said so. */
  format: { rate: number };
}

/** The computer's sound. */
export class SoundPanel {
  readonly #panel = byId("sound", HTMLElement);
  readonly #state = byId("sound-state", HTMLParagraphElement);
  readonly #play = byId("sound-play", HTMLButtonElement);
  readonly #mute = byId("sound-mute", HTMLButtonElement);
  readonly #volume = byId("sound-volume", HTMLInputElement);
  readonly #volumeValue = byId("sound-volume-value", HTMLOutputElement);
  readonly #meter = new Meter();
  readonly #stats = new Stats();
  #session: Session | undefined;
  #listening: Listening | undefined;
  #opening: AbortController | undefined;
  #muted = false;

  constructor() {
    this.#play.addEventListener("click", () => this.#press());
    this.#mute.addEventListener("click", () => {
      this.#muted = !this.#muted;
      this.#apply();
    });
    this.#volume.addEventListener("input", () => this.#apply());
    this.#apply();
    this.detach();
  }

  attach(session: Session): void {
    this.#session = session;
    this.#play.disabled = false;
    this.#panel.toggleAttribute("data-ready", true);
    setState(this.#state, PLAYER.stopped.text, PLAYER.stopped.tone);
  }

  detach(): void {
    this.#stop();
    this.#session = undefined;
    this.#play.disabled = true;
    this.#panel.toggleAttribute("data-ready", false);
    setState(this.#state, "Not running", "idle");
  }

  /** @param reached whether the service is there */
  reach(reached: boolean): void {
    const session = this.#session;
    // What plays can be stopped.
    this.#play.disabled = session === undefined || (!reached && this.#listening === undefined);
    if (!reached) return;
    if (session === undefined || this.#listening === undefined || !isBroken(this.#listening.stream.state)) return;
    this.#stop();
    void this.#listen(session);
  }

  /** Connects now, if the channel waits before it does so by itself. */
  redial(): void {
    if (this.#listening?.stream.state.status === "reconnecting") this.reach(true);
  }

  #press(): void {
    if (this.#listening?.player.state === "suspended") void this.#listening.player.resume();
    else if (this.#listening !== undefined || this.#opening !== undefined) this.#stop();
    else if (this.#session !== undefined) void this.#listen(this.#session);
  }

  async #listen(session: Session): Promise<void> {
    const opening = (this.#opening = new AbortController());
    const signal = AbortSignal.any([opening.signal, session.ended]);
    setState(this.#state, "Connecting…", "busy");
    this.#label("stop", "Stop");
    let stream: AudioStream | undefined;
    try {
      const computer = await session.connect();
      stream = await computer.audio({}, { signal });
      const format = { rate: 0 };
      stream.on("started", ({ sample_rate }) => {
        format.rate = sample_rate;
      });
      const player = await stream.play({ volume: this.#loudness() });
      if (signal.aborted) {
        await player.stop();
        await stream.close();
        return;
      }
      this.#use({ stream, player, format });
    } catch (error) {
      void stream?.close();
      if (signal.aborted) return;
      this.#stop();
      setState(this.#state, explain(error).message, "bad");
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  #use(listening: Listening): void {
    const { stream, player, format } = listening;
    this.#listening = listening;
    this.#panel.toggleAttribute("data-listening", true);
    const isCurrent = () => this.#listening === listening;
    const show = () => {
      if (!isCurrent()) return;
      const { state } = stream;
      if (state.status === "closed") {
        const session = this.#session;
        this.#stop();
        if (session !== undefined && isOutdated(state.cause)) return void this.#listen(session);
        const { text, tone } = channelWords(state);
        setState(this.#state, text, tone);
        return;
      }
      const { text, tone } = state.status === "open" ? PLAYER[player.state] : channelWords(state);
      setState(this.#state, text, tone);
      if (player.state === "suspended") this.#label("play", "Resume");
      else this.#label("stop", "Stop");
    };
    stream.on("state", show);
    stream.on("error", (message) => isCurrent() && setState(this.#state, message, "bad"));
    player.on("state", show);
    player.on("stats", (stats) => {
      if (!isCurrent()) return;
      this.#stats.show(stats, format.rate);
      this.#meter.set(stats.rms, stats.peak);
    });
    this.#apply();
    show();
  }

  #stop(): void {
    this.#opening?.abort();
    this.#opening = undefined;
    const listening = this.#listening;
    this.#listening = undefined;
    this.#panel.toggleAttribute("data-listening", false);
    void listening?.player.stop();
    void listening?.stream.close();
    this.#meter.set(0, 0);
    this.#stats.clear();
    this.#label("play", "Listen");
    setState(this.#state, PLAYER.stopped.text, PLAYER.stopped.tone);
  }

  #apply(): void {
    setText(this.#volumeValue, `${this.#volume.value} %`);
    this.#mute.setAttribute("aria-pressed", String(this.#muted));
    setIcon(this.#mute, this.#muted ? "muted" : "sound");
    const player = this.#listening?.player;
    if (player === undefined) return;
    player.volume = this.#loudness();
    player.muted = this.#muted;
  }

  #loudness(): number {
    return Number(this.#volume.value) / 100;
  }

  #label(icon: string, text: string): void {
    setIcon(this.#play, icon);
    const label = this.#play.querySelector("span");
    if (label !== null) setText(label, text);
  }
}
