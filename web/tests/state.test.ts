import assert from "node:assert/strict";
import { test } from "node:test";
import { type Signal, type State, TABLE, isLive, isOn, next } from "../src/core/state";

const states = Object.keys(TABLE) as State[];

const walk = (...signals: Signal[]) => signals.reduce<State>(next, "idle");

test("a turn goes round and comes back to listening", () => {
  const start: Signal[] = ["start", "microphone", "connected"];
  assert.equal(walk(...start), "listening");
  assert.equal(walk(...start, "speech-started"), "user-speaking");
  assert.equal(walk(...start, "speech-started", "speech-stopped"), "thinking");
  assert.equal(walk(...start, "speech-started", "speech-stopped", "responding", "audible"), "speaking");
  assert.equal(walk(...start, "responding", "audible", "quiet"), "listening");
});

test("from every state a click leads to rest, and a failure to the error", () => {
  for (const state of states) {
    assert.equal(next(state, "stop"), "idle", state);
    if (isOn(state)) assert.equal(next(state, "failed"), "error", state);
  }
});

test("what plays on after the user began does not look like an answer", () => {
  assert.equal(next("user-speaking", "audible"), "user-speaking");
  assert.equal(next("user-speaking", "waiting"), "user-speaking");
});

test("sound and speech mean nothing where there is no connection", () => {
  const signals: Signal[] = ["audible", "quiet", "speech-started", "speech-stopped", "responding", "waiting", "lost"];
  for (const state of states.filter((state) => !isLive(state))) {
    for (const signal of signals) assert.equal(next(state, signal), state, `${state} ${signal}`);
  }
});

test("a lost connection is tried again from every live state, and from no other", () => {
  for (const state of states) assert.equal(next(state, "lost") === "reconnecting", isLive(state) || state === "reconnecting", state);
});
