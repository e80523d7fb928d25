/** Whether an answer is due, being made or being heard: what is made known is put together with what can be heard. */
import type { ServerEvent } from "./events";
import type { Signal } from "./state";

/** A question is answered, or was none: after this nobody waits for the answer to begin. */
const ANSWER_BUDGET_MS = 10_000;
/** Speech has pauses: silence counts as the end only after this. */
const HANG_MS = 250;

export class Answering {
  /** Ids of responses being made. */
  readonly #making = new Set<string>();
  #playing = false;
  #audibleAt = 0;
  /** Until then an answer is due that nobody has announced yet. */
  #dueUntil = 0;

  get making(): boolean {
    return this.#making.size > 0;
  }

  get sounding(): boolean {
    return this.#playing;
  }

  /** The speaker has more to play, or nothing more. */
  set sounding(sounding: boolean) {
    this.#playing = sounding;
  }

  follow({ type, response }: ServerEvent, now: number): void {
    switch (type) {
      case "input_audio_buffer.speech_stopped":
        this.#dueUntil = now + ANSWER_BUDGET_MS;
        break;
      case "response.created":
        this.#dueUntil = 0;
        this.#making.add(response?.id ?? "");
        break;
      case "response.done":
        this.#making.delete(response?.id ?? "");
        break;
      case "output_audio_buffer.started":
      case "response.output_audio.delta":
        this.#playing = true;
    }
  }

  /** What there is to say of it right now. */
  look(audible: boolean, now: number): Signal | null {
    if (audible) {
      this.#audibleAt = now;
      return "audible";
    }
    if (now - this.#audibleAt <= HANG_MS || this.#playing || now <= this.#dueUntil) return null;
    return this.making ? "waiting" : "quiet";
  }

  /** Nothing of it is known any more. */
  forget(): void {
    this.#making.clear();
    this.#playing = false;
  }
}
