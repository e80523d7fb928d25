/**
 * A session over a WebSocket: events and sound on one socket, the microphone and the speaker through two worklets.
 *
 * Here only the page knows what was heard: when the user speaks over an answer, the rest of it is dropped at once and
 * the server is told where it was cut, by the count of the samples that were played.
 */
import { decodePcm, encodePcm } from "./audio/pcm";
import type { Player } from "./audio/player";
import { type ClientEvent, type ServerEvent, parseEvent } from "./events";
import { Failure } from "./failure";
import type { Line, OpenTransport, Transport, TransportHooks } from "./transport";
import type { FromCapture } from "../worklets/messages";

/** Sound that waits longer than this to be sent is of a conversation that has moved on. */
const MOST_WAITING_BYTES = 1 << 20;
/** Pieces of 20 ms that are kept of what is said before the socket is open: 10 s. */
const MOST_EARLY = 500;

export const openWebSocket: OpenTransport = async (line, scope) => {
  const early = new Early();
  if (line.microphone) await scope.race(line.speaker.capture(line.microphone, (samples) => early.take(samples), scope));
  // Before the socket, so that a handler stands ready when its first message arrives.
  const player = await scope.race(line.speaker.player());
  const socket = connect(line);
  scope.defer(() => socket.close(1000));
  await scope.race(opened(socket));

  player.heard = line.hooks.heard;
  const transport = new WebSocketTransport(socket, player, line.hooks);
  socket.onmessage = ({ data }) => transport.receive(parseEvent(data));
  socket.onclose = ({ code, reason }) => {
    // 1005 and 1006: the connection broke. Anything else was the server's decision.
    if (!scope.closed) line.hooks.lost(code !== 1005 && code !== 1006, reason);
  };
  early.pass((samples) => transport.sendSound(samples));
  return transport;
};

/** Keeps what is said while the socket opens, and then passes it on. */
class Early {
  #kept: FromCapture[] = [];
  #to: ((samples: FromCapture) => void) | null = null;

  take(samples: FromCapture): void {
    if (this.#to) this.#to(samples);
    else if (this.#kept.push(samples) > MOST_EARLY) this.#kept.shift();
  }

  pass(to: (samples: FromCapture) => void): void {
    this.#to = to;
    this.#kept.splice(0).forEach(to);
  }
}

class WebSocketTransport implements Transport {
  readonly kind = "websocket";
  /** A response whose sound is not wanted any more, though more of it is on its way. */
  #unwanted: string | undefined;
  #sounding: string | undefined;

  constructor(
    readonly socket: WebSocket,
    readonly player: Player,
    readonly hooks: TransportHooks,
  ) {}

  get output(): AudioNode {
    return this.player.node;
  }

  send(event: ClientEvent): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(event));
  }

  sendSound(samples: FromCapture): void {
    if (this.socket.bufferedAmount > MOST_WAITING_BYTES) return;
    this.send({ type: "input_audio_buffer.append", audio: encodePcm(samples) });
  }

  receive(event: ServerEvent | null): void {
    if (!event) return;
    if (event.type === "input_audio_buffer.speech_started") this.silence();
    if (event.type === "response.output_audio.delta" && event.item_id && event.delta) {
      if (event.response_id && event.response_id === this.#unwanted) return;
      this.#sounding = event.response_id;
      this.player.queue(event.item_id, decodePcm(event.delta));
    }
    this.hooks.event(event);
  }

  silence(): void {
    this.#unwanted = this.#sounding;
    void this.player.flush().then((heard) => {
      if (!heard) return;
      if (heard.whole) return this.hooks.heard(heard.item, heard.ms, false);
      this.hooks.cut(heard.item, heard.ms);
      this.send({ type: "conversation.item.truncate", item_id: heard.item, content_index: 0, audio_end_ms: heard.ms });
    });
  }
}

function connect({ server, model, key, back }: Line): WebSocket {
  const query = new URLSearchParams({ model, ...(back?.after && { after: back.after }) });
  const offered = ["vivavoce.v1", "realtime", `openai-insecure-api-key.${key}`];
  if (back) offered.push(`vivavoce-resume.${back.token}`);
  return new WebSocket(`${server.replace(/^http/, "ws")}/v1/realtime?${query}`, offered);
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve();
    // A browser hides why a handshake failed.
    socket.onclose = ({ reason }) => reject(new Failure("unreachable", reason));
  });
}
