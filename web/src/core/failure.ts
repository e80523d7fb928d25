/** Why a conversation could not begin or go on: a kind that the interface has words for, and the server's own words. */
export type FailureKind =
  // the microphone
  | "insecure"
  | "policy"
  | "denied"
  | "dismissed"
  | "missing"
  | "busy"
  | "unplugged"
  // the server
  | "unreachable"
  | "refused"
  | "locked" // nobody comes in without a key or a link
  | "lost"
  | "ended"
  | "trouble" // the conversation goes on
  // this browser
  | "unsupported";

export class Failure extends Error {
  override name = "Failure";

  constructor(
    readonly kind: FailureKind,
    /** The other side's own explanation, for people to read; empty when it gave none. */
    readonly detail = "",
    /** The HTTP status of a refusal. */
    readonly status = 0,
  ) {
    super(detail || kind);
  }
}
