/**
 * Plays what it is given, and counts what it has played: the count is the truth about what a person heard.
 *
 * On a flush, what is playing fades within 5 ms (a hard cut clicks), and the rest is dropped.
 */
import { type FromPlayer, type ToPlayer, WIRE_RATE } from "./messages";
import { Resampler } from "./resampler";

const FADE_SECONDS = 0.005;
const REPORT_SECONDS = 0.05;

interface Piece {
  item: string;
  samples: Float32Array;
  next: number;
}

class Playback extends AudioWorkletProcessor {
  #resampler = new Resampler(WIRE_RATE, sampleRate);
  #pieces: Piece[] = [];
  #queued = 0;
  #item: string | null = null;
  #played = 0;
  #resampled = new Float32Array(0);
  /** Output samples left of a fade; the sound ends with it. */
  #fading = 0;
  #sinceReport = 0;
  #reportedEmpty = true;
  #held = false;
  /** Loudness, 0 while it is held; it gets there within a fade. */
  #gain = 1;

  constructor() {
    super();
    this.port.onmessage = ({ data }: { data: ToPlayer }) => this.#told(data);
  }

  process(_inputs: Float32Array[][], [channels]: Float32Array[][]): boolean {
    const output = channels?.[0];
    if (!output) return true;
    const wanted = this.#held && !this.#gain ? 0 : output.length;
    this.#fill(wanted);
    const ready = this.#resampled.subarray(0, wanted);
    output.set(this.#fading ? this.#fade(ready) : this.#turned(ready));
    this.#resampled = this.#resampled.slice(ready.length);
    this.#sinceReport += output.length;
    // A last report says that the queue is empty; then there is nothing to tell.
    const due = this.#sinceReport >= REPORT_SECONDS * sampleRate;
    if (this.#queued ? due : !this.#reportedEmpty) this.#report("position");
    return true;
  }

  #told(message: ToPlayer): void {
    if (message.kind === "sound") this.#queue(message);
    else if (message.kind === "flush") this.#flush();
    else this.#held = message.on;
  }

  #queue({ item, samples }: { item: string; samples: Int16Array }): void {
    if (this.#fading) this.#silence();
    this.#pieces.push({ item, samples: Float32Array.from(samples, (sample) => sample / 32768), next: 0 });
    this.#queued += samples.length;
    this.#reportedEmpty = false;
  }

  #flush(): void {
    this.#report("flushed");
    this.#pieces = [];
    this.#queued = 0;
    this.#reportedEmpty = true;
    if (this.#resampled.length) this.#fading = Math.ceil(FADE_SECONDS * sampleRate * this.#gain);
    if (!this.#fading) this.#silence();
    this.#held = false;
  }

  /** Turned down while it is held, and up again: a hard cut clicks. */
  #turned(samples: Float32Array): Float32Array {
    const goal = this.#held ? 0 : 1;
    if (this.#gain === goal) return samples;
    const step = (goal ? 1 : -1) / (FADE_SECONDS * sampleRate);
    return samples.map((sample) => sample * (this.#gain = Math.min(1, Math.max(0, this.#gain + step))));
  }

  /** Feeds the resampler until it has given `wanted` output samples, or the queue is empty. */
  #fill(wanted: number): void {
    while (!this.#fading && this.#resampled.length < wanted && this.#pieces[0]) {
      const piece = this.#pieces[0];
      // A few milliseconds more than needed stay resampled: they are what a flush fades out.
      const missing = wanted - this.#resampled.length + Math.ceil(FADE_SECONDS * sampleRate);
      const part = piece.samples.subarray(piece.next, piece.next + Math.ceil((missing * WIRE_RATE) / sampleRate));
      this.#resampled = concat(this.#resampled, this.#resampler.process(part));
      this.#count(piece, part.length);
    }
  }

  #count(piece: Piece, samples: number): void {
    if (piece.item !== this.#item) {
      this.#item = piece.item;
      this.#played = 0;
    }
    this.#played += samples;
    this.#queued -= samples;
    piece.next += samples;
    if (piece.next >= piece.samples.length) this.#pieces.shift();
  }

  #fade(samples: Float32Array): Float32Array {
    const whole = Math.ceil(FADE_SECONDS * sampleRate);
    const faded = samples.map((sample) => (this.#fading > 0 ? sample * (this.#fading-- / whole) : 0));
    if (this.#fading === 0 || samples.length === 0) this.#silence();
    return faded;
  }

  #silence(): void {
    this.#fading = 0;
    this.#gain = 1;
    this.#resampled = new Float32Array(0);
    this.#resampler = new Resampler(WIRE_RATE, sampleRate);
  }

  #report(kind: FromPlayer["kind"]): void {
    // What is resampled already is not heard yet.
    const ahead = Math.round((this.#resampled.length * WIRE_RATE) / sampleRate);
    const report: FromPlayer = { kind, item: this.#item, played: Math.max(0, this.#played - ahead), queued: this.#queued };
    this.port.postMessage(report);
    this.#sinceReport = 0;
    this.#reportedEmpty = this.#queued === 0;
  }
}

function concat(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

registerProcessor("vivavoce-playback", Playback);
