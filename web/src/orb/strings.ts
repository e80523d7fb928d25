/** Every word the orb says to people. */
import type { FailureKind } from "../core/failure";
import type { State } from "../core/state";

export const START = "Start voice";
export const STOP = "Stop voice";
export const MUTE = "Mute the microphone";
export const UNMUTE = "Unmute the microphone";
export const CAPTIONS = "Conversation";
export const INTERRUPTED = "interrupted";
export const RECORDED = "This conversation is recorded.";
export const YOU = "You";
export const ANSWER = "Answer";

export const TIMING = "Milliseconds from the end of speech to the first sound of the answer, by what they were spent on";
export const NO_TURN_YET = "Where the time went is shown here after each spoken turn.";
/** By the names of the server, and `heard`, which is ours. */
export const STAGES: Record<string, string> = {
  decided: "silence",
  recognised: "recognition",
  first_token: "mind",
  first_audio: "voice",
  first_packet: "sending",
  heard: "on the way",
};

export const IDLE = "Tap to speak";
const END = " (tap to end)";

export type Face = State | "still-thinking" | "muted" | "ready";

const WORDS: Record<Face, string> = {
  idle: "",
  error: "",
  "requesting-mic": "Waiting for the microphone…",
  connecting: "Connecting…",
  listening: "Listening…",
  "user-speaking": "Listening…",
  thinking: "Thinking…",
  "still-thinking": "Still thinking…",
  speaking: "Speaking…",
  reconnecting: "Connecting again…",
  muted: "Muted",
  ready: "Ready for your words",
};

/** The line under the orb. `idle` replaces the invitation to speak. */
export function words(face: Face, idle: string): string {
  return WORDS[face] ? WORDS[face] + END : idle || IDLE;
}

/** What happened, and what to do. */
const FAILURES: Record<FailureKind, [string, string]> = {
  insecure: [
    "This page may not use the microphone because it is not secure.",
    "Open it over HTTPS, or on localhost. Typing works here too.",
  ],
  policy: [
    "The page around this one does not let it use the microphone.",
    'Its frame needs allow="microphone".',
  ],
  denied: [
    "The microphone is blocked.",
    "Allow it next to the page's address or in your system's settings, then tap again.",
  ],
  dismissed: ["The question about the microphone was closed.", "Tap again, and choose “Allow”."],
  missing: ["No microphone was found.", "Plug one in, then tap again."],
  busy: ["The microphone is in use by another program.", "Close that one, then tap again."],
  unplugged: ["The microphone went away.", "Plug it in, then tap again."],
  unreachable: ["The voice server cannot be reached.", "Check that it is running and lets this site in, then tap again."],
  locked: ["This server lets in those who have a link.", "Ask whoever runs it for one."],
  refused: ["The voice server refused.", "Tap to try again."],
  lost: ["The connection was lost.", "Tap to start again."],
  ended: ["The voice server ended the conversation.", "Tap to start again."],
  trouble: ["The voice server has a problem.", ""],
  unsupported: [
    "This browser cannot hold a voice conversation here.",
    "Try a current Chrome, Edge, Firefox or Safari.",
  ],
};

/** `detail`: the other side's own words, if it gave any. */
export function explain(kind: FailureKind, detail: string): string {
  const [what, remedy] = FAILURES[kind];
  return [what, detail, remedy].filter(Boolean).join(" ");
}
