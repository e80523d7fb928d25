/**
 * The states of a conversation as a person sees them, as one table.
 *
 * `speaking` follows what can be heard, not what was announced: text runs ahead of sound. Muting is a flag beside the
 * state, not a state: a muted call goes on. A signal without an entry changes nothing.
 */
export type State =
  | "idle"
  | "requesting-mic"
  | "connecting"
  | "listening"
  | "user-speaking"
  | "thinking"
  | "speaking"
  | "reconnecting"
  | "error";

export type Signal =
  | "start" // a person asked for a conversation with the microphone
  | "start-typing" // … without it
  | "microphone" // the microphone is there
  | "connected" // session.created
  | "speech-started"
  | "speech-stopped"
  | "responding" // a response has begun
  | "waiting" // nothing to hear, but more of the response is being made
  | "audible" // sound comes out of the speaker
  | "quiet" // nothing to hear, nothing queued, nothing being made
  | "lost" // the connection broke and is tried again
  | "failed"
  | "stop";

type Row = Partial<Record<Signal, State>>;

const anywhere: Row = { failed: "error", stop: "idle" };
const live: Row = { ...anywhere, lost: "reconnecting", "speech-started": "user-speaking", audible: "speaking" };

export const TABLE: Record<State, Row> = {
  idle: { start: "requesting-mic", "start-typing": "connecting" },
  error: { start: "requesting-mic", "start-typing": "connecting", stop: "idle" },
  "requesting-mic": { ...anywhere, microphone: "connecting" },
  connecting: { ...anywhere, connected: "listening" },
  reconnecting: { ...anywhere, connected: "listening" },
  listening: { ...live, responding: "thinking" },
  // The last of the answer may still be audible when the user begins: that is an interruption, not the answer going on.
  "user-speaking": { ...live, audible: "user-speaking", "speech-stopped": "thinking", responding: "thinking" },
  thinking: { ...live, quiet: "listening" },
  speaking: { ...live, quiet: "listening", waiting: "thinking" },
};

export function next(state: State, signal: Signal): State {
  return TABLE[state][signal] ?? state;
}

/** From the click that starts to the one that ends. */
export function isOn(state: State): boolean {
  return state !== "idle" && state !== "error";
}

/** Connected: what is said or typed now reaches the other side. */
export function isLive(state: State): boolean {
  return state === "listening" || state === "user-speaking" || state === "thinking" || state === "speaking";
}
