/**
 * Changes the sample rate of a stream by any ratio: a windowed sinc, read from a table of fractional delays.
 *
 * Delays by half its length (8 input samples when the rate rises, a third of a millisecond at 24 kHz).
 */
const ZERO_CROSSINGS = 8;
const PHASES = 256;
/** The pass band ends a little below half the lower rate, so that what folds back is quiet. */
const ROLLOFF = 0.94;

export class Resampler {
  readonly #step: number;
  readonly #taps: number;
  readonly #table: Float32Array[];
  #history: Float32Array;
  /** Where the next output sample lies, in input samples from the start of the history. */
  #position = 0;

  constructor(from: number, to: number) {
    this.#step = from / to;
    const scale = Math.min(1, to / from) * ROLLOFF;
    this.#taps = 2 * Math.ceil(ZERO_CROSSINGS / scale);
    this.#table = Array.from({ length: PHASES }, (_, phase) => kernel(this.#taps, phase / PHASES, scale));
    this.#history = new Float32Array(this.#taps - 1);
  }

  process(input: Float32Array): Float32Array {
    const source = new Float32Array(this.#history.length + input.length);
    source.set(this.#history);
    source.set(input, this.#history.length);
    const output: number[] = [];
    while (Math.floor(this.#position) + this.#taps <= source.length) {
      const whole = Math.floor(this.#position);
      const taps = this.#table[Math.floor((this.#position - whole) * PHASES)]!;
      let sum = 0;
      for (let i = 0; i < this.#taps; i++) sum += source[whole + i]! * taps[i]!;
      output.push(sum);
      this.#position += this.#step;
    }
    const done = Math.min(Math.floor(this.#position), source.length);
    this.#history = source.slice(done);
    this.#position -= done;
    return Float32Array.from(output);
  }
}

/** A low-pass that delays by half its length plus `fraction`; its sum is 1, so that loudness stays. */
function kernel(taps: number, fraction: number, scale: number): Float32Array {
  const centre = taps / 2 - 1 + fraction;
  const values = Float32Array.from({ length: taps }, (_, i) => {
    const x = i - centre;
    const angle = (Math.PI * x) / (taps / 2);
    const window = Math.abs(x) >= taps / 2 ? 0 : 0.42 + 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle);
    return window * sinc(x * scale);
  });
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
