/**
 * Records a call whose sound goes past the server: both sides in one stream, the person left, the answer right, brought
 * in parts of a second. It is made only where the server says so, and the person is told.
 */
import type { Scope } from "./scope";

const PART_MS = 1000;
const KIND = "audio/webm;codecs=opus";
/** Parts that may wait for a slow network: a minute. */
const MOST_WAITING = 60;

export class Recorder {
  #part = 0;
  #waiting: { data: Blob; last: boolean }[] = [];
  #sending = false;
  #broken = false;

  /** `post` brings a part; false where it was not taken. Ends with the scope, with the last part on its way. */
  constructor(
    context: AudioContext,
    mine: MediaStream | null,
    theirs: AudioNode,
    readonly post: (part: number, data: Blob, last: boolean) => Promise<boolean>,
    scope: Scope,
  ) {
    const sides = new ChannelMergerNode(context, { numberOfInputs: 2 });
    const sink = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    const source = mine && context.createMediaStreamSource(mine);
    source?.connect(sides, 0, 0);
    theirs.connect(sides, 0, 1);
    sides.connect(sink);
    const recorder = new MediaRecorder(sink.stream, { mimeType: KIND });
    recorder.ondataavailable = ({ data }) => this.#take(data, recorder.state === "inactive");
    recorder.start(PART_MS);
    scope.defer(() => {
      recorder.stop();
      source?.disconnect();
      theirs.disconnect(sides);
    });
  }

  static get possible(): boolean {
    return typeof MediaRecorder !== "undefined" && MediaRecorder.isTypeSupported(KIND);
  }

  #take(data: Blob, last: boolean): void {
    if (this.#broken) return;
    this.#waiting.push({ data, last });
    this.#broken = this.#waiting.length > MOST_WAITING;
    if (!this.#sending) void this.#send();
  }

  /** One after the other: the server takes them in order. */
  async #send(): Promise<void> {
    this.#sending = true;
    for (let next = this.#waiting.shift(); next && !this.#broken; next = this.#waiting.shift()) {
      this.#broken = !(await this.post(this.#part++, next.data, next.last));
    }
    this.#sending = false;
  }
}
