// The reference client of the beta, as its maintained port `openai-realtime-api` has it, which the registry offers; the
// original is only to be had from its repository (C-46): node reference_beta.mjs SCENARIO WEBSOCKET_URL
import { RealtimeClient } from "openai-realtime-api";
import { CHUNK_MS, HELLO, STOP, STORY, WEATHER, Turnstile, chunks, perform, spoken } from "./conversation.mjs";

await perform({
  async spoken_turn(url) {
    const talk = await connected(url);
    talk.say(HELLO);
    const said = await talk.answer("Hello to you.");
    const heard = await talk.until(() => talk.items("user")[0]?.formatted.transcript);
    return { heard, said: said.formatted.transcript, sounded: said.formatted.audio.length > 0 };
  },

  async text_turn(url) {
    const talk = await connected(url, { modalities: ["text"] });
    talk.client.sendUserMessageContent([{ type: "input_text", text: HELLO }]);
    return { said: (await talk.answer("Hello to you.")).formatted.text };
  },

  async function_call(url) {
    const talk = await connected(url);
    const called = {};
    const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    talk.client.addTool({ name: "weather", description: "The weather in a city.", parameters }, ({ city }) => {
      called.city = city;
      return "sunny";
    });
    talk.say(WEATHER);
    return { said: (await talk.answer("The weather in Paris: sunny.")).formatted.transcript, called };
  },

  async barge_in(url) {
    const talk = await connected(url);
    let interrupted = false;
    talk.client.on("conversation.interrupted", () => {
      interrupted = true;
      const { id } = talk.items("assistant").at(-1);
      talk.client.cancelResponse(id, 480); // as the console of 2024 does, over what the server has cancelled by itself
    });
    talk.client.sendUserMessageContent([{ type: "input_text", text: STORY }]);
    await talk.until(() => talk.items("assistant")[0]?.formatted.audio.length > 0);
    await talk.say(STOP, CHUNK_MS); // as it is spoken: the cancel has to come before the next answer
    return { said: (await talk.answer("All right.")).formatted.transcript, interrupted };
  },
});

async function connected(url, sessionConfig = {}) {
  const turnstile = new Turnstile();
  const client = new RealtimeClient({ url, apiKey: "any" });
  client.updateSession({
    turn_detection: { type: "server_vad" },
    input_audio_transcription: { model: "whisper-1" },
    ...sessionConfig,
  });
  client.on("conversation.updated", () => turnstile.move());
  client.on("conversation.item.completed", () => turnstile.move());
  client.realtime.on("server.error", ({ error }) => {
    if (error.code !== "response_cancel_not_active") throw new Error(JSON.stringify(error));
  });
  await client.connect();
  await client.waitForSessionCreated();
  const items = (role) => client.conversation.getItems().filter((item) => item.role === role);
  const until = (found) => turnstile.until(found);
  return {
    client,
    items,
    until,
    async say(question, pace = 0) {
      for (const chunk of chunks(spoken(question))) {
        client.appendInputAudio(chunk);
        if (pace) await new Promise((passed) => setTimeout(passed, pace));
      }
    },
    /** The finished message with these words. */
    answer: (words) =>
      until(() =>
        items("assistant").find(
          ({ status, formatted }) => status === "completed" && [formatted.transcript, formatted.text].includes(words),
        ),
      ),
  };
}
