/**
 * The two worklets of a WebSocket session, loaded once: what the microphone gives, and the player of the answer, which
 * plays on while a broken connection is made anew.
 */
import { Player } from "./audio/player";
import { Failure } from "./failure";
import type { Scope } from "./scope";
import type { FromCapture } from "../worklets/messages";

export class Speaker {
  #loaded: Promise<void> | null = null;
  #player: Player | null = null;

  constructor(
    readonly context: AudioContext,
    readonly element: HTMLAudioElement,
    readonly worklets: string,
    readonly scope: Scope,
  ) {}

  /** Throws `Failure("unsupported")`. */
  async player(): Promise<Player> {
    await this.#load();
    return (this.#player ??= new Player(this.context, this.element, this.scope));
  }

  /** Stands still or goes on; a call's track does so by itself. */
  hold(on: boolean): void {
    this.#player?.hold(on);
  }

  /** Drops what waits to be heard. */
  async flush(): Promise<void> {
    await this.#player?.flush();
  }

  /** Gives `take` what the microphone hears, 20 ms at a time, until the scope closes. */
  async capture(microphone: MediaStream, take: (samples: FromCapture) => void, scope: Scope): Promise<void> {
    await this.#load();
    const source = this.context.createMediaStreamSource(microphone);
    const worklet = new AudioWorkletNode(this.context, "vivavoce-capture", { numberOfOutputs: 0 });
    worklet.port.onmessage = ({ data }: MessageEvent<FromCapture>) => take(data);
    source.connect(worklet);
    scope.defer(() => {
      source.disconnect();
      worklet.port.close();
    });
  }

  async #load(): Promise<void> {
    try {
      await (this.#loaded ??= this.context.audioWorklet.addModule(this.worklets));
    } catch {
      throw new Failure("unsupported", "The sound worklet could not be loaded.");
    }
  }
}
