// openai-node over wss, which is all it speaks (C-43): node openai_node.mjs SCENARIO BASE_URL
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { HELLO, STOP, STORY, WEATHER, Turnstile, chunks, perform, spoken } from "./conversation.mjs";

const SESSION = {
  type: "realtime",
  tools: [
    {
      type: "function",
      name: "weather",
      description: "The weather in a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  ],
  audio: { input: { transcription: { model: "whisper-1" }, turn_detection: { type: "server_vad" } } },
};

await perform({
  async spoken_turn(base) {
    const talk = await connected(base);
    talk.say(HELLO);
    const done = await talk.next("response.done");
    const heard = await talk.next("conversation.item.input_audio_transcription.completed");
    return { heard: heard.transcript, said: words(done), sounded: talk.seen("response.output_audio.delta").length > 0 };
  },

  async text_turn(base) {
    const talk = await connected(base);
    talk.write(HELLO);
    talk.rt.send({ type: "response.create", response: { output_modalities: ["text"] } });
    return { said: words(await talk.next("response.done")) };
  },

  async function_call(base) {
    const talk = await connected(base);
    talk.say(WEATHER);
    const [call] = (await talk.next("response.done")).response.output;
    const item = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
    talk.rt.send({ type: "conversation.item.create", item });
    talk.rt.send({ type: "response.create" });
    return { called: JSON.parse(call.arguments), said: words(await talk.next("response.done", 1)) };
  },

  async barge_in(base) {
    const talk = await connected(base);
    talk.write(STORY);
    talk.rt.send({ type: "response.create" });
    const { item_id } = await talk.next("response.output_audio.delta");
    talk.say(STOP);
    const { status, status_details } = (await talk.next("response.done")).response;
    talk.rt.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms: 20 });
    await talk.next("conversation.item.truncated");
    const interrupted = status === "cancelled" && status_details.reason === "turn_detected";
    return { interrupted, said: words(await talk.next("response.done", 1)) };
  },
});

/** A connection with a record of every event. */
async function connected(baseURL) {
  const rt = new OpenAIRealtimeWS({ model: "gpt-realtime" }, new OpenAI({ apiKey: "any", baseURL }));
  const events = [];
  const turnstile = new Turnstile();
  const seen = (type) => events.filter((event) => event.type === type);
  rt.on("error", (error) => {
    throw error;
  });
  rt.on("event", (event) => {
    events.push(event);
    turnstile.move();
  });
  const next = (type, index = 0) => turnstile.until(() => seen(type)[index]);
  await next("session.created");
  rt.send({ type: "session.update", session: SESSION });
  await next("session.updated");
  return {
    rt,
    seen,
    next,
    say(question) {
      for (const chunk of chunks(spoken(question))) {
        rt.send({ type: "input_audio_buffer.append", audio: Buffer.from(chunk.buffer).toString("base64") });
      }
    },
    write(text) {
      const item = { type: "message", role: "user", content: [{ type: "input_text", text }] };
      rt.send({ type: "conversation.item.create", item });
    },
  };
}

function words({ response }) {
  const [part] = response.output[0].content;
  return part.transcript ?? part.text;
}
