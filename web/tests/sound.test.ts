import assert from "node:assert/strict";
import { test } from "node:test";
import { perceived } from "../src/core/audio/meter";
import { decodePcm, encodePcm } from "../src/core/audio/pcm";
import { Resampler } from "../src/worklets/resampler";

const sine = (hertz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

/** As a worklet gets it: 128 samples at a time. */
function resampled(input: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  const output: number[] = [];
  for (let i = 0; i < input.length; i += 128) output.push(...resampler.process(input.subarray(i, i + 128)));
  return Float32Array.from(output);
}

const rms = (samples: Float32Array) => Math.hypot(...samples.subarray(2000, 12000)) / Math.sqrt(10000);

for (const [from, to] of [[48000, 24000], [44100, 24000], [24000, 48000], [24000, 44100], [16000, 24000]] as const) {
  test(`${from} to ${to} Hz keeps length, pitch and loudness`, () => {
    const output = resampled(sine(1000, from, 1), from, to);
    assert.ok(Math.abs(output.length - to) < 40, `${output.length} samples`);
    assert.ok(Math.abs(rms(output) - Math.SQRT1_2) < 0.01, `loudness ${rms(output)}`);
    const half = output.subarray(to / 4, (to * 3) / 4);
    const crossings = half.filter((sample, i) => i > 0 && sample >= 0 && half[i - 1]! < 0).length;
    assert.ok(Math.abs(crossings - 500) <= 1, `${2 * crossings} Hz`);
  });
}

test("what the lower rate cannot hold is taken away, not folded back", () => {
  assert.ok(rms(resampled(sine(15000, 48000, 1), 48000, 24000)) < 0.005);
});

test("samples survive the way through base64", () => {
  const samples = Int16Array.from({ length: 30_000 }, (_, i) => ((i * 7919) % 65536) - 32768);
  assert.deepEqual(decodePcm(encodePcm(samples)), samples);
});

test("half a sample is dropped", () => {
  assert.equal(decodePcm(btoa("abc")).length, 1);
});

test("loudness is felt between -55 and -10 dBFS", () => {
  assert.equal(perceived(0), 0);
  assert.equal(perceived(10 ** (-56 / 20)), 0);
  assert.equal(perceived(1), 1);
  assert.ok(perceived(0.02) > 0.3 && perceived(0.02) < 0.6);
});
