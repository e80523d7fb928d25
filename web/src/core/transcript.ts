/**
 * The captions: what both sides said, in the order of the conversation, each line as far as it was heard.
 *
 * The words of an answer arrive long before its sound. They are shown at the speed of the playhead, and when the
 * answer is interrupted the line keeps only what was heard.
 */
import type { Item, ServerEvent } from "./events";

export interface Caption {
  id: string;
  role: "user" | "assistant";
  text: string;
  /** Nothing will be added any more. */
  final: boolean;
  interrupted: boolean;
}

interface Turn {
  id: string;
  role: "user" | "assistant";
  response: string;
  text: string;
  /** Where in the sound (ms) which part of the text begins (characters): words come just before their sound. */
  clauses: { ms: number; from: number }[];
  complete: boolean;
  /** False for typed and written words: they are read, not heard. */
  spoken: boolean;
  /** Sound received so far, in ms. Stays 0 on WebRTC, where sound does not come as events. */
  audioMs: number;
  audioComplete: boolean;
  heardMs: number;
  played: boolean;
  cutMs: number | null;
  /** Characters shown; never fewer than before, except by a cut. */
  shown: number;
}

/** Characters a voice speaks in a millisecond, where the length of the sound is not known (yet). */
const SPEECH_RATE = 0.015;
/** base64 of 16-bit samples at 24 kHz: 64 characters a millisecond. */
const BASE64_PER_MS = 64;
const MOST_TURNS = 200;

export class Transcript {
  readonly #turns = new Map<string, Turn>();

  /** The lines that have something to show. */
  captions(): Caption[] {
    return [...this.#turns.values()].flatMap((turn) => {
      const text = turn.text.slice(0, turn.shown).trim();
      const interrupted = turn.cutMs !== null;
      const final = interrupted || (turn.complete && turn.shown >= turn.text.length);
      const sounded = (turn.cutMs ?? 0) > 0; // of one that was cut in its first word, that it began
      return text || sounded ? [{ id: turn.id, role: turn.role, text, final, interrupted }] : [];
    });
  }

  /** Takes in one server event. False when it says nothing about the words. */
  apply(event: ServerEvent): boolean {
    const handle = HANDLERS[event.type];
    if (handle) handle(this, event);
    return handle !== undefined;
  }

  /**
   * The playhead stands at `ms` of this item; with `more` false, all that has arrived of it was played. False when
   * that shows no further word.
   */
  heard(id: string, ms: number, more: boolean): boolean {
    const turn = this.#turns.get(id);
    if (!turn) return false;
    const before = turn.shown;
    turn.heardMs = Math.max(turn.heardMs, ms);
    turn.played = !more;
    this.#reveal(turn);
    return turn.shown !== before;
  }

  /** Only the first `ms` of this item were heard. */
  cut(id: string, ms: number): void {
    const turn = this.#turns.get(id);
    if (!turn || turn.role === "user") return;
    turn.cutMs = ms;
    turn.shown = heardUntil(turn, ms);
  }

  clear(): void {
    this.#turns.clear();
  }

  turn(id: string, role: Turn["role"], response = ""): Turn {
    let turn = this.#turns.get(id);
    if (!turn) {
      const empty = { text: "", clauses: [], complete: false, spoken: false, audioMs: 0, audioComplete: false };
      turn = { id, role, response, ...empty, heardMs: 0, played: false, cutMs: null, shown: 0 };
      this.#turns.set(id, turn);
      const [oldest] = this.#turns.keys();
      if (this.#turns.size > MOST_TURNS && oldest) this.#turns.delete(oldest);
    }
    return turn;
  }

  write(turn: Turn, text: string, complete: boolean): void {
    if (turn.cutMs !== null) return;
    turn.text = text;
    turn.complete = complete;
    this.#reveal(turn);
  }

  sound(turn: Turn, ms: number): void {
    turn.spoken = true;
    turn.audioMs += ms;
    turn.played = false;
  }

  /** The response was given up: of its lines, what was not heard yet never will be. */
  abandon(response: string): void {
    for (const turn of this.#turns.values()) {
      if (turn.response !== response || turn.cutMs !== null) continue;
      if (turn.spoken && !turn.played) this.cut(turn.id, turn.heardMs);
      else if (!turn.spoken) turn.complete = true;
    }
  }

  #reveal(turn: Turn): void {
    if (turn.cutMs !== null) return;
    const everything = !turn.spoken || turn.played;
    const due = everything ? turn.text.length : wordEnd(turn.text, position(turn, turn.heardMs));
    turn.shown = Math.max(turn.shown, due);
  }
}

