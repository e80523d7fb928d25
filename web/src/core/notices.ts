/**
 * What the server says that is no event of the protocol: a resume token, what it cost, that it is recorded.
 *
 * On a WebSocket that offered `vivavoce.v1` these stand between the events. Beside a call they come as server-sent
 * events, read with `fetch`, since an EventSource can send no key. A server that has none is no mistake.
 */
import type { Scope } from "./scope";

export interface Notice {
  /** `vivavoce.` and the kind. */
  type: string;
  [field: string]: unknown;
}

const PREFIX = "vivavoce.";
const RETRY_MS = 1000;
const RETRIES = 5;

export function isNotice(event: { type: string }): event is Notice {
  return event.type.startsWith(PREFIX);
}

/** Listens beside a call until the scope closes, the session ends or the server has nothing of the kind. */
export async function listen(url: string, key: string, tell: (notice: Notice) => void, scope: Scope): Promise<void> {
  for (let failed = 0; failed <= RETRIES && !scope.closed; failed++) {
    try {
      const headers = { Authorization: `Bearer ${key}` };
      const response = await fetch(url, { headers, signal: scope.signal, cache: "no-store" });
      if (!response.ok || !response.body) return;
      await read(response.body, tell);
      return;
    } catch {
      await scope.sleep(RETRY_MS * 2 ** failed).catch(() => {});
    }
  }
}

async function read(body: ReadableStream<Uint8Array<ArrayBuffer>>, tell: (notice: Notice) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const lines = new Lines(tell);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    lines.push(value);
  }
}

/** The `data:` lines of a stream that comes in any pieces. */
export class Lines {
  #rest = "";

  constructor(readonly tell: (notice: Notice) => void) {}

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      try {
        const notice: unknown = JSON.parse(line.slice(5));
        if (typeof (notice as Notice | null)?.type === "string" && isNotice(notice as Notice)) this.tell(notice as Notice);
      } catch {
        // Half a notice is none.
      }
    }
  }
}
