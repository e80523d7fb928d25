/** What a conversation is given, and what it tells of itself. */
import type { Timing } from "./budget";
import type { SessionWishes, TransportChoice } from "./credentials";
import type { ClientEvent, ServerEvent } from "./events";
import type { Failure } from "./failure";
import type { Notice } from "./notices";
import type { State } from "./state";
import type { Transcript } from "./transcript";

export interface SessionOptions extends SessionWishes {
  /** Origin (and path) before /v1/…, no slash at the end. */
  server: string;
  tokenUrl: string;
  /** Address of worklets.js. */
  worklets: string;
  /** Undefined: what the server prefers. */
  transport?: TransportChoice | undefined;
  /** False: the person types, and no microphone is asked for. */
  microphone: boolean;
  player: HTMLAudioElement;
  transcript: Transcript;
}

export interface SessionHooks {
  state(state: State): void;
  captions(): void;
  event(direction: "in" | "out", event: ServerEvent | ClientEvent): void;
  failure(failure: Failure): void;
  /** What the server says beside the conversation. */
  notice(notice: Notice): void;
  /** Where the time of a turn went. */
  timing(timing: Timing): void;
  /** The server asks for raw events in the console. */
  debug(): void;
}
