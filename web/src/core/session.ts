/**
 * One conversation, from the click that starts it to the one that ends it.
 *
 * Everything it opens belongs to its scope, so that `stop` releases all of it at any moment, also half-way through
 * starting. The session knows no interface: it reports through its hooks and is asked for its levels.
 */
import { type Levels, Meter, SILENT } from "./audio/meter";
import { openFirst, within } from "./connect";
import { type ServerConfig, type SessionWishes, type TransportChoice, mintKey, readConfig, sessionConfig } from "./credentials";
import type { ClientEvent, ServerEvent } from "./events";
import { Failure } from "./failure";
import { openMicrophone } from "./microphone";
import { Aborted, Scope } from "./scope";
import { type Signal, type State, isLive, next } from "./state";
import type { Transcript } from "./transcript";
import type { Line, Transport, TransportHooks, TransportKind } from "./transport";

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
  /** The server asks for raw events in the console. */
  debug(): void;
}

/** How long the word that the session exists may take. */
const CREATED_BUDGET_MS = 10_000;
/** A question is answered, or was none: after this nobody waits for the answer to begin. */
const ANSWER_BUDGET_MS = 10_000;
const TICK_MS = 50;
/** Speech has pauses: silence counts as the end only after this. */
const HANG_MS = 250;
const RECONNECTS = 3;
const RECONNECT_MS = 300;
const DEFAULT_MODEL = "gpt-realtime";
/** Errors that only say that two messages crossed on the way. */
const HARMLESS = new Set(["response_cancel_not_active", "item_truncate_invalid_item_id"]);

export class RealtimeSession {
  state: State = "idle";
  transport: Transport | null = null;
  readonly #scope = new Scope();
  /** The connection of the moment: closed and opened anew when it breaks. */
  #connection = this.#scope.child();
  readonly #context: AudioContext;
  #microphone: MediaStream | null = null;
  #muted = false;
  #micMeter: Meter | null = null;
  #outMeter: Meter | null = null;
  #order: TransportKind[] = ["webrtc", "websocket"];
  /** WebRTC was tried first and did not connect. */
  fellBack = false;
  #model = DEFAULT_MODEL;
  #config: ServerConfig = {};
  /** Ids of responses being made. */
  readonly #responses = new Set<string>();
  #playing = false;
  #audibleAt = 0;
  /** Until then an answer is due that nobody has announced yet. */
  #dueUntil = 0;
  #created: (() => void) | null = null;
  #serverWords = "";

  /** Must be called in the click itself: only then may the page make sound. */
  constructor(
    readonly options: SessionOptions,
    readonly hooks: SessionHooks,
  ) {
    this.#context = new AudioContext({ latencyHint: "interactive" });
    void this.#context.resume();
    this.#scope.defer(() => void this.#context.close());
  }

