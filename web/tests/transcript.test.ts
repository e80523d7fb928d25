import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerEvent } from "../src/core/events";
import { Transcript } from "../src/core/transcript";

const said = (transcript: Transcript) => transcript.captions().map(({ role, text }) => `${role}: ${text}`);

function after(...events: ServerEvent[]): Transcript {
  const transcript = new Transcript();
  for (const event of events) transcript.apply(event);
  return transcript;
}

const spoken = { response_id: "resp", item_id: "answer" };
const WORDS = "one two three four five six seven eight nine ten";
const words: ServerEvent = { type: "response.output_audio_transcript.delta", ...spoken, delta: WORDS };
/** As base64: 1000 ms. */
const second: ServerEvent = { type: "response.output_audio.delta", ...spoken, delta: "A".repeat(64_000) };
const all: ServerEvent[] = [
  words,
  second,
  { type: "response.output_audio.done", ...spoken },
  { type: "response.output_audio_transcript.done", ...spoken, transcript: WORDS },
];

test("a question keeps its place although its words come after the answer has begun", () => {
  const transcript = after(
    { type: "input_audio_buffer.committed", item_id: "question" },
    ...all,
    { type: "conversation.item.input_audio_transcription.delta", item_id: "question", delta: "what " },
    { type: "conversation.item.input_audio_transcription.completed", item_id: "question", transcript: "what time" },
  );
  transcript.heard("answer", 1000, false);
  assert.deepEqual(said(transcript), ["user: what time", `assistant: ${WORDS}`]);
});

test("words wait for their sound, and appear whole", () => {
  const transcript = after(...all);
  assert.deepEqual(said(transcript), []);
  transcript.heard("answer", 450, true);
  assert.deepEqual(said(transcript), ["assistant: one two three four five"]);
  assert.equal(transcript.captions()[0]?.final, false);
  transcript.heard("answer", 1000, false);
  assert.deepEqual(said(transcript), [`assistant: ${WORDS}`]);
  assert.equal(transcript.captions()[0]?.final, true);
});

test("words that were shown are not taken back by a playhead that reports late", () => {
  const transcript = after(...all);
  transcript.heard("answer", 450, true);
  transcript.heard("answer", 200, true);
  assert.deepEqual(said(transcript), ["assistant: one two three four five"]);
});

test("an interrupted answer keeps what was heard, whatever still arrives of it", () => {
  const transcript = after(...all);
  transcript.heard("answer", 900, true);
  transcript.cut("answer", 250);
  transcript.apply({ type: "response.output_audio_transcript.done", ...spoken, transcript: `${WORDS} eleven` });
  transcript.heard("answer", 1000, false);
  const [caption] = transcript.captions();
  assert.equal(caption?.text, "one two");
  assert.equal(caption?.interrupted, true);
  assert.equal(caption?.final, true);
});

test("words go with the sound that came after them, also where clauses are spoken at different speeds", () => {
  const slow: ServerEvent = { type: "response.output_audio_transcript.delta", ...spoken, delta: "Well, " };
  const answer = [slow, second, second, words, second, ...all.slice(2, 3)];
  const done: ServerEvent = { type: "response.output_audio_transcript.done", ...spoken, transcript: `Well, ${WORDS}` };
  for (const [ms, heard] of [[1000, "Well,"], [2050, "Well, one"], [2449, "Well, one two three four five"]] as const) {
    const transcript = after(...answer, done);
    transcript.heard("answer", ms, true);
    assert.deepEqual(said(transcript), [`assistant: ${heard}`]);
  }
  for (const [ms, heard] of [[1900, "Well,"], [2040, "Well,"], [2449, "Well, one two three four"]] as const) {
    const transcript = after(...answer, done);
    transcript.cut("answer", ms);
    assert.deepEqual(said(transcript), [`assistant: ${heard}`]);
  }
});

test("the server's word on what was heard counts as well", () => {
  const transcript = after(...all, { type: "conversation.item.truncated", item_id: "answer", audio_end_ms: 250 });
  assert.deepEqual(said(transcript), ["assistant: one two"]);
});

test("an answer that was cut in its first word leaves a line that says so", () => {
  const transcript = after(...all);
  transcript.cut("answer", 40);
  const [caption] = transcript.captions();
  assert.deepEqual([caption?.text, caption?.interrupted, caption?.final], ["", true, true]);
});

test("a cancelled response of which nothing was heard leaves no line", () => {
  const transcript = after(...all, { type: "response.done", response: { id: "resp", status: "cancelled" } });
  assert.deepEqual(said(transcript), []);
});

test("silence that was taken for speech leaves no line", () => {
  const done = "conversation.item.input_audio_transcription.completed";
  assert.deepEqual(said(after({ type: done, item_id: "question", transcript: "" })), []);
});

test("written words are shown as they come", () => {
  const transcript = after(
    {
      type: "conversation.item.added",
      item: { id: "typed", type: "message", role: "user", content: [{ type: "input_text", text: "hello" }] },
    },
    { type: "response.output_text.delta", ...spoken, delta: "Good " },
    { type: "response.output_text.delta", ...spoken, delta: "day" },
  );
  assert.deepEqual(said(transcript), ["user: hello", "assistant: Good day"]);
});

test("a conversation without end does not grow without end", () => {
  const transcript = new Transcript();
  for (let i = 0; i < 1000; i++) {
    transcript.apply({ type: "conversation.item.input_audio_transcription.completed", item_id: `q${i}`, transcript: "x" });
  }
  assert.equal(transcript.captions().length, 200);
});
