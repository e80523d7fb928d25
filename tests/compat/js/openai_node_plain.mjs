// openai-node's plain resources: node openai_node_plain.mjs conversation BASE_URL
import OpenAI, { toFile } from "openai";
import { HELLO, RATE, WEATHER, perform, spoken } from "./conversation.mjs";

const TOOL = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

await perform({
  async conversation(baseURL) {
    const api = new OpenAI({ apiKey: "any", baseURL });
    const file = await toFile(wav(spoken(HELLO)), "hello.wav");
    const heard = (await api.audio.transcriptions.create({ model: "whisper-1", file })).text;
    let said = "";
    for await (const chunk of await api.chat.completions.create({ ...asks(heard), stream: true })) {
      said += chunk.choices[0].delta.content ?? "";
    }
    const question = asks(WEATHER);
    const [{ message, finish_reason }] = (await api.chat.completions.create({ ...question, tools: [TOOL] })).choices;
    const [call] = message.tool_calls;
    const messages = [...question.messages, message, { role: "tool", tool_call_id: call.id, content: "sunny" }];
    const answer = await api.chat.completions.create({ ...question, messages, tools: [TOOL] });
    const speech = await api.audio.speech.create({ model: "tts-1", voice: "nova", input: said });
    const models = [];
    for await (const model of api.models.list()) models.push(model.id);
    return {
      heard,
      said,
      called: JSON.parse(call.function.arguments),
      finish: finish_reason,
      answered: answer.choices[0].message.content,
      sounded: (await speech.arrayBuffer()).byteLength > 1000,
      models,
    };
  },
});

function asks(content) {
  return { model: "gpt-4o", messages: [{ role: "user", content }] };
}

/** Mono 16-bit PCM as a WAV file. */
function wav(samples) {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}
