/** How a session reaches its server: what that wants, a fresh key, and the first transport that connects. */
import { openFirst } from "./connect";
import { type ServerConfig, type SessionWishes, mintKey, readConfig } from "./credentials";
import type { SessionOptions } from "./options";
import { Failure } from "./failure";
import type { Return } from "./resume";
import type { Scope } from "./scope";
import type { Sound } from "./sound";
import type { Speaker } from "./speaker";
import type { Line, Transport, TransportHooks, TransportKind } from "./transport";

/** A key that was asked for while the person looked for the microphone; an older one may run out on the way. */
const KEY_FRESH_MS = 40_000;
const DEFAULT_MODEL = "gpt-realtime";

export class Dialing {
  key = "";
  /** WebRTC was tried first and did not connect. */
  fellBack = false;
  #config: ServerConfig = {};
  #order: TransportKind[] = ["webrtc", "websocket"];
  #freshUntil = 0;
  #kind: TransportKind | null = null;

  constructor(
    readonly options: SessionOptions,
    readonly sound: Sound,
    readonly speaker: Speaker,
    readonly scope: Scope,
  ) {}

  /** All that can be asked for while the person looks for the microphone. */
  async ask(): Promise<ServerConfig> {
    this.#config = await readConfig(this.options.server, this.scope.signal);
    const choice = this.options.transport ?? this.#config.transport ?? "auto";
    if (choice !== "auto") this.#order = [choice];
    this.scope.check();
    await this.#mint();
    return this.#config;
  }

  get wishes(): SessionWishes {
    const { agent, authentication } = this.#config;
    return { ...this.options, agent: this.options.agent ?? agent ?? undefined, forgiving: authentication !== undefined };
  }

  /** A connection; to take a conversation up again, by the transport that it had. Throws `Failure`. */
  async open(
    hooks: (attempt: Scope) => TransportHooks,
    back: Return | null,
  ): Promise<{ transport: Transport; connection: Scope }> {
    this.scope.check();
    if (performance.now() >= this.#freshUntil) await this.#mint();
    this.#freshUntil = 0; // a key is for one connection
    this.scope.check();
    const order = back && this.#kind ? [this.#kind] : this.#order;
    const first = await openFirst(order, (attempt) => this.#line(hooks(attempt), back), this.scope);
    if (!back) {
      this.fellBack ||= first.order !== this.#order;
      this.#order = first.order;
    }
    this.#kind = first.transport.kind;
    return first;
  }

  async #mint(): Promise<void> {
    const { tokenUrl, server, share } = this.options;
    this.key = await mintKey(tokenUrl, this.wishes, this.scope.signal).catch((error: unknown) => {
      // An app's own server has words of its own.
      const locked = error instanceof Failure && error.status === 401 && !share && tokenUrl.startsWith(server);
      throw locked ? new Failure("locked", "", error.status) : error;
    });
    this.#freshUntil = performance.now() + KEY_FRESH_MS;
    if (this.#config.relays) this.#config = await readConfig(this.options.server, this.scope.signal, this.key);
  }

  #line(hooks: TransportHooks, back: Return | null): Line {
    const { server, player } = this.options;
    const { iceServers = [] } = this.#config;
    const { context, microphone } = this.sound;
    const model = this.options.model ?? this.#config.model ?? DEFAULT_MODEL;
    return { server, player, speaker: this.speaker, model, key: this.key, back, iceServers, context, microphone, hooks };
  }
}
