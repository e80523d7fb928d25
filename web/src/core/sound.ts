/** What a conversation is heard with: the microphone, the page's audio context, and how loud the two sides are. */
import { type Levels, Meter, SILENT } from "./audio/meter";
import { Failure } from "./failure";
import { openMicrophone } from "./microphone";
import type { Scope } from "./scope";

export class Sound {
  readonly context: AudioContext;
  microphone: MediaStream | null = null;
  #muted = false;
  #mine: Meter | null = null;
  #theirs: Meter | null = null;

  /** Must be called in a click: only then may the page make sound. */
  constructor(readonly scope: Scope) {
    this.context = new AudioContext({ latencyHint: "interactive" });
    void this.context.resume();
    scope.defer(() => void this.context.close());
  }

  /** Asks for the microphone. `unplugged` is called when it goes away. */
  async take(unplugged: (failure: Failure) => void): Promise<void> {
    const stopTracks = (stream: MediaStream) => stream.getTracks().forEach((track) => track.stop());
    const microphone = await this.scope.own(openMicrophone(), stopTracks);
    this.microphone = microphone;
    this.muted = this.#muted;
    for (const track of microphone.getTracks()) {
      track.onended = () => !this.scope.closed && unplugged(new Failure("unplugged"));
    }
    this.#mine = new Meter(this.context.createMediaStreamSource(microphone));
  }

  /** The answer's sound comes from here now. */
  set output(node: AudioNode) {
    this.#theirs = new Meter(node);
  }

  /** Whether something can be heard of the answer right now. */
  get audible(): boolean {
    return this.#theirs?.audible ?? false;
  }

  /** For how many ms lately something could be heard of the answer; null: for none. */
  get audibleFor(): number | null {
    return this.#theirs?.audibleFor ?? null;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Keeps the microphone, but gives it nothing to hear. */
  set muted(muted: boolean) {
    this.#muted = muted;
    for (const track of this.microphone?.getTracks() ?? []) track.enabled = !muted;
  }

  levels(): { user: Levels; assistant: Levels } {
    return { user: this.#mine?.read() ?? SILENT, assistant: this.#theirs?.read() ?? SILENT };
  }
}
