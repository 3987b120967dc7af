import type { AudioStream, Player, PlayerState } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { describeState, hasOldPassword, isDisconnected } from "../channel/state.js";
import { byId, setIcon, setState, setText, type Tone } from "../ui/dom.js";
import { Meter } from "./meter.js";
import { Stats } from "./stats.js";

const PLAYER: Record<PlayerState, { text: string; tone: Tone }> = {
  suspended: { text: "The browser blocks audio. Press Resume.", tone: "busy" },
  paused: { text: "Paused", tone: "idle" },
  buffering: { text: "Buffering…", tone: "busy" },
  playing: { text: "Playing", tone: "good" },
  stopped: { text: "Off", tone: "idle" },
};

/** An open audio stream with its player. */
interface Playback {
  stream: AudioStream;
  player: Player;
  /** The sample rate in Hz. 0 until the rate is known. */
  format: { rate: number };
}

/** Plays the audio of the computer. */
export class AudioPanel {
  readonly #panel = byId("audio", HTMLElement);
  readonly #state = byId("audio-state", HTMLParagraphElement);
  readonly #play = byId("audio-play", HTMLButtonElement);
  readonly #mute = byId("audio-mute", HTMLButtonElement);
  readonly #volume = byId("audio-volume", HTMLInputElement);
  readonly #volumeValue = byId("audio-volume-value", HTMLOutputElement);
  readonly #meter = new Meter();
  readonly #stats = new Stats();
  #session: Session | undefined;
  #playback: Playback | undefined;
  #opening: AbortController | undefined;
  #muted = false;

  constructor() {
    this.#play.addEventListener("click", () => this.#toggle());
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

  /** Updates the panel. If the service is `reachable`, a disconnected stream is replaced without delay. */
  setReachable(reachable: boolean): void {
    const session = this.#session;
    // Playback can always be stopped.
    this.#play.disabled = session === undefined || (!reachable && this.#playback === undefined);
    if (!reachable) return;
    if (session === undefined || this.#playback === undefined || !isDisconnected(this.#playback.stream.state)) return;
    this.#stop();
    void this.#listen(session);
  }

  /** Reconnects immediately if the channel waits for the next attempt. */
  reconnect(): void {
    if (this.#playback?.stream.state.status === "reconnecting") this.setReachable(true);
  }

  #toggle(): void {
    if (this.#playback?.player.state === "suspended") void this.#playback.player.resume();
    else if (this.#playback !== undefined || this.#opening !== undefined) this.#stop();
    else if (this.#session !== undefined) void this.#listen(this.#session);
  }

  async #listen(session: Session): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
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
      const player = await stream.play({ volume: this.#gain() });
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

  #use(playback: Playback): void {
    const { stream, player, format } = playback;
    this.#playback = playback;
    this.#panel.toggleAttribute("data-listening", true);
    const isCurrent = () => this.#playback === playback;
    const show = () => {
      if (!isCurrent()) return;
      const { state } = stream;
      if (state.status === "closed") {
        const session = this.#session;
        this.#stop();
        if (session !== undefined && hasOldPassword(state.cause)) return void this.#listen(session);
        const { text, tone } = describeState(state);
        setState(this.#state, text, tone);
        return;
      }
      const { text, tone } = state.status === "open" ? PLAYER[player.state] : describeState(state);
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
    const playback = this.#playback;
    this.#playback = undefined;
    this.#panel.toggleAttribute("data-listening", false);
    void playback?.player.stop();
    void playback?.stream.close();
    this.#meter.set(0, 0);
    this.#stats.clear();
    this.#label("play", "Listen");
    setState(this.#state, PLAYER.stopped.text, PLAYER.stopped.tone);
  }

  #apply(): void {
    setText(this.#volumeValue, `${this.#volume.value} %`);
    this.#mute.setAttribute("aria-pressed", String(this.#muted));
    setIcon(this.#mute, this.#muted ? "muted" : "audio");
    const player = this.#playback?.player;
    if (player === undefined) return;
    player.volume = this.#gain();
    player.muted = this.#muted;
  }

  #gain(): number {
    return Number(this.#volume.value) / 100;
  }

  #label(icon: string, text: string): void {
    setIcon(this.#play, icon);
    const label = this.#play.querySelector("span");
    if (label !== null) setText(label, text);
  }
}
