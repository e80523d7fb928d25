/**
 * One conversation, from the click that starts it to the one that ends it.
 *
 * Everything it opens belongs to its scope, so that `stop` releases all of it at any moment, also half-way through
 * starting. The session knows no interface: it reports through its hooks and is asked for its levels.
 */
import { Answering } from "./answering";
import type { Levels } from "./audio/meter";
import { Beside, recordedHere } from "./beside";
import { Budget } from "./budget";
import { within, withResolvers } from "./connect";
import { sessionConfig } from "./credentials";
import { Dialing } from "./dialing";
import type { ClientEvent, ServerEvent } from "./events";
import { Failure } from "./failure";
import { type Notice, isNotice } from "./notices";
import type { SessionHooks, SessionOptions } from "./options";
import { Resume, type Return } from "./resume";
import { Aborted, Scope } from "./scope";
import { Sound } from "./sound";
import { Speaker } from "./speaker";
import { type Signal, type State, isLive, next } from "./state";
import type { Transport, TransportHooks } from "./transport";

/** How long the word that the session exists may take. */
const CREATED_BUDGET_MS = 10_000;
const TICK_MS = 50;
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
  readonly #budget = new Budget((timing) => this.hooks.timing(timing));
  readonly #resume = new Resume();
  readonly #speaker: Speaker;
  readonly #dialing: Dialing;
  #beside: Beside | null = null;
  #created: (() => void) | null = null;
  #serverWords = "";

  /** Must be called in the click itself: only then may the page make sound. */
  constructor(
    readonly options: SessionOptions,
    readonly hooks: SessionHooks,
  ) {
    this.#speaker = new Speaker(this.#sound.context, options.player, options.worklets, this.#scope);
    this.#dialing = new Dialing(options, this.#sound, this.#speaker, this.#scope);
  }

  /** WebRTC was tried first and did not connect. */
  get fellBack(): boolean {
    return this.#dialing.fellBack;
  }

  /** Resolves when the conversation is live, or has ended before it was. Never throws: see `hooks.failure`. */
  async start(): Promise<void> {
    try {
      this.#signal(this.options.microphone ? "start" : "start-typing");
      const asked = this.#dialing.ask();
      asked.catch(() => {}); // it is awaited, but the microphone first
      if (this.options.microphone) {
        await this.#sound.take((failure) => this.#fail(failure));
        this.#signal("microphone");
      }
      if ((await asked).debug) this.hooks.debug();
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

  async #connect(back: Return | null = null): Promise<void> {
    const { promise: created, resolve } = withResolvers();
    this.#created = resolve;
    const { transport, connection } = await this.#dialing.open((attempt) => this.#hooks(attempt), back);
    this.#connection = connection;
    this.transport = transport;
    this.#sound.output = transport.output;
    if (!back) await within(connection, CREATED_BUDGET_MS, created);
    this.#signal("connected");
  }

  /** An attempt that was given up has nothing to say any more. */
  #hooks(attempt: Scope): TransportHooks {
    const ifCurrent =
      <A extends unknown[]>(then: (...args: A) => void) =>
      (...args: A) =>
        attempt.closed || then(...args);
    return {
      event: ifCurrent((event) => this.#receive(event)),
      heard: ifCurrent((item, ms, busy) => this.#heard(item, ms, busy)),
      cut: ifCurrent((item, ms) => this.#cut(item, ms)),
      lost: ifCurrent((ended, words) => void this.#lost(ended, words)),
    };
  }

  #receive(event: ServerEvent): void {
    if (isNotice(event)) return this.#notice(event);
    this.#resume.saw(event);
    this.hooks.event("in", event);
    const now = performance.now();
    this.#answering.follow(event, now);
    this.#budget.follow(event, now);
    REACTIONS[event.type]?.(this, event);
    if (this.options.transcript.apply(event)) this.hooks.captions();
  }

  /** What each server event means for the conversation, beside its captions. */
  static readonly reactions: Record<string, ((session: RealtimeSession, event: ServerEvent) => void) | undefined> = {
    "session.created": (session, { session: config }) => {
      // A key that an app's own server minted may not have asked for captions.
      const { wishes } = session.#dialing;
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
    if (this.#beside?.id === id) return; // told once more to one who came back
    this.#beside = new Beside(this.options.server, id, this.#dialing.key);
    void this.#beside.listen((notice) => this.#notice(notice), this.#scope);
  }

  #notice(notice: Notice): void {
    this.#resume.told(notice);
    this.#budget.notice(notice);
    if (notice.type === "vivavoce.hold") this.#speaker.hold(notice["on"] === true);
    if (this.transport && recordedHere(notice)) {
      this.#beside?.record(this.#sound.context, this.#sound.microphone, this.transport.output, this.#connection);
    }
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
    const now = performance.now();
    const audibleFor = this.#budget.waiting ? this.#sound.audibleFor : null;
    if (audibleFor !== null) this.#budget.heard(now - audibleFor);
    const signal = this.#answering.look(this.#sound.audible, now);
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
    await this.#resume.retry((back) => {
      if (!back) {
        this.#answering.forget();
        void this.#speaker.flush();
      }
      return this.#connect(back);
    }, this.#scope);
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
