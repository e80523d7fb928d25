/** The one seam between a session and the two ways to carry it. */
import type { ClientEvent, ServerEvent } from "./events";
import type { Return } from "./resume";
import type { Scope } from "./scope";
import type { Speaker } from "./speaker";

export interface TransportHooks {
  event(event: ServerEvent): void;
  /** What is being heard: the item and how much of it so far. `busy` while there is more queued to play. */
  heard(item: string | null, ms: number, busy: boolean): void;
  /** The rest of this item will not be heard. */
  cut(item: string, ms: number): void;
  /** The connection is gone, not by us. `ended`: the other side closed it on purpose. */
  lost(ended: boolean, words: string): void;
}

export interface Line {
  server: string;
  model: string;
  key: string;
  iceServers: RTCIceServer[];
  /** What to come back with to a conversation that was cut off; null for a new one. */
  back: Return | null;
  speaker: Speaker;
  context: AudioContext;
  /** Null when the person types instead. */
  microphone: MediaStream | null;
  /** Plays the answer, unmuted: echo cancellation works best on what a media element plays. */
  player: HTMLAudioElement;
  hooks: TransportHooks;
}

export type TransportKind = "webrtc" | "websocket";

export interface Transport {
  readonly kind: TransportKind;
  /** The answer's sound, for the meter. */
  readonly output: AudioNode;
  send(event: ClientEvent): void;
  /** The person wants quiet: stop what is playing, and tell the server what was not heard. */
  silence(): void;
}

/** Resolves when events can flow. Everything opened belongs to the scope. */
export type OpenTransport = (line: Line, scope: Scope) => Promise<Transport>;