type Handler = (store: Transcript, event: ServerEvent) => void;

const user: (complete: boolean) => Handler = (complete) => (store, event) => {
  const turn = store.turn(event.item_id ?? "", "user");
  store.write(turn, complete ? (event.transcript ?? "") : turn.text + (event.delta ?? ""), complete);
};

const assistant: (spoken: boolean, complete: boolean) => Handler = (spoken, complete) => (store, event) => {
  const turn = store.turn(event.item_id ?? "", "assistant", event.response_id);
  turn.spoken = spoken;
  if (turn.clauses.at(-1)?.ms !== turn.audioMs) turn.clauses.push({ ms: turn.audioMs, from: turn.text.length });
  store.write(turn, complete ? (event.transcript ?? event.text ?? turn.text) : turn.text + (event.delta ?? ""), complete);
};

const item: Handler = (store, event) => {
  if (event.item?.type !== "message" || event.item.role === "system") return;
  const turn = store.turn(event.item.id, event.item.role === "user" ? "user" : "assistant", event.response_id);
  const typed = writtenText(event.item);
  if (turn.role === "user" && typed) store.write(turn, typed, true);
};

const HANDLERS: Record<string, Handler | undefined> = {
  // Of a spoken question, the place in the conversation is known before its words.
  "input_audio_buffer.committed": (store, event) => void store.turn(event.item_id ?? "", "user"),
  "conversation.item.input_audio_transcription.delta": user(false),
  "conversation.item.input_audio_transcription.completed": user(true),
  "conversation.item.added": item,
  "response.output_item.added": item,
  "response.output_audio_transcript.delta": assistant(true, false),
  "response.output_audio_transcript.done": assistant(true, true),
  "response.output_text.delta": assistant(false, false),
  "response.output_text.done": assistant(false, true),
  "response.output_audio.delta": (store, event) =>
    store.sound(
      store.turn(event.item_id ?? "", "assistant", event.response_id),
      (event.delta ?? "").length / BASE64_PER_MS,
    ),
  "response.output_audio.done": (store, event) => {
    store.turn(event.item_id ?? "", "assistant", event.response_id).audioComplete = true;
  },
  "conversation.item.truncated": (store, event) => store.cut(event.item_id ?? "", event.audio_end_ms ?? 0),
  "response.done": (store, event) => {
    if (event.response?.status === "cancelled") store.abandon(event.response.id ?? "");
  },
};

function writtenText(message: Item): string {
  return (message.content ?? []).map((part) => part.text ?? "").join("");
}

/** The clause that sounds at `ms`, and how much of it has; by guess where its sound is not here (yet). */
function sounding(turn: Turn, ms: number): { from: number; text: string; share: number } {
  const at = Math.max(0, turn.clauses.findLastIndex((clause) => clause.ms <= ms));
  const { ms: start, from } = turn.clauses[at] ?? { ms: 0, from: 0 };
  const next = turn.clauses[at + 1];
  const text = turn.text.slice(from, next?.from);
  const known = next ? next.ms - start : turn.audioComplete && turn.audioMs - start;
  return { from, text, share: Math.min(1, (ms - start) / (known || text.length / SPEECH_RATE)) };
}

/** Characters of the text that have sounded. */
function position(turn: Turn, ms: number): number {
  const { from, text, share } = sounding(turn, ms);
  return from + text.length * share;
}

/** The end of what was heard of an answer that was cut: a word counts once more than half of it was, as at the server. */
function heardUntil(turn: Turn, ms: number): number {
  const { from, text, share } = sounding(turn, ms);
  const words = text.match(/\s*\S+/g) ?? [];
  const kept = words.slice(0, Math.ceil(words.length * share - 0.5));
  return from + kept.join("").length;
}

/** The end of the word in which `position` falls: words appear whole. */
function wordEnd(text: string, position: number): number {
  if (position <= 0) return 0;
  const space = text.indexOf(" ", Math.ceil(position));
  return space < 0 ? text.length : space;
}
