/** Which transport carries a session: the first that connects in time. */
import { Failure } from "./failure";
import type { Scope } from "./scope";
import type { Line, OpenTransport, Transport, TransportKind } from "./transport";
import { openWebRtc } from "./transport-webrtc";
import { openWebSocket } from "./transport-websocket";

const OPENERS: Record<TransportKind, OpenTransport> = { webrtc: openWebRtc, websocket: openWebSocket };
/** While there is another way to try, one way gets this long. */
const FIRST_BUDGET_MS = 4000;
const LAST_BUDGET_MS = 10_000;
/** Who asks is not let in, or not now: no other way would be let in. */
const FINAL = new Set([401, 403, 429]);

export interface Connection {
  transport: Transport;
  /** What the transport holds; closing it hangs up. */
  connection: Scope;
  /** The kinds that are left to try, should the connection break: this one and those after it. */
  order: TransportKind[];
}

/** Tries the transports in order. Throws the last one's `Failure`. */
export async function openFirst(
  order: TransportKind[],
  line: (attempt: Scope) => Line,
  scope: Scope,
): Promise<Connection> {
  const [kind, ...others] = order;
  const attempt = scope.child();
  try {
    const opening = OPENERS[kind!](line(attempt), attempt);
    const transport = await within(attempt, others.length ? FIRST_BUDGET_MS : LAST_BUDGET_MS, opening);
    return { transport, connection: attempt, order };
  } catch (error) {
    attempt.close();
    scope.check();
    if (!others.length || (error instanceof Failure && FINAL.has(error.status))) throw error;
    return openFirst(others, line, scope);
  }
}

/** The promise, or `Failure("unreachable")` when it takes longer than `ms`. */
export function within<T>(scope: Scope, ms: number, pending: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => scope.after(ms, () => reject(new Failure("unreachable"))));
  return Promise.race([scope.race(pending), late]);
}

export function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
