/** What the page and its two worklets say to each other. */

/** To the player: sound of an item, the order to be quiet now, or to stand still and to go on from there. */
export type ToPlayer =
  | { kind: "sound"; item: string; samples: Int16Array<ArrayBuffer> }
  | { kind: "flush" }
  | { kind: "hold"; on: boolean };

/**
 * From the player: `played` counts the samples (24 kHz) of `item` that were given to the speaker; `queued` those of
 * all items that still wait. `flushed` answers a flush.
 */
export interface FromPlayer {
  kind: "position" | "flushed";
  item: string | null;
  played: number;
  queued: number;
}

/** From the capture: 20 ms of 24 kHz sound. */
export type FromCapture = Int16Array<ArrayBuffer>;

export const WIRE_RATE = 24_000;
