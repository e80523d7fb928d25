/**
 * `<voice-orb>`: voice mode in one tag.
 *
 * Attributes: server, token-url, agent, context (what the page shows, told again when it changes), share, model, voice,
 * instructions, transport, timing (shows where the time of each turn went), debug, label. Events: voice-state,
 * voice-caption, voice-event, voice-notice (cost, that it is recorded, …), voice-timing, voice-error (all bubble and cross
 * shadow roots). Methods: start, stop, sendText, interrupt. Whatever happens, a second click, the element's removal or the
 * page's end releases everything.
 */
import { batch, signal } from "@preact/signals";
import { h, render } from "preact";
import { SILENT } from "../core/audio/meter";
import type { Timing } from "../core/budget";
import type { ClientEvent, ServerEvent } from "../core/events";
import type { Failure } from "../core/failure";
import { whenAllowed } from "../core/microphone";
import type { Notice } from "../core/notices";
import { RealtimeSession } from "../core/session";
import { type State, isLive, isOn } from "../core/state";
import { type Caption, Transcript } from "../core/transcript";
import { wishes } from "./attributes";
import STYLES from "./orb.css";
import { type Face, explain } from "./strings";
import { type Actions, type Model, View } from "./view";

/** From speech to silence the word changes late, so that a pause does not make it flicker. */
const CALM_MS = 500;
/** Silence longer than this reads as broken, so it is explained. */
const STILL_MS = 4000;

let base = new URL(document.baseURI);

/** Where the script came from: the default server, and the place of worklets.js. */
export function cameFrom(script: string): void {
  base = new URL(script);
}

let sheet: CSSStyleSheet | undefined;

/** Constructed, not a <style>: strict content security policies allow only that. */
function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
  }
  return sheet;
}

export class VoiceOrb extends HTMLElement {
  static readonly observedAttributes = ["label", "context", "timing"];

