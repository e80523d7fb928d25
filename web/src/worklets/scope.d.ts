/** What an AudioWorkletGlobalScope has, as far as we use it; TypeScript's own library does not describe it. */
declare const sampleRate: number;

interface MessagePortLike<In, Out> {
  onmessage: ((message: { data: In }) => void) | null;
  postMessage(message: Out, transfer?: ArrayBuffer[]): void;
}

declare class AudioWorkletProcessor {
  readonly port: MessagePortLike<never, unknown>;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
