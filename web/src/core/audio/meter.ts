/** How loud a sound is, read from the sound itself. */

export interface Levels {
  /** 0 (silent, below −55 dBFS) to 1 (−10 dBFS and louder). */
  level: number;
  low: number;
  mid: number;
  high: number;
}

export const SILENT: Levels = { level: 0, low: 0, mid: 0, high: 0 };

const QUIETEST_DB = -55;
const LOUDEST_DB = -10;
/** −50 dBFS: below it, nobody hears anything. */
const AUDIBLE = 10 ** (-50 / 20);

/** RMS (0…1) as a share of the range that speech fills; slightly curved, so that quiet speech is seen too. */
export function perceived(rms: number): number {
  const share = (20 * Math.log10(Math.max(rms, 1e-6)) - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB);
  return Math.min(1, Math.max(0, share)) ** 0.8;
}

/** In what steps a beginning is looked for. */
const STEP_MS = 10;

/** How many ms before its end the sound in these samples can be heard from; null: it cannot. */
export function began(samples: Float32Array, rate: number): number | null {
  const step = Math.round((rate * STEP_MS) / 1000);
  for (let at = samples.length % step; at < samples.length; at += step) {
    if (rms(samples.subarray(at, at + step)) > AUDIBLE) return ((samples.length - at) * 1000) / rate;
  }
  return null;
}

function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

export class Meter {
  readonly #analyser: AnalyserNode;
  /** Long enough to find a beginning in, also for one who looks late: 170 ms at 48 kHz. */
  readonly #memory: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #spectrum: Uint8Array<ArrayBuffer>;

  /** Taps the source; what it feeds otherwise is untouched. */
  constructor(readonly source: AudioNode) {
    this.#analyser = new AnalyserNode(source.context, { fftSize: 512, smoothingTimeConstant: 0.5 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#spectrum = new Uint8Array(this.#analyser.frequencyBinCount);
    this.#memory = new AnalyserNode(source.context, { fftSize: 8192 });
    source.connect(this.#analyser);
    source.connect(this.#memory);
  }

  get audible(): boolean {
    return this.#rms() > AUDIBLE;
  }

  /** For how many ms, of the last 170, something could be heard; null: for none. */
  get audibleFor(): number | null {
    const samples = new Float32Array(this.#memory.fftSize);
    this.#memory.getFloatTimeDomainData(samples);
    return began(samples, this.#memory.context.sampleRate);
  }

  read(): Levels {
    this.#analyser.getByteFrequencyData(this.#spectrum);
    return { level: perceived(this.#rms()), low: this.#band(80, 400), mid: this.#band(400, 2000), high: this.#band(2000, 7000) };
  }

  #rms(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return rms(this.#samples);
  }

  #band(from: number, to: number): number {
    const width = this.#analyser.context.sampleRate / this.#analyser.fftSize;
    const bins = this.#spectrum.subarray(Math.round(from / width), Math.round(to / width) + 1);
    return bins.reduce((sum, bin) => sum + bin, 0) / (bins.length * 255);
  }
}