  readonly #model = {
    state: signal<State>("idle"),
    face: signal<Face>("idle"),
    label: signal(""),
    muted: signal(false),
    hasMicrophone: signal(true),
    captions: signal<Caption[]>([]),
    recorded: signal(false),
    timed: signal(false),
    timing: signal<Timing | null>(null),
    failure: signal(""),
  } satisfies Model;
  readonly #transcript = new Transcript();
  #session: RealtimeSession | null = null;
  #player: HTMLAudioElement | null = null;
  #typed: string[] = [];
  #faceTimer = 0;
  #serverDebug = false;
  /** WebRTC did not get through before: the next conversation does not wait for it again. */
  #webRtcFails = false;
  #connected = new AbortController();
  #retry = new AbortController();

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles()];
  }

  connectedCallback(): void {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    addEventListener("pagehide", () => this.stop(), { signal });
    this.addEventListener("keydown", (event) => this.#key(event), { signal });
    render(h(View, { model: this.#model, actions: this.#actions }), this.shadowRoot!);
  }

  disconnectedCallback(): void {
    this.stop();
    this.#connected.abort();
    render(null, this.shadowRoot!);
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (name === "label") this.#model.label.value = now ?? "";
    else if (name === "timing") this.#model.timed.value = now !== null;
    else if (now && now !== before && isLive(this.state)) this.#session?.tellContext(now);
  }

  get state(): State {
    return this.#model.state.value;
  }

  get muted(): boolean {
    return this.#model.muted.value;
  }

  set muted(muted: boolean) {
    this.#model.muted.value = muted;
    if (this.#session) this.#session.muted = muted;
    this.#face(this.state);
  }

  /** Begins a conversation, as a click does: to be called in a click, or the page may make no sound. */
  start(): Promise<void> {
    return this.#start(true);
  }

  /** Ends the conversation and releases everything, at once. The captions stay. */
  stop(): void {
    const session = this.#session;
    this.#session = null;
    this.#typed = [];
    session?.stop();
  }

  /** Says it in writing; begins a conversation without a microphone when there is none. */
  async sendText(text: string): Promise<void> {
    if (isLive(this.state)) return this.#session?.sendText(text);
    if (!this.#session) void this.#start(false);
    this.#typed.push(text);
  }

  /** Silences the answer. False when there was none. */
  interrupt(): boolean {
    return this.#session?.interrupt() ?? false;
  }

  readonly #actions: Actions = {
    toggle: () => (this.#session ? this.stop() : void this.start()),
    mute: () => {
      this.muted = !this.muted;
    },
    player: (element) => {
      this.#player = element;
    },
    levels: () => this.#session?.levels() ?? { user: SILENT, assistant: SILENT },
  };

  async #start(microphone: boolean): Promise<void> {
    if (this.#session || !this.#player) return;
    this.#retry.abort();
    this.#typed = [];
    batch(() => {
      this.#model.failure.value = "";
      this.#model.muted.value = false;
      this.#model.hasMicrophone.value = microphone;
      this.#model.captions.value = [];
      this.#model.recorded.value = false;
      this.#model.timing.value = null;
    });
    this.#transcript.clear();
    const session: RealtimeSession = new RealtimeSession(this.#options(microphone, this.#player), {
      state: (state) => this.#changed(session, state),
      captions: () => this.#caption(),
      event: (direction, event) => this.#event(direction, event),
      failure: (failure) => this.#failed(failure),
      notice: (notice) => this.#noticed(notice),
      timing: (timing) => {
        this.#model.timing.value = timing;
        this.#tell("voice-timing", timing);
      },
      debug: () => {
        this.#serverDebug = true;
      },
    });
    this.#session = session;
    await session.start();
  }

  #options(microphone: boolean, player: HTMLAudioElement): RealtimeSession["options"] {
    const wished = wishes(this, base);
    const transport = this.#webRtcFails && wished.transport !== "webrtc" ? "websocket" : wished.transport;
    return { ...wished, transport, microphone, player, transcript: this.#transcript };
  }

  #changed(session: RealtimeSession, state: State): void {
    const before = this.state;
    if (!isOn(state) && this.#session === session) this.#session = null;
    if (!isOn(state)) this.#model.recorded.value = false;
    this.#model.state.value = state;
    if (state === "user-speaking") this.#model.failure.value = "";
    const calm = before === "speaking" && state === "listening";
    const still = state === "thinking";
    clearTimeout(this.#faceTimer);
    if (!calm) this.#face(state);
    if (calm) this.#faceTimer = setTimeout(() => this.#face(state), CALM_MS);
    if (still) this.#faceTimer = setTimeout(() => this.#show("still-thinking"), STILL_MS);
    const transport = session.transport?.kind ?? null;
    this.#webRtcFails ||= session.fellBack;
    this.#tell("voice-state", { state, before, transport });
    if (isLive(state)) for (const text of this.#typed.splice(0)) session.sendText(text);
  }

  /** The word and icon of a state; while it listens, also whether it can hear. */
  #face(state: State): void {
    const deaf = this.#model.hasMicrophone.value ? this.muted && "muted" : "ready";
    this.#show(state === "listening" && deaf ? deaf : state);
  }

  #show(face: Face): void {
    this.#model.face.value = face;
  }

  #caption(): void {
    const before = new Map(this.#model.captions.value.map((caption) => [caption.id, JSON.stringify(caption)]));
    const captions = this.#transcript.captions();
    this.#model.captions.value = captions;
    for (const caption of captions) {
      if (before.get(caption.id) !== JSON.stringify(caption)) this.#tell("voice-caption", caption);
    }
  }

  #event(direction: "in" | "out", event: ServerEvent | ClientEvent): void {
    if (this.#serverDebug || this.hasAttribute("debug")) console.debug("voice-orb", direction, event.type, event);
    this.#tell("voice-event", { direction, event });
  }

  /** What the server says beside the conversation; of that a person has to know when it is recorded. */
  #noticed(notice: Notice): void {
    if (notice.type === "vivavoce.resume") return; // a secret of this conversation
    if (notice.type === "vivavoce.recording") this.#model.recorded.value = notice["on"] === true;
    this.#tell("voice-notice", notice);
  }

  #failed(failure: Failure): void {
    const message = explain(failure.kind, failure.detail);
    this.#model.failure.value = message;
    this.#tell("voice-error", { kind: failure.kind, detail: failure.detail, message });
    if (failure.kind !== "denied") return;
    this.#retry = new AbortController();
    const forget = () => {
      this.#model.failure.value = "";
      this.#retry.abort();
    };
    void whenAllowed(forget, AbortSignal.any([this.#retry.signal, this.#connected.signal]));
  }

  /** Escape first silences the answer, then ends the conversation. */
  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || !this.#session) return;
    event.preventDefault();
    if (!this.interrupt()) this.stop();
  }

  #tell(name: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
