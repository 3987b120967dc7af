// @ts-check

/** How much is buffered before sound begins, in seconds. The target of a good network. */
const FIRST_TARGET = 0.06;
const HIGHEST_TARGET = 0.25;
/** More than this beyond the target is not worth its delay, in seconds. */
const MOST_BEYOND = 0.25;
/**
 * As long as sound has just begun (in seconds), what is beyond the target is a backlog of the opening rather than
 * jitter, and less of it is borne: it would be heard as a delay for a long time.
 */
const BEGINNING = 1;
const MOST_BEYOND_AT_FIRST = 0.04;
/** What the ring holds, in seconds: more than the highest target and what may be beyond it. */
const CAPACITY = 2;
/** How far the speed may leave the sender's: 1 % is not heard as a change of pitch. */
const MOST_CORRECTION = 0.01;
/** The error of the depth, in seconds, at which the correction is at its most. */
const FULL_CORRECTION = 0.06;
/** Over how many seconds the depth is averaged, since packets make it jump. */
const SMOOTHING = 0.5;
/** How often the target may shrink, and by how much, in seconds. */
const SHRINK_EVERY = 10;
const SHRINK_BY = 0.01;
/** The least depth of a period after which the target may shrink, in seconds. */
const SPARE = 0.02;
/** How many output frames a step in the signal is spread over. */
const FADE = 128;
/** Frames that the interpolation looks at: the one before the place and two after it. */
const BEHIND = 1;
const AHEAD = 3;

/**
 * A jitter buffer: interleaved samples go in as the network brings them, planar samples come out as the sound card
 * asks for them, resampled to its rate. Counts are in frames (samples per channel) of the input, and
 * `received = played + buffered + dropped` at all times.
 *
 * The network's jitter and the difference of the two clocks are told apart by their speed: a slow change of the depth
 * is a clock and is corrected by playing a little faster or slower; a depth that runs empty is jitter, and raises the
 * target, which shrinks again slowly.
 */
export class Playout {
  /** @type {Float32Array[]} */
  #ring;
  #mask;
  /** Frames ever written; the ring holds frame `n` at `n & mask`. */
  #written = 0;
  /** The frame that is played next, and how far beyond it the place is, from 0 to 1. */
  #next = 0;
  #fraction = 0;

  #playing = false;
  #begun = false;
  #target = FIRST_TARGET;
  #depth = 0;
  #rate = 1;
  #calm = 0;
  #leastDepth = Infinity;

  #played = 0;
  #dropped = 0;
  #concealed = 0;
  #underruns = 0;

  /** What was put out last, and the step that is being spread, per channel. */
  #last;
  #step;
  #fading = 0;
  #spliced = false;

  #peak = 0;
  #squares = 0;
  #measured = 0;

  /**
   * @param {number} inputRate frames per second that come in
   * @param {number} channels how many channels are interleaved in what comes in
   * @param {number} outputRate frames per second that are asked for
   */
  constructor(inputRate, channels, outputRate) {
    this.inputRate = inputRate;
    this.channels = channels;
    this.outputRate = outputRate;
    const size = 2 ** Math.ceil(Math.log2(CAPACITY * inputRate));
    this.#ring = Array.from({ length: channels }, () => new Float32Array(size));
    this.#mask = size - 1;
    this.#last = new Float32Array(channels);
    this.#step = new Float32Array(channels);
  }

  /** Frames that wait to be played. */
  get buffered() {
    return this.#written - this.#next;
  }

