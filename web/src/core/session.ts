/**
 * One conversation, from the click that starts it to the one that ends it.
 *
 * Everything it opens belongs to its scope, so that `stop` releases all of it at any moment, also half-way through
 * starting. The session knows no interface: it reports through its hooks and is asked for its levels.
 */
import { Answering } from "./answering";
import type { Levels } from "./audio/meter";
import { openFirst, within } from "./connect";
import { type ServerConfig, type SessionWishes, type TransportChoice, mintKey, readConfig, sessionConfig } from "./credentials";
import type { ClientEvent, ServerEvent } from "./events";
import { Failure } from "./failure";
import { type Notice, isNotice, listen } from "./notices";
import { Resume, type Return } from "./resume";
import { Aborted, Scope } from "./scope";
import { Sound } from "./sound";
import { Speaker } from "./speaker";
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
  /** What the server says beside the conversation. */
  notice(notice: Notice): void;
  /** The server asks for raw events in the console. */
  debug(): void;
}

/** How long the word that the session exists may take. */
const CREATED_BUDGET_MS = 10_000;
const TICK_MS = 50;
/** A key that was asked for while the person looked for the microphone; an older one may run out on the way. */
const KEY_FRESH_MS = 40_000;
const RECONNECTS = 4;
/** With what is left of the conversation it is tried as often as this; then it begins anew. */
const RETURNS = 3;
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
  readonly #sound = new Sound(this.#scope);
  readonly #answering = new Answering();
  readonly #resume = new Resume();
  readonly #speaker: Speaker;
  #order: TransportKind[] = ["webrtc", "websocket"];
  /** WebRTC was tried first and did not connect. */
  fellBack = false;
  #model = DEFAULT_MODEL;
  #config: ServerConfig = {};
  #key = "";
  #minted = 0;
  #created: (() => void) | null = null;
  #serverWords = "";

  /** Must be called in the click itself: only then may the page make sound. */
  constructor(
    readonly options: SessionOptions,
    readonly hooks: SessionHooks,
  ) {
    this.#speaker = new Speaker(this.#sound.context, options.player, options.worklets, this.#scope);
  }

  /** Resolves when the conversation is live, or has ended before it was. Never throws: see `hooks.failure`. */
  async start(): Promise<void> {
    try {
      this.#signal(this.options.microphone ? "start" : "start-typing");
      const asked = this.#ask();
      asked.catch(() => {}); // it is awaited, but the microphone first
      if (this.options.microphone) {
        await this.#sound.take((failure) => this.#fail(failure));
        this.#signal("microphone");
      }
      await asked;
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
    const { making, sounding } = this.#answering;
    if (!making && !sounding) return false;
    if (making) this.send({ type: "response.cancel" });
    this.transport?.silence();
    return true;
  }

  get muted(): boolean {
    return this.#sound.muted;
  }

  set muted(muted: boolean) {
    this.#sound.muted = muted;
  }

  /** How loud the two sides are right now. */
  levels(): { user: Levels; assistant: Levels } {
    return this.#sound.levels();
  }

  /** Tells the agent that the page has changed. */
  tellContext(text: string): void {
    const item = { id: `context_${Date.now().toString(36)}`, type: "message", role: "system" };
    this.send({ type: "conversation.item.create", item: { ...item, content: [{ type: "input_text", text }] } });
  }

  #wishes(): SessionWishes {
    const { agent, authentication } = this.#config;
    return { ...this.options, agent: this.options.agent ?? agent ?? undefined, forgiving: authentication !== undefined };
  }

  #configure(config: ServerConfig): void {
    this.#config = config;
    if (config.debug) this.hooks.debug();
    this.#model = this.options.model ?? config.model ?? DEFAULT_MODEL;
    const choice = this.options.transport ?? config.transport ?? "auto";
    if (choice !== "auto") this.#order = [choice];
  }

  /** All that can be asked for while the person looks for the microphone. */
  async #ask(): Promise<void> {
    this.#configure(await readConfig(this.options.server, this.#scope.signal));
    this.#scope.check();
    await this.#mint();
  }

  async #mint(): Promise<void> {
    this.#key = await mintKey(this.options.tokenUrl, this.#wishes(), this.#scope.signal);
    this.#minted = performance.now();
    if (this.#config.relays) this.#config = await readConfig(this.options.server, this.#scope.signal, this.#key);
  }

  async #connect(back: Return | null = null): Promise<void> {
    this.#scope.check();
    if (back || performance.now() - this.#minted > KEY_FRESH_MS) await this.#mint();
    this.#scope.check();
    const { promise: created, resolve } = withResolvers();
    this.#created = resolve;
    const order = back && this.transport ? [this.transport.kind] : this.#order;
    const first = await openFirst(order, (attempt) => this.#line(attempt, back), this.#scope);
    if (!back) {
      this.fellBack ||= first.order !== this.#order;
      this.#order = first.order;
    }
    this.#minted = 0; // a key is for one conversation
    this.#connection = first.connection;
    this.transport = first.transport;
    this.#sound.output = this.transport.output;
    if (!back) await within(this.#connection, CREATED_BUDGET_MS, created);
    this.#signal("connected");
  }

  #line(attempt: Scope, back: Return | null): Line {
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
    const { server, player } = this.options;
    const iceServers = this.#config.iceServers ?? [];
    const { context, microphone } = this.#sound;
    const [speaker, key, model] = [this.#speaker, this.#key, this.#model];
    return { server, player, speaker, model, key, back, iceServers, context, microphone, hooks };
  }

  #receive(event: ServerEvent): void {
    if (isNotice(event)) return this.#notice(event);
    this.#resume.saw(event);
    this.hooks.event("in", event);
    this.#answering.follow(event, performance.now());
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
      if (session.transport?.kind !== "websocket" && config?.id) session.#listen(config.id);
      session.#created?.();
    },
    "input_audio_buffer.speech_started": (session) => session.#signal("speech-started"),
    "input_audio_buffer.speech_stopped": (session) => session.#signal("speech-stopped"),
    "response.created": (session) => session.#signal("responding"),
    "response.done": (session, { response }) => {
      const words = response?.status_details?.error?.message;
      if (response?.status === "failed") session.hooks.failure(new Failure("trouble", words ?? ""));
    },
    error: (session, { error }) => {
      if (HARMLESS.has(error?.code ?? "")) return;
      session.#serverWords = error?.message ?? "";
      if (isLive(session.state)) session.hooks.failure(new Failure("trouble", session.#serverWords));
    },
  };

  /** Beside a call, where nothing of ours stands between the events. */
  #listen(id: string): void {
    const url = `${this.options.server}/api/sessions/${encodeURIComponent(id)}/events`;
    void listen(url, this.#key, (notice) => this.#notice(notice), this.#scope);
  }

  #notice(notice: Notice): void {
    this.#resume.told(notice);
    this.hooks.notice(notice);
  }

  #heard(item: string | null, ms: number, busy: boolean): void {
    this.#answering.sounding = busy;
    if (!item) return;
    if (this.options.transcript.heard(item, ms, busy)) this.hooks.captions();
  }

  #cut(item: string, ms: number): void {
    this.#answering.sounding = false;
    this.options.transcript.cut(item, ms);
    this.hooks.captions();
  }

  #tick(): void {
    const signal = this.#answering.look(this.#sound.audible, performance.now());
    if (signal) this.#signal(signal);
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

  /** The microphone stays, and the sound that is here plays on. The conversation is taken up where it was, if it can. */
  async #reconnect(): Promise<void> {
    this.#signal("lost");
    for (let attempt = 0; ; attempt++) {
      await this.#scope.sleep(RECONNECT_MS * 2 ** attempt * (1 + Math.random()));
      if (attempt >= RETURNS) this.#resume.forget();
      const back = this.#resume.now;
      if (!back) this.#beginAnew();
      try {
        return await this.#connect(back);
      } catch (error) {
        if (error instanceof Aborted || attempt + 1 >= RECONNECTS) throw error;
        if (error instanceof Failure && error.status >= 400 && error.status < 500) this.#resume.forget();
      }
    }
  }

  #beginAnew(): void {
    this.#answering.forget();
    void this.#speaker.flush();
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
