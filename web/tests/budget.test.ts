import assert from "node:assert/strict";
import { test } from "node:test";
import { began } from "../src/core/audio/meter";
import { Budget, type Timing } from "../src/core/budget";

const stages = { decided: 250, recognised: 40, first_token: 5, first_audio: 20, first_packet: 0 };
const turn = { type: "vivavoce.turn", item_id: "item_1", total: 315, stages, at: { decided: 250, recognised: 290 } };
const started = { type: "input_audio_buffer.speech_started", item_id: "item_1" };
const stopped = { type: "input_audio_buffer.speech_stopped", item_id: "item_1" };

function budget(): { told: Timing[]; it: Budget } {
  const told: Timing[] = [];
  return { told, it: new Budget((timing) => told.push(timing)) };
}

test("what is left until the answer is heard is the last stage, whichever is known first", () => {
  for (const order of ["notice, sound", "sound, notice"]) {
    const { told, it } = budget();
    it.follow(stopped, 1000);
    for (const what of order.split(", ")) {
      if (what === "sound") it.heard(1100);
      else it.notice(turn);
    }
    it.heard(2000);
    it.notice(turn);
    assert.deepEqual(told, [{ stages: { ...stages, heard: 35 }, total: 350 }], order);
  }
});

test("stages add up, also where the page was told late", () => {
  const { told, it } = budget();
  it.follow(stopped, 1000);
  it.notice(turn);
  it.heard(1010);
  assert.equal(Object.values(told[0]!.stages).reduce((sum, ms) => sum + ms), told[0]!.total);
  assert.equal(told[0]!.total, 315);
});

test("the end of the last answer is not taken for the beginning of this one", () => {
  const { told, it } = budget();
  it.follow(stopped, 1000);
  it.notice(turn);
  it.heard(990);
  assert.deepEqual(told, []);
});

test("who speaks on has not been answered, and another turn's figures are not this one's", () => {
  const { told, it } = budget();
  it.follow(stopped, 1000);
  it.follow(started, 1050);
  it.notice(turn);
  it.heard(1100);
  it.follow({ ...stopped, item_id: "item_2" }, 2000);
  it.notice(turn);
  it.heard(2100);
  assert.deepEqual(told, []);
});

test("where in a window the sound began", () => {
  const samples = new Float32Array(4800);
  assert.equal(began(samples, 48_000), null);
  samples.fill(0.1, 2400);
  assert.equal(began(samples, 48_000), 50);
});
