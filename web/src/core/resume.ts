/**
 * How a conversation that was cut off is taken up again: with the newest token that the server told, and the last event
 * that was seen, so that what was missed is told and nothing twice.
 */
import type { ServerEvent } from "./events";
import { Failure } from "./failure";
import type { Notice } from "./notices";
import { Aborted, type Scope } from "./scope";

const RECONNECTS = 4;
/** With what is left of the conversation it is tried as often as this; then it begins anew. */
const RETURNS = 3;
const RECONNECT_MS = 300;

export interface Return {
  token: string;
  /** Id of the last event that was seen. */
  after: string | undefined;
}

export class Resume {
  #token = "";
  #after: string | undefined;

  /** What to come back with; null where there is nothing to come back to. */
  get now(): Return | null {
    return this.#token ? { token: this.#token, after: this.#after } : null;
  }

  saw(event: ServerEvent): void {
    if (event.event_id) this.#after = event.event_id;
  }

  told({ type, token }: Notice): void {
    if (type === "vivavoce.resume" && typeof token === "string") this.#token = token;
  }

  /** Connects again, where it can to what was there, else (null) to a new conversation. Throws the last failure. */
  async retry(connect: (back: Return | null) => Promise<void>, scope: Scope): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      await scope.sleep(RECONNECT_MS * 2 ** attempt * (1 + Math.random()));
      if (attempt >= RETURNS) this.forget();
      try {
        return await connect(this.now);
      } catch (error) {
        if (error instanceof Aborted || attempt + 1 >= RECONNECTS) throw error;
        if (error instanceof Failure && error.status >= 400 && error.status < 500) this.forget();
      }
    }
  }

  /** The server does not know the token any more. */
  forget(): void {
    this.#token = "";
    this.#after = undefined;
  }
}
