/**
 * Where the time between a speaker's last sound and the first of the answer went: the server's stages of the turn, and what
 * is left of it until the answer is heard here.
 *
 * Both clocks meet in the moment when the turn is decided, which the server counts from the last sound and tells at once.
 * So what the microphone's sound takes to the server, and that word takes back, is in no stage.
 */
import type { ServerEvent } from "./events";
import type { Notice } from "./notices";

/** Milliseconds. The stages stand in their order, and add up to the total. */
export interface Timing {
  stages: Record<string, number>;
  total: number;
}

/** The server's `vivavoce.turn`, as far as it is read here. */
interface Told {
  item_id: string;
  stages: Record<string, number>;
  at: Record<string, number>;
  total: number;
}

export class Budget {
  #item: string | undefined;
  #decidedAt = 0;
  #heardAt = 0;
  #told: Told | null = null;

  /** `tell` is called once a turn, when all of it is known. */
  constructor(readonly tell: (timing: Timing) => void) {}

  /** Times are those of one clock, in ms. */
  follow({ type, item_id }: ServerEvent, now: number): void {
    if (type === "input_audio_buffer.speech_started") this.#item = undefined;
    if (type !== "input_audio_buffer.speech_stopped") return;
    [this.#item, this.#decidedAt, this.#heardAt, this.#told] = [item_id, now, 0, null];
  }

  /** Whether a turn is over whose answer has not been heard yet. */
  get waiting(): boolean {
    return this.#item !== undefined && !this.#heardAt;
  }

  /** Something can be heard, and has been since then: what began before the turn was over is no answer to it. */
  heard(since: number): void {
    if (!this.waiting || since < this.#decidedAt) return;
    this.#heardAt = since;
    this.#whole();
  }

  notice(notice: Notice): void {
    if (this.#item === undefined || notice.type !== "vivavoce.turn" || notice["item_id"] !== this.#item) return;
    this.#told = notice as unknown as Told;
    this.#whole();
  }

  #whole(): void {
    if (!this.#told || !this.#heardAt) return;
    const { stages, at, total } = this.#told;
    const heard = Math.round(this.#heardAt - this.#decidedAt + (at["decided"] ?? 0));
    const way = Math.max(0, heard - total);
    this.#item = undefined;
    this.tell({ stages: { ...stages, heard: way }, total: total + way });
  }
}
