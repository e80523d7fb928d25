/** What a page wrote into the tag, as the wishes of a conversation. */
import type { TransportChoice } from "../core/credentials";
import type { SessionOptions } from "../core/options";

type Told = Omit<SessionOptions, "microphone" | "player" | "transcript">;

/** `base` is the address that the script came from: the default server, and the place of worklets.js. */
export function wishes(tag: Element, base: URL): Told {
  const given = (name: string) => tag.getAttribute(name) || undefined;
  const server = new URL(given("server") ?? base.origin, document.baseURI).href.replace(/\/+$/, "");
  const tokenUrl = given("token-url");
  return {
    server,
    tokenUrl: tokenUrl ? new URL(tokenUrl, document.baseURI).href : `${server}/v1/realtime/client_secrets`,
    worklets: new URL("worklets.js", base).href,
    transport: given("transport") as TransportChoice | undefined,
    model: given("model"),
    voice: given("voice"),
    instructions: given("instructions"),
    agent: given("agent"),
    context: given("context"),
    share: given("share"),
  };
}
