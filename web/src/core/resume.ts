/**
 * How a conversation that was cut off is taken up again: with the newest token that the server told, and the last event
 * that was seen, so that what was missed is told and nothing twice.
 */
import type { ServerEvent } from "./events";
import type { Notice } from "./notices";

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

  /** The server does not know the token any more. */
  forget(): void {
    this.#token = "";
    this.#after = undefined;
  }
}
