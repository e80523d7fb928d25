import assert from "node:assert/strict";
import { test } from "node:test";
import { keyFrom, sessionConfig } from "../src/core/credentials";
import { parseEvent } from "../src/core/events";
import { whyNot } from "../src/core/microphone";

test("a key is found in each of the three shapes in which servers hand it out", () => {
  assert.equal(keyFrom({ value: "ek_1" }), "ek_1");
  assert.equal(keyFrom({ client_secret: { value: "ek_2", expires_at: 0 } }), "ek_2");
  assert.equal(keyFrom({ client_secret: "ek_3" }), "ek_3");
  for (const none of [null, {}, { value: "" }, { value: 7 }, { client_secret: {} }, "ek_4"]) assert.equal(keyFrom(none), null);
});

test("the session asks for captions always, for the rest when it is given", () => {
  const audio = { input: { transcription: { model: "gpt-4o-mini-transcribe" } } };
  assert.deepEqual(sessionConfig({}), { type: "realtime", audio });
  assert.deepEqual(sessionConfig({ voice: "marin", instructions: "Be brief.", model: "m" }), {
    type: "realtime",
    model: "m",
    instructions: "Be brief.",
    audio: { ...audio, output: { voice: "marin" } },
  });
});

test("an agent brings its own captions", () => {
  assert.deepEqual(sessionConfig({ agent: "blue", voice: "ash" }), { type: "realtime", audio: { output: { voice: "ash" } } });
});

test("what is no event is left alone", () => {
  for (const message of ["", "{", "null", "[]", "7", '{"type":7}', new ArrayBuffer(2)]) assert.equal(parseEvent(message), null);
  assert.equal(parseEvent('{"type":"x"}')?.type, "x");
});

test("six reasons for having no microphone", () => {
  const why = (name: string, message = "", allowed = true) => whyNot({ name, message }, allowed);
  assert.equal(why("NotAllowedError", "Permission denied"), "denied");
  assert.equal(why("NotAllowedError", "Permission dismissed"), "dismissed");
  assert.equal(why("NotAllowedError", "Permission denied", false), "policy");
  // Chromium may name another reason first.
  assert.equal(why("NotFoundError", "Requested device not found", false), "policy");
  assert.equal(why("NotFoundError"), "missing");
  assert.equal(why("NotReadableError"), "busy");
  assert.equal(why("TypeError"), "insecure");
});
