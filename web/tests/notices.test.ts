import assert from "node:assert/strict";
import { test } from "node:test";
import { Answering } from "../src/core/answering";
import { Lines, type Notice, isNotice } from "../src/core/notices";
import { Resume } from "../src/core/resume";

test("notices come in any pieces, and what is none is left alone", () => {
  const text = ': hello\n\ndata: {"type":"vivavoce.cost","usd":"0.10"}\n\ndata: {"type":"session.created"}\n\ndata: {half\n\n';
  for (const size of [1, 3, 7, text.length]) {
    const heard: Notice[] = [];
    const lines = new Lines((notice) => heard.push(notice));
    for (let at = 0; at < text.length; at += size) lines.push(text.slice(at, at + size));
    assert.deepEqual(heard, [{ type: "vivavoce.cost", usd: "0.10" }]);
  }
});

test("what is ours is told from the protocol by its name", () => {
  assert.ok(isNotice({ type: "vivavoce.turn" }));
  assert.ok(!isNotice({ type: "session.created" }));
});

test("one comes back with the newest token and the last event", () => {
  const resume = new Resume();
  assert.equal(resume.now, null);
  resume.told({ type: "vivavoce.cost", usd: "0" });
  resume.told({ type: "vivavoce.resume", token: "vvr_1" });
  assert.deepEqual(resume.now, { token: "vvr_1", after: undefined });
  resume.saw({ type: "session.created", event_id: "event_1" });
  resume.saw({ type: "response.created", event_id: "event_2" });
  resume.told({ type: "vivavoce.resume", token: "vvr_2" });
  assert.deepEqual(resume.now, { token: "vvr_2", after: "event_2" });
  resume.forget();
  assert.equal(resume.now, null);
});

test("an answer is due, made, heard, and over", () => {
  const answering = new Answering();
  assert.equal(answering.look(false, 1000), "quiet");
  answering.follow({ type: "input_audio_buffer.speech_stopped" }, 1000);
  assert.equal(answering.look(false, 1100), null);
  answering.follow({ type: "response.created", response: { id: "resp_1" } }, 1200);
  assert.equal(answering.look(false, 1300), "waiting");
  assert.equal(answering.look(true, 1400), "audible");
  assert.equal(answering.look(false, 1500), null); // a pause in speech
  answering.sounding = true;
  assert.equal(answering.look(false, 1800), null);
  answering.sounding = false;
  answering.follow({ type: "response.done", response: { id: "resp_1" } }, 1900);
  assert.equal(answering.look(false, 2000), "quiet");
});

test("nobody waits for ever for an answer that does not come", () => {
  const answering = new Answering();
  answering.follow({ type: "input_audio_buffer.speech_stopped" }, 0);
  assert.equal(answering.look(false, 9_000), null);
  assert.equal(answering.look(false, 11_000), "quiet");
});
