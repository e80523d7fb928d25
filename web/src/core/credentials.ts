/** What is asked of the server before a conversation: how it wants to be spoken to, and a fresh key. */
import { Failure } from "./failure";

export type TransportChoice = "auto" | "webrtc" | "websocket";

export interface ServerConfig {
  transport?: TransportChoice;
  debug?: boolean;
  model?: string;
  voice?: string | null;
  /** Only our own server has this. */
  authentication?: "key" | "none";
  /** In plain words, who answers. */
  answers?: string;
  /** The agent of those who name none. */
  agent?: string | null;
  iceServers?: RTCIceServer[];
  /** Whether asking with a key tells of relays too. */
  relays?: boolean;
}

export interface SessionWishes {
  /** A cough does not end an answer. Asked for only of a server that knows the word. */
  forgiving?: boolean | undefined;
  model?: string | undefined;
  voice?: string | undefined;
  instructions?: string | undefined;
  agent?: string | undefined;
  /** What the page tells the agent of itself. */
  context?: string | undefined;
  /** The token of a share link, in the place of a key. */
  share?: string | undefined;
}

/** A key outlives the click by a minute, no more: it is used at once. */
const KEY_SECONDS = 60;
const TRANSCRIPTION = { model: "gpt-4o-mini-transcribe" };

/** The session configuration (GA) that the key carries. Captions need the transcription; an agent has its own. */
export function sessionConfig(wishes: SessionWishes): object {
  const { model, voice, instructions, agent } = wishes;
  const input = agent ? undefined : { transcription: TRANSCRIPTION };
  return {
    type: "realtime",
    ...(model && { model }),
    ...(instructions && { instructions }),
    audio: { ...(input && { input }), ...(voice && { output: { voice } }) },
  };
}

/** `GET /api/config`. A server without it (OpenAI's own, an older one) is no mistake: then everything is default. */
export async function readConfig(server: string, signal: AbortSignal, key = ""): Promise<ServerConfig> {
  try {
    const headers: HeadersInit = key ? { Authorization: `Bearer ${key}` } : {};
    const response = await fetch(`${server}/api/config`, { signal, headers });
    const config: unknown = response.ok ? await response.json() : null;
    return typeof config === "object" && config ? config : {};
  } catch {
    return {};
  }
}

/** Mints a key at `url`. Throws `Failure`: "unreachable", or "refused" with the server's words. */
export async function mintKey(url: string, wishes: SessionWishes, signal: AbortSignal): Promise<string> {
  const expires_after = { anchor: "created_at", seconds: KEY_SECONDS };
  const { agent, context, share, forgiving } = wishes;
  const theirs = { ...(agent && { agent }), ...(context && { context }), ...(share && { share }) };
  const ours = { ...theirs, ...(forgiving && { forgiving }) };
  const body = { expires_after, session: sessionConfig(wishes), ...ours };
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await reach(url, { ...request, signal });
  const key = keyFrom(await response.json().catch(() => null));
  if (!key) throw new Failure("refused", "The answer held no key.");
  return key;
}

/** The three shapes in which servers hand out a key: OpenAI's of today, of 2024, and the bare string of many apps. */
export function keyFrom(answer: unknown): string | null {
  const { value, client_secret: secret } = (answer ?? {}) as { value?: unknown; client_secret?: unknown };
  const key = value ?? (secret as { value?: unknown } | undefined)?.value ?? secret;
  return typeof key === "string" && key ? key : null;
}

/** A fetch whose only outcomes are a good response and a `Failure`. */
export async function reach(url: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch {
    throw new Failure("unreachable");
  }
  if (!response.ok) throw new Failure("refused", await refusal(response), response.status);
  return response;
}

async function refusal(response: Response): Promise<string> {
  const answer = (await response.json().catch(() => null)) as { error?: { message?: unknown } | string } | null;
  const words = typeof answer?.error === "string" ? answer.error : answer?.error?.message;
  return typeof words === "string" && words ? words : `It answered ${response.status}.`;
}
