/**
 * The speaker of a WebSocket session: a worklet that counts what it plays, heard through a media element. It outlives the
 * connection, so that a sentence goes on while the next one is made.
 *
 * The element is the way to the loudspeaker that echo cancellation knows, and the one that phones keep alive.
 */
import { type FromPlayer, type ToPlayer, WIRE_RATE } from "../../worklets/messages";
import type { Scope } from "../scope";

const SAMPLES_PER_MS = WIRE_RATE / 1000;

/** The item, how many ms of it were heard, and whether more is queued. */
export type Heard = (item: string | null, ms: number, more: boolean) => void;

export class Player {
  readonly node: AudioWorkletNode;
  #item: string | null = null;
  #ms = 0;
  #flushes: ((report: FromPlayer) => void)[] = [];
  /** The item that was queued last, and whether anything of it may still be unheard. */
  #last: string | null = null;
  #pending = false;

  constructor(context: AudioContext, element: HTMLAudioElement, scope: Scope) {
    this.node = new AudioWorkletNode(context, "vivavoce-playback", { numberOfInputs: 0, outputChannelCount: [1] });
    const sink = context.createMediaStreamDestination();
    this.node.connect(sink);
    this.node.port.onmessage = ({ data }: MessageEvent<FromPlayer>) => this.#report(data);
    element.srcObject = sink.stream;
    void element.play().catch(() => {});
    scope.defer(() => {
      this.node.port.close();
      this.node.disconnect();
      element.pause();
      element.srcObject = null;
    });
  }

  /** Who is told what is heard: the connection of the moment. */
  heard: Heard = () => {};

  queue(item: string, samples: Int16Array<ArrayBuffer>): void {
    this.#last = item;
    this.#pending = true;
    this.#post({ kind: "sound", item, samples });
  }

  /** Stands still, in the middle of a word, or goes on from there. */
  hold(on: boolean): void {
    this.#post({ kind: "hold", on });
  }

  /** Stops at once. Gives the last item and how much of it was heard; null when nothing was playing. */
  async flush(): Promise<{ item: string; ms: number; whole: boolean } | null> {
    if (!this.#pending || !this.#last) return null;
    const last = this.#last;
    this.#pending = false;
    const answer = new Promise<FromPlayer>((resolve) => this.#flushes.push(resolve));
    this.#post({ kind: "flush" });
    const { item, played, queued } = await answer;
    // What was queued behind the item that was playing was not heard at all.
    const ms = item === last ? Math.floor(played / SAMPLES_PER_MS) : 0;
    return { item: last, ms, whole: item === last && queued === 0 };
  }

  #post(message: ToPlayer): void {
    this.node.port.postMessage(message, message.kind === "sound" ? [message.samples.buffer] : []);
  }

  #report(report: FromPlayer): void {
    if (report.kind === "flushed") this.#flushes.shift()?.(report);
    else {
      if (this.#item && this.#item !== report.item) this.heard(this.#item, this.#ms, false);
      this.#pending = report.queued > 0 || report.item !== this.#last;
      this.heard(report.item, report.played / SAMPLES_PER_MS, this.#pending);
    }
    this.#item = report.item;
    this.#ms = report.played / SAMPLES_PER_MS;
  }
}
