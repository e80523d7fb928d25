/** The addresses beside a session: what the server says that is no event, and where a recording is brought. */
import { type Notice, listen } from "./notices";
import { Recorder } from "./recorder";
import type { Scope } from "./scope";

const RETRIES = 2;
const RETRY_MS = 500;

/** The sound of the call goes past the server, and it wants a recording. */
export function recordedHere({ type, on, by }: Notice): boolean {
  return type === "vivavoce.recording" && on === true && by === "client";
}

export class Beside {
  readonly #base: string;
  #recorder: Recorder | null = null;

  constructor(
    server: string,
    readonly id: string,
    readonly key: string,
  ) {
    this.#base = `${server}/api/sessions/${encodeURIComponent(id)}`;
  }

  listen(tell: (notice: Notice) => void, scope: Scope): Promise<void> {
    return listen(`${this.#base}/events`, this.key, tell, scope);
  }

  /** Once; where the browser cannot, not at all. */
  record(context: AudioContext, mine: MediaStream | null, theirs: AudioNode, scope: Scope): void {
    if (this.#recorder || !Recorder.possible) return;
    this.#recorder = new Recorder(context, mine, theirs, (part, data, last) => this.#bring(part, data, last), scope);
  }

  /** Not bound to the conversation: the last part is brought when that is over. */
  async #bring(part: number, data: Blob, last: boolean): Promise<boolean> {
    const url = `${this.#base}/recording?part=${part}&last=${last}`;
    const headers = { Authorization: `Bearer ${this.key}`, "Content-Type": "audio/webm" };
    for (let tried = 0; ; tried++) {
      try {
        return (await fetch(url, { method: "POST", headers, body: data, keepalive: last })).ok;
      } catch {
        if (tried >= RETRIES) return false;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
