import type { Chunk } from "./messages.js";

/**
 * A lock-free ring buffer in shared memory, for audio chunks from one writer thread to one reader thread. Unlike messages, the
 * chunks do not pass through an event loop, which may be busy.
 *
 * The memory consists of 32-bit words: a header, then a ring of records. A record is the number of samples, the sample rate,
 * the number of channels, the discontinuity flag, and the samples. If the number of samples is -1, the next record is at the
 * start of the ring.
 */
const HEADER = 3;
/**
 * The indexes of the words in the header: the number of written words, the number of read words, and the number of lost frames.
 */
const WRITTEN = 0;
const READ = 1;
const LOST = 2;
const RECORD_HEADER = 4;
const WRAP = -1;
/**
 * The capacity of the ring, in words: more than one second of stereo audio at 48 kHz. The worklet reads all chunks for every
 * block of its output.
 */
const CAPACITY = 131_072;

/** Allocates the memory of a ring buffer. */
export function createRing(): SharedArrayBuffer {
  return new SharedArrayBuffer((HEADER + CAPACITY) * Int32Array.BYTES_PER_ELEMENT);
}

class Ring {
  protected readonly head: Int32Array<SharedArrayBuffer>;
  protected readonly words: Int32Array<SharedArrayBuffer>;
  protected readonly floats: Float32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.head = new Int32Array(memory, 0, HEADER);
    this.words = new Int32Array(memory, HEADER * Int32Array.BYTES_PER_ELEMENT);
    this.floats = new Float32Array(memory, HEADER * Int32Array.BYTES_PER_ELEMENT);
  }
}

/** The writer of a ring buffer. */
export class RingWriter extends Ring {
  /** Writes a chunk. If the ring is full, the chunk is lost and its frames are counted. */
  write({ samples, sample_rate, channels, discontinuity }: Chunk): void {
    const size = this.words.length;
    const needed = RECORD_HEADER + samples.length;
    const written = Atomics.load(this.head, WRITTEN);
    let at = (written >>> 0) % size;
    // A record is contiguous, so the end of the ring may stay unused.
    const skipped = at + needed > size ? size - at : 0;
    const used = (written - Atomics.load(this.head, READ)) >>> 0;
    if (used + skipped + needed > size) {
      Atomics.add(this.head, LOST, samples.length / channels);
      return;
    }
    if (skipped > 0) {
      this.words[at] = WRAP;
      at = 0;
    }
    this.words[at] = samples.length;
    this.words[at + 1] = sample_rate;
    this.words[at + 2] = channels;
    this.words[at + 3] = Number(discontinuity);
    this.floats.set(samples, at + RECORD_HEADER);
    Atomics.store(this.head, WRITTEN, (written + skipped + needed) | 0);
  }
}

/** The reader of a ring buffer. */
export class RingReader extends Ring {
  /** Passes all chunks to `receive`, which must not keep the samples: the writer reuses their memory. */
  drain(receive: (chunk: Chunk) => void): void {
    const written = Atomics.load(this.head, WRITTEN);
    let read = Atomics.load(this.head, READ);
    while (read !== written) {
      const at = (read >>> 0) % this.words.length;
      const [length = 0, sample_rate = 0, channels = 0, discontinuity = 0] = this.words.subarray(at, at + RECORD_HEADER);
      if (length === WRAP) {
        read = (read + this.words.length - at) | 0;
        continue;
      }
      const from = at + RECORD_HEADER;
      receive({ samples: this.floats.subarray(from, from + length), sample_rate, channels, discontinuity: discontinuity !== 0 });
      read = (read + RECORD_HEADER + length) | 0;
    }
    Atomics.store(this.head, READ, read);
  }

  /** Returns the number of frames that were lost since the last call. */
  takeLost(): number {
    return Atomics.exchange(this.head, LOST, 0);
  }
}
