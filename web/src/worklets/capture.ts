/** The microphone, mixed to one channel and cut into 20 ms of 24 kHz, 16 bit. */
import { type FromCapture, WIRE_RATE } from "./messages";
import { Resampler } from "./resampler";

const CHUNK = WIRE_RATE / 50;

class Capture extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, WIRE_RATE);
  #chunk = new Int16Array(CHUNK);
  #filled = 0;

  process([channels]: Float32Array[][]): boolean {
    const [first, ...others] = channels ?? [];
    if (first) this.#take(this.#resampler.process(mix(first, others)));
    return true;
  }

  #take(samples: Float32Array): void {
    for (const sample of samples) {
      this.#chunk[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.#filled === CHUNK) this.#send();
    }
  }

  #send(): void {
    const chunk: FromCapture = this.#chunk;
    this.port.postMessage(chunk, [chunk.buffer]);
    this.#chunk = new Int16Array(CHUNK);
    this.#filled = 0;
  }
}

function mix(first: Float32Array, others: Float32Array[]): Float32Array {
  if (!others.length) return first;
  return first.map((sample, i) => others.reduce((sum, other) => sum + other[i]!, sample) / (others.length + 1));
}

registerProcessor("vivavoce-capture", Capture);