  /**
   * Takes what the network brought.
   * @param {Float32Array} samples interleaved; an incomplete frame at the end is passed over
   */
  push(samples) {
    const { channels } = this;
    const frames = Math.floor(samples.length / channels);
    // Of more than the ring holds only the end can stay.
    const first = Math.max(0, frames - (this.#mask + 1 - BEHIND));
    for (let frame = first; frame < frames; frame++) {
      const at = (this.#written + frame) & this.#mask;
      for (let channel = 0; channel < channels; channel++) {
        this.#ring[channel][at] = samples[frame * channels + channel];
      }
    }
    this.#written += frames;
    const beginning = this.#played < BEGINNING * this.inputRate;
    if (this.buffered > (this.#target + (beginning ? MOST_BEYOND_AT_FIRST : MOST_BEYOND)) * this.inputRate) {
      const surplus = this.buffered - Math.round(this.#target * this.inputRate);
      this.#next += surplus;
      this.#dropped += surplus;
      this.#depth = this.#target;
      this.#spliced = true;
    }
  }

  /**
   * Fills what the sound card asks for.
   * @param {Float32Array[]} output one array per channel; a mono input goes to all of them
   */
  pull(output) {
    const frames = output[0]?.length ?? 0;
    this.#adapt(frames / this.outputRate);
    const speed = (this.inputRate / this.outputRate) * this.#rate;
    for (let frame = 0; frame < frames; frame++) {
      if (this.#playing && this.buffered < AHEAD) this.#runEmpty();
      if (this.#begun && !this.#playing) this.#concealed += this.inputRate / this.outputRate;
      if (this.#spliced) this.#spread();
      for (let channel = 0; channel < output.length; channel++) {
        if (channel < this.channels) this.#last[channel] = this.#sample(channel);
        const value = this.#last[Math.min(channel, this.channels - 1)];
        output[channel][frame] = value;
        this.#peak = Math.max(this.#peak, Math.abs(value));
        this.#squares += value * value;
      }
      this.#measured += output.length;
      if (this.#fading > 0) this.#fading -= 1;
      if (this.#playing) this.#advance(speed);
    }
  }

  /** The figures so far; the loudness is that since the last report. */
  report() {
    const report = {
      playing: this.#playing,
      received: this.#written,
      played: this.#played,
      buffered: this.buffered,
      dropped: this.#dropped,
      concealed: Math.round(this.#concealed),
      underruns: this.#underruns,
      target: this.#target * 1000,
      rate: this.#rate,
      peak: this.#peak,
      rms: this.#measured === 0 ? 0 : Math.sqrt(this.#squares / this.#measured),
    };
    this.#peak = 0;
    this.#squares = 0;
    this.#measured = 0;
    return report;
  }

  /** @param {number} elapsed seconds */
  #adapt(elapsed) {
    const depth = this.buffered / this.inputRate;
    if (!this.#playing) {
      if (depth < this.#target) return;
      this.#playing = true;
      this.#begun = true;
      this.#spliced = true;
      this.#depth = depth;
    }
    this.#depth += (depth - this.#depth) * Math.min(1, elapsed / SMOOTHING);
    const error = (this.#depth - this.#target) / FULL_CORRECTION;
    this.#rate = 1 + Math.max(-1, Math.min(1, error)) * MOST_CORRECTION;

    this.#leastDepth = Math.min(this.#leastDepth, depth);
    this.#calm += elapsed;
    if (this.#calm >= SHRINK_EVERY) {
      if (this.#leastDepth >= SPARE) this.#target = Math.max(FIRST_TARGET, this.#target - SHRINK_BY);
      this.#calm = 0;
      this.#leastDepth = Infinity;
    }
  }

  #runEmpty() {
    this.#playing = false;
    this.#spliced = true;
    this.#underruns += 1;
    this.#target = Math.min(HIGHEST_TARGET, this.#target * 1.5);
    this.#calm = 0;
    this.#leastDepth = Infinity;
    this.#rate = 1;
  }

  /** Begins to spread the step between what was put out last and what comes now, which would be heard as a click. */
  #spread() {
    this.#spliced = false;
    this.#fading = 0;
    for (let channel = 0; channel < this.channels; channel++) {
      this.#step[channel] = this.#last[channel] - this.#sample(channel);
    }
    this.#fading = FADE;
  }

  /**
   * What sounds now: the signal at the place between two samples by a cubic through four, or silence.
   * @param {number} channel
   */
  #sample(channel) {
    const step = (this.#step[channel] * this.#fading) / FADE;
    if (!this.#playing) return step;
    const ring = this.#ring[channel];
    const next = this.#next;
    const mask = this.#mask;
    const before = ring[(next - 1) & mask];
    const here = ring[next & mask];
    const after = ring[(next + 1) & mask];
    const later = ring[(next + 2) & mask];
    const x = this.#fraction;
    const slope = (after - before) / 2;
    const slopeAfter = (later - here) / 2;
    const bend = here - after;
    return here + x * (slope + x * (-2 * slope - slopeAfter - 3 * bend + x * (slope + slopeAfter + 2 * bend))) + step;
  }

  /** @param {number} speed input frames per output frame */
  #advance(speed) {
    this.#fraction += speed;
    const whole = Math.min(Math.floor(this.#fraction), this.buffered);
    this.#fraction -= whole;
    this.#next += whole;
    this.#played += whole;
  }
}
