import assert from "node:assert/strict";
import { test } from "node:test";
import type { FromPlayer, ToPlayer } from "../src/worklets/messages";

interface Processor {
  port: { onmessage(message: { data: ToPlayer }): void };
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

let reports: FromPlayer[];
let Made!: new () => Processor;
Object.assign(globalThis, {
  sampleRate: 24_000,
  AudioWorkletProcessor: class {
    port = { postMessage: (report: FromPlayer) => reports.push(report) };
  },
  registerProcessor: (_: string, made: new () => Processor) => (Made = made),
});

/** The player as its worklet's world makes it. */
async function player() {
  await import("../src/worklets/playback");
  reports = [];
  const it = new Made();
  const play = (blocks: number) => {
    const heard = new Float32Array(blocks * 128);
    for (let at = 0; at < heard.length; at += 128) it.process([], [[heard.subarray(at, at + 128)]]);
    return heard;
  };
  return { play, tell: (data: ToPlayer) => it.port.onmessage({ data }) };
}

const steepest = (samples: Float32Array) => Math.max(...samples.slice(1).map((it, i) => Math.abs(it - samples[i]!)));
const tone = () => Int16Array.from({ length: 24_000 }, (_, i) => 16_000 * Math.sin((2 * Math.PI * 200 * i) / 24_000));

test("an answer that is held stands still, goes on from there, and neither clicks", async () => {
  const { play, tell } = await player();
  tell({ kind: "sound", item: "item_1", samples: tone() });
  const before = play(40);
  tell({ kind: "hold", on: true });
  const fading = play(2);
  const still = play(60);
  const stood = reports.at(-1)!.played;
  tell({ kind: "hold", on: false });
  const after = play(40);
  assert.ok(still.every((sample) => sample === 0));
  assert.ok(Math.abs(stood - 41 * 128) < 128, `${stood} samples were played`);
  const allowed = 1.2 * steepest(before.subarray(1000));
  const whole = Float32Array.from([...before, ...fading, ...still, ...after]);
  assert.ok(steepest(whole) <= allowed, `${steepest(whole)} in place of ${allowed}`);
  assert.ok(Math.max(...after) > 0.45);
});

test("what is held is dropped without a sound, and the next answer is heard whole", async () => {
  const { play, tell } = await player();
  tell({ kind: "sound", item: "item_1", samples: tone() });
  play(40);
  tell({ kind: "hold", on: true });
  play(2);
  tell({ kind: "flush" });
  assert.ok(play(10).every((sample) => sample === 0));
  tell({ kind: "sound", item: "item_2", samples: tone() });
  assert.ok(Math.max(...play(40)) > 0.45);
});