  /** Resolves when the conversation is live, or has ended before it was. Never throws: see `hooks.failure`. */
  async start(): Promise<void> {
    try {
      this.#signal(this.options.microphone ? "start" : "start-typing");
      const config = readConfig(this.options.server, this.#scope.signal);
      if (this.options.microphone) await this.#takeMicrophone();
      this.#configure(await config);
      await this.#connect();
      this.#scope.every(TICK_MS, () => this.#tick());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Releases everything, at once. */
  stop(): void {
    this.#signal("stop");
    this.#scope.close();
  }

  send(event: ClientEvent): void {
    this.hooks.event("out", event);
    this.transport?.send(event);
  }

  sendText(text: string): void {
    this.interrupt();
    const content = [{ type: "input_text", text }];
    this.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
    this.send({ type: "response.create" });
  }

  /** Silences the answer. False when there was none. */
  interrupt(): boolean {
    if (!this.#responses.size && !this.#playing) return false;
    if (this.#responses.size) this.send({ type: "response.cancel" });
    this.transport?.silence();
    return true;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Keeps the microphone, but gives it nothing to hear. */
  set muted(muted: boolean) {
    this.#muted = muted;
    for (const track of this.#microphone?.getTracks() ?? []) track.enabled = !muted;
  }

  /** How loud the two sides are right now. */
  levels(): { user: Levels; assistant: Levels } {
    return { user: this.#micMeter?.read() ?? SILENT, assistant: this.#outMeter?.read() ?? SILENT };
  }

  async #takeMicrophone(): Promise<void> {
    const stopTracks = (stream: MediaStream) => stream.getTracks().forEach((track) => track.stop());
    const microphone = await this.#scope.own(openMicrophone(), stopTracks);
    this.#microphone = microphone;
    this.muted = this.#muted;
    const unplugged = () => !this.#scope.closed && this.#fail(new Failure("unplugged"));
    for (const track of microphone.getTracks()) track.onended = unplugged;
    this.#micMeter = new Meter(this.#context.createMediaStreamSource(microphone));
    this.#signal("microphone");
  }

  /** Tells the agent that the page has changed. */
  tellContext(text: string): void {
    const item = { id: `context_${Date.now().toString(36)}`, type: "message", role: "system" };
    this.send({ type: "conversation.item.create", item: { ...item, content: [{ type: "input_text", text }] } });
  }

  #wishes(): SessionWishes {
    return { ...this.options, agent: this.options.agent ?? this.#config.agent ?? undefined };
  }

  #configure(config: ServerConfig): void {
    this.#config = config;
    if (config.debug) this.hooks.debug();
    this.#model = this.options.model ?? config.model ?? DEFAULT_MODEL;
    const choice = this.options.transport ?? config.transport ?? "auto";
    if (choice !== "auto") this.#order = [choice];
  }

  async #connect(): Promise<void> {
    this.#scope.check();
    const key = await mintKey(this.options.tokenUrl, this.#wishes(), this.#scope.signal);
    if (this.#config.relays) this.#config = await readConfig(this.options.server, this.#scope.signal, key);
    this.#scope.check();
    const { promise: created, resolve } = withResolvers();
    this.#created = resolve;
    const first = await openFirst(this.#order, (attempt) => this.#line(key, attempt), this.#scope);
    this.fellBack ||= first.order !== this.#order;
    this.#order = first.order;
    this.#connection = first.connection;
    this.transport = first.transport;
    this.#outMeter = new Meter(this.transport.output);
    await within(this.#connection, CREATED_BUDGET_MS, created);
    this.#signal("connected");
  }

  #line(key: string, attempt: Scope): Line {
    const ifCurrent =
      <A extends unknown[]>(then: (...args: A) => void) =>
      (...args: A) =>
        attempt.closed || then(...args);
    const hooks: TransportHooks = {
      event: ifCurrent((event) => this.#receive(event)),
      heard: ifCurrent((item, ms, busy) => this.#heard(item, ms, busy)),
      cut: ifCurrent((item, ms) => this.#cut(item, ms)),
      lost: ifCurrent((ended, words) => void this.#lost(ended, words)),
    };
    const { server, worklets, player } = this.options;
    const iceServers = this.#config.iceServers ?? [];
    const [context, microphone] = [this.#context, this.#microphone];
    return { server, worklets, player, model: this.#model, key, iceServers, context, microphone, hooks };
  }

  #receive(event: ServerEvent): void {
    this.hooks.event("in", event);
    REACTIONS[event.type]?.(this, event);
    if (this.options.transcript.apply(event)) this.hooks.captions();
  }

  /** What each server event means for the conversation, beside its captions. */
  static readonly reactions: Record<string, ((session: RealtimeSession, event: ServerEvent) => void) | undefined> = {
    "session.created": (session, { session: config }) => {
      // A key that an app's own server minted may not have asked for captions.
      const wishes = session.#wishes();
      if (config && !config.audio?.input?.transcription && !wishes.agent) {
        session.send({ type: "session.update", session: sessionConfig({ ...wishes, model: undefined }) });
      }
      session.#created?.();
    },
    "input_audio_buffer.speech_started": (session) => session.#signal("speech-started"),
    "input_audio_buffer.speech_stopped": (session) => {
      session.#dueUntil = performance.now() + ANSWER_BUDGET_MS;
      session.#signal("speech-stopped");
    },
    "response.created": (session, { response }) => {
      session.#dueUntil = 0;
      session.#responses.add(response?.id ?? "");
      session.#signal("responding");
    },
    "response.done": (session, { response }) => {
      session.#responses.delete(response?.id ?? "");
      const words = response?.status_details?.error?.message;
      if (response?.status === "failed") session.hooks.failure(new Failure("trouble", words ?? ""));
    },
    "output_audio_buffer.started": (session) => {
      session.#playing = true;
    },
    "response.output_audio.delta": (session) => {
      session.#playing = true;
    },
    error: (session, { error }) => {
      if (HARMLESS.has(error?.code ?? "")) return;
      session.#serverWords = error?.message ?? "";
      if (isLive(session.state)) session.hooks.failure(new Failure("trouble", session.#serverWords));
    },
  };

  #heard(item: string | null, ms: number, busy: boolean): void {
    this.#playing = busy;
    if (!item) return;
    if (this.options.transcript.heard(item, ms, busy)) this.hooks.captions();
  }

  #cut(item: string, ms: number): void {
    this.#playing = false;
    this.options.transcript.cut(item, ms);
    this.hooks.captions();
  }

  #tick(): void {
    const now = performance.now();
    if (this.#outMeter?.audible) {
      this.#audibleAt = now;
      this.#signal("audible");
    } else if (now - this.#audibleAt > HANG_MS && !this.#playing && now > this.#dueUntil) {
      this.#signal(this.#responses.size ? "waiting" : "quiet");
    }
  }

  async #lost(ended: boolean, words: string): Promise<void> {
    const said = this.#serverWords || words;
    const wasLive = isLive(this.state);
    this.#connection.close();
    if (ended || !wasLive) return this.#fail(new Failure(ended ? "ended" : "lost", said));
    try {
      await this.#reconnect();
    } catch (error) {
      this.#fail(error instanceof Failure ? new Failure("lost", said) : error);
    }
  }

  /** The microphone stays; the conversation begins anew, since the server forgot the old one. */
  async #reconnect(): Promise<void> {
    this.#responses.clear();
    this.#playing = false;
    this.#signal("lost");
    for (let attempt = 0; ; attempt++) {
      await this.#scope.sleep(RECONNECT_MS * 2 ** attempt * (1 + Math.random()));
      try {
        return await this.#connect();
      } catch (error) {
        if (error instanceof Aborted || attempt + 1 >= RECONNECTS) throw error;
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#scope.closed || error instanceof Aborted) return;
    this.#scope.close();
    this.#signal("failed");
    this.hooks.failure(error instanceof Failure ? error : new Failure("unsupported", String(error)));
  }

  #signal(signal: Signal): void {
    const state = next(this.state, signal);
    if (state === this.state) return;
    this.state = state;
    this.hooks.state(state);
  }
}

const REACTIONS = RealtimeSession.reactions;

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
