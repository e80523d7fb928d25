/**
 * A session over WebRTC: sound on tracks, events on the data channel "oai-events".
 *
 * The offer is posted without waiting for candidates (it saves about 120 ms): the server's answer has its own, and
 * learns ours when we call. Where there are relays it waits: a server behind one has to know whom to let in.
 * An interruption needs nothing from here: the server knows what it has played.
 */
import { reach } from "./credentials";
import { type ClientEvent, type ServerEvent, parseEvent } from "./events";
import { Failure } from "./failure";
import type { Scope } from "./scope";
import type { Line, OpenTransport, Transport, TransportHooks } from "./transport";

/** A connection that is "disconnected" often comes back by itself; one that stays so is lost. */
const DISCONNECTED_MS = 5000;
const PLAYHEAD_MS = 50;
/** What has not been found out by then will not help. */
const GATHERING_MS = 1000;

export const openWebRtc: OpenTransport = async (line, scope) => {
  if (typeof RTCPeerConnection === "undefined") throw new Failure("unsupported");
  const peer = new RTCPeerConnection({ iceServers: line.iceServers });
  scope.defer(() => peer.close());
  const channel = peer.createDataChannel("oai-events");
  const [track] = line.microphone?.getAudioTracks() ?? [];
  if (track && line.microphone) peer.addTrack(track, line.microphone);
  else peer.addTransceiver("audio", { direction: "recvonly" });
  const sound = scope.race(remoteSound(peer));
  const open = scope.race(opened(peer, channel));
  // Both are awaited below; until then a failure of the post must not leave them unhandled.
  sound.catch(() => {});
  open.catch(() => {});

  await peer.setLocalDescription(await peer.createOffer());
  if (line.iceServers.length) await scope.race(gathered(peer, scope));
  await peer.setRemoteDescription({ type: "answer", sdp: await exchange(line, peer.localDescription?.sdp ?? "", scope) });
  const output = play(line, await sound, scope);
  await open;

  const playhead = new Playhead(line.hooks, scope);
  channel.onmessage = (message) => {
    const event = parseEvent(message.data);
    if (!event) return;
    playhead.follow(event);
    line.hooks.event(event);
  };
  watch(peer, channel, line.hooks, scope);
  return new WebRtcTransport(channel, output);
};

class WebRtcTransport implements Transport {
  readonly kind = "webrtc";

  constructor(
    readonly channel: RTCDataChannel,
    readonly output: AudioNode,
  ) {}

  send(event: ClientEvent): void {
    if (this.channel.readyState === "open") this.channel.send(JSON.stringify(event));
  }

  silence(): void {
    this.send({ type: "output_audio_buffer.clear" });
  }
}

async function exchange(line: Line, offer: string, scope: Scope): Promise<string> {
  const { key, back, model } = line;
  const returning = back && { "X-Vivavoce-Resume": back.token };
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/sdp", ...returning };
  const query = new URLSearchParams({ model, ...(back?.after && { after: back.after }) });
  const url = `${line.server}/v1/realtime/calls?${query}`;
  const response = await reach(url, { method: "POST", headers, body: offer, signal: scope.signal });
  return response.text();
}

function remoteSound(peer: RTCPeerConnection): Promise<MediaStream> {
  return new Promise((resolve) => {
    peer.ontrack = ({ streams, track }) => resolve(streams[0] ?? new MediaStream([track]));
  });
}

function opened(peer: RTCPeerConnection, channel: RTCDataChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.onopen = () => resolve();
    channel.onclose = () => reject(new Failure("unreachable"));
    peer.onconnectionstatechange = () => peer.connectionState === "failed" && reject(new Failure("unreachable"));
  });
}

function gathered(peer: RTCPeerConnection, scope: Scope): Promise<void> {
  return new Promise((resolve) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
    scope.after(GATHERING_MS, resolve);
  });
}

/** Chromium gives a remote stream's sound to Web Audio only while a media element plays it. */
function play({ context, player }: Line, stream: MediaStream, scope: Scope): AudioNode {
  player.srcObject = stream;
  void player.play().catch(() => {});
  scope.defer(() => {
    player.pause();
    player.srcObject = null;
  });
  return context.createMediaStreamSource(stream);
}

function watch(peer: RTCPeerConnection, channel: RTCDataChannel, hooks: TransportHooks, scope: Scope): void {
  const lost = (ended: boolean) => !scope.closed && hooks.lost(ended, "");
  // A server that hangs up closes the channel; one that vanishes cannot.
  channel.onclose = () => lost(true);
  peer.onconnectionstatechange = () => {
    if (peer.connectionState === "failed") lost(false);
    if (peer.connectionState === "disconnected") {
      scope.after(DISCONNECTED_MS, () => peer.connectionState === "disconnected" && lost(false));
    }
  };
}

/** Where the playhead stands: the server says when it begins and ends to play, the clock does the rest. */
class Playhead {
  #item: string | null = null;
  #since = 0;
  #playing = false;

  constructor(
    readonly hooks: TransportHooks,
    scope: Scope,
  ) {
    scope.every(PLAYHEAD_MS, () => this.#playing && this.#report());
  }

  follow(event: ServerEvent): void {
    switch (event.type) {
      case "response.output_audio_transcript.delta":
        if (event.item_id !== this.#item) this.#begin(event.item_id ?? null);
        break;
      case "output_audio_buffer.started":
        this.#since = performance.now();
        this.#playing = true;
        break;
      case "output_audio_buffer.stopped":
      case "output_audio_buffer.cleared":
        this.#playing = false;
        if (event.type.endsWith("stopped")) this.#report();
        else this.hooks.heard(null, 0, false);
    }
  }

  #begin(item: string | null): void {
    // A second message of the same answer follows the first, which then was heard.
    if (this.#playing) this.hooks.heard(this.#item, performance.now() - this.#since, false);
    this.#item = item;
    this.#since = performance.now();
  }

  #report(): void {
    this.hooks.heard(this.#item, performance.now() - this.#since, this.#playing);
  }
}
