// Functions for the frequency analysis of audio. They run in Node and in pages.

/** The number of bins on each side of a peak that belong to the peak, because of the width of the window's main lobe. */
const LOBE = 3;

/**
 * Returns the strongest frequency of an audio signal.
 *
 * @param {Float32Array} samples the samples of one channel; their number is a power of two
 * @param {number} rate the sample rate in hertz
 * @returns {{ frequency: number, share: number }} the frequency in hertz, and the share of the energy at this frequency (0 to 1)
 */
export function strongest(samples, rate) {
  const power = spectrum(samples);
  let peak = 1;
  for (let bin = 2; bin < power.length - 1; bin += 1) if (power[bin] > power[peak]) peak = bin;
  const [before, at, after] = [peak - 1, peak, peak + 1].map((bin) => Math.log(power[bin] + Number.MIN_VALUE));
  // Parabolic interpolation: the vertex of the parabola through the three bins at the peak.
  const curve = before - 2 * at + after;
  const offset = curve === 0 ? 0 : (before - after) / (2 * curve);
  const sum = (from, to) => power.subarray(Math.max(from, 0), to).reduce((total, value) => total + value, 0);
  const all = sum(0, power.length);
  return {
    frequency: ((peak + offset) * rate) / samples.length,
    share: all === 0 ? 0 : sum(peak - LOBE, peak + LOBE + 1) / all,
  };
}

/**
 * Returns the signal-to-noise ratio of a tone, in decibels. The signal is the best-fitting sine wave with a frequency near
 * `near` hertz.
 *
 * @param {Float32Array} samples the samples of one channel
 * @param {number} rate the sample rate in hertz
 * @param {number} near
 */
export function signalToNoise(samples, rate, near) {
  const fit = (frequency) => {
    const step = (2 * Math.PI * frequency) / rate;
    let [ss, cc, sc, ys, yc, yy] = [0, 0, 0, 0, 0, 0];
    samples.forEach((y, at) => {
      const [sin, cos] = [Math.sin(step * at), Math.cos(step * at)];
      [ss, cc, sc] = [ss + sin * sin, cc + cos * cos, sc + sin * cos];
      [ys, yc, yy] = [ys + y * sin, yc + y * cos, yy + y * y];
    });
    const determinant = ss * cc - sc * sc;
    const signal = (ys * (ys * cc - yc * sc) + yc * (yc * ss - ys * sc)) / determinant;
    return { signal, noise: yy - signal };
  };
  // Ternary search: within half a bin of the strongest frequency, the noise has only one minimum.
  const half = rate / samples.length / 2;
  let [low, high] = [near - half, near + half];
  while (high - low > 1e-7) {
    const third = (high - low) / 3;
    if (fit(low + third).noise < fit(high - third).noise) high -= third;
    else low += third;
  }
  const { signal, noise } = fit((low + high) / 2);
  return 10 * Math.log10(signal / noise);
}

/** Returns the root mean square of samples. */
export function loudness(samples) {
  return Math.sqrt(samples.reduce((total, sample) => total + sample * sample, 0) / samples.length);
}

/** Returns the power spectrum of the samples, to which a Hann window is applied. */
function spectrum(samples) {
  const { length } = samples;
  if (!Number.isInteger(Math.log2(length))) throw new Error(`${length} is not a power of two`);
  const re = Float64Array.from(samples, (sample, at) => sample * 0.5 * (1 - Math.cos((2 * Math.PI * at) / length)));
  const im = new Float64Array(length);
  transform(re, im);
  return Float64Array.from({ length: length / 2 }, (_, bin) => re[bin] ** 2 + im[bin] ** 2);
}

/** Computes the fast Fourier transform in place (Cooley-Tukey, radix 2). */
function transform(re, im) {
  const { length } = re;
  for (let at = 1, reversed = 0; at < length; at += 1) {
    let bit = length >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (at < reversed) {
      [re[at], re[reversed]] = [re[reversed], re[at]];
      [im[at], im[reversed]] = [im[reversed], im[at]];
    }
  }
  for (let size = 2; size <= length; size *= 2) {
    const half = size / 2;
    for (let step = 0; step < half; step += 1) {
      const angle = (-2 * Math.PI * step) / size;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let low = step; low < length; low += size) {
        const high = low + half;
        const [rotatedRe, rotatedIm] = [re[high] * cos - im[high] * sin, re[high] * sin + im[high] * cos];
        [re[high], im[high]] = [re[low] - rotatedRe, im[low] - rotatedIm];
        re[low] += rotatedRe;
        im[low] += rotatedIm;
      }
    }
  }
}
