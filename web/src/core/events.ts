/** The events of the Realtime protocol (GA), as far as this client reads them. */

export interface Item {
  id: string;
  type: string;
  role?: string;
  content?: { type: string; text?: string; transcript?: string | null }[];
}

export interface WireError {
  type?: string;
  code?: string | null;
  message?: string;
}

export interface ServerEvent {
  type: string;
  event_id?: string;
  item_id?: string;
  response_id?: string;
  previous_item_id?: string | null;
  delta?: string;
  text?: string;
  transcript?: string;
  audio_end_ms?: number;
  item?: Item;
  response?: { id?: string; status?: string; status_details?: { error?: WireError | null } | null };
  session?: { id?: string; audio?: { input?: { transcription?: object | null } } };
  error?: WireError;
}

export interface ClientEvent {
  type: string;
  [field: string]: unknown;
}

/** One text message of the wire, or null when it is no event: what is not understood is left alone, never fatal. */
export function parseEvent(message: unknown): ServerEvent | null {
  if (typeof message !== "string") return null;
  try {
    const event: unknown = JSON.parse(message);
    const type = (event as { type?: unknown } | null)?.type;
    return typeof type === "string" ? (event as ServerEvent) : null;
  } catch {
    return null;
  }
}
