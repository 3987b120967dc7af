import type { Chunk } from "./messages.js";

/**
 * Chunks of sound on their way from one thread to another through shared memory: nothing has to be delivered, so a
 * busy machine cannot deliver it late. One thread writes, one reads.
 *
 * The memory is words of 32 bits: a head, then a ring of records. A record is its number of samples, its rate, its
 * channels, whether it begins anew, and the samples. A number of samples of -1 says that the next record is at the beginning of the ring.
 */
const HEAD = 3;
/** Words ever written, words ever read, and frames for which there was no place. */
const WRITTEN = 0;
const READ = 1;
const LOST = 2;
const RECORD_HEAD = 4;
const WRAP = -1;
/** More than a second of stereo at 48 kHz: it is emptied many times a second while anything sounds. */
const WORDS = 131_072;

/** Memory for a ring. */
export function makeRing(): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD + WORDS) * Int32Array.BYTES_PER_ELEMENT);
}

class Ring {
  protected readonly head: Int32Array<SharedArrayBuffer>;
  protected readonly words: Int32Array<SharedArrayBuffer>;
  protected readonly floats: Float32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.head = new Int32Array(memory, 0, HEAD);
    this.words = new Int32Array(memory, HEAD * Int32Array.BYTES_PER_ELEMENT);
    this.floats = new Float32Array(memory, HEAD * Int32Array.BYTES_PER_ELEMENT);
  }
}

/** The end that writes. */
export class RingWriter extends Ring {
  /** Hands a chunk over. While nobody reads, what does not fit is lost, and counted. */
  write({ samples, sample_rate, channels, begins }: Chunk): void {
    const size = this.words.length;
    const needed = RECORD_HEAD + samples.length;
    const written = Atomics.load(this.head, WRITTEN);
    let at = (written >>> 0) % size;
    // A record lies in one piece.
    const passed = at + needed > size ? size - at : 0;
    const used = (written - Atomics.load(this.head, READ)) >>> 0;
    if (used + passed + needed > size) {
      Atomics.add(this.head, LOST, samples.length / channels);
      return;
    }
    if (passed > 0) {
      this.words[at] = WRAP;
      at = 0;
    }
    this.words[at] = samples.length;
    this.words[at + 1] = sample_rate;
    this.words[at + 2] = channels;
    this.words[at + 3] = Number(begins);
    this.floats.set(samples, at + RECORD_HEAD);
    Atomics.store(this.head, WRITTEN, (written + passed + needed) | 0);
  }
}

/** The end that reads. */
export class RingReader extends Ring {
  /** Takes every chunk that is there. It has to be used at once: its place is written to again. */
  drain(take: (chunk: Chunk) => void): void {
    const written = Atomics.load(this.head, WRITTEN);
    let read = Atomics.load(this.head, READ);
    while (read !== written) {
      const at = (read >>> 0) % this.words.length;
      const [length = 0, sample_rate = 0, channels = 0, begins = 0] = this.words.subarray(at, at + RECORD_HEAD);
      if (length === WRAP) {
        read = (read + this.words.length - at) | 0;
        continue;
      }
      const from = at + RECORD_HEAD;
      take({ samples: this.floats.subarray(from, from + length), sample_rate, channels, begins: begins !== 0 });
      read = (read + RECORD_HEAD + length) | 0;
    }
    Atomics.store(this.head, READ, read);
  }

  /** Frames that were lost since this was asked last. */
  lost(): number {
    return Atomics.exchange(this.head, LOST, 0);
  }
}
