// @openai/agents-realtime over a WebSocket: node agents_node.mjs SCENARIO WEBSOCKET_URL KEY
import { OpenAIRealtimeWebSocket } from "@openai/agents-realtime";
import { scenarios, talkOver } from "./agents.mjs";
import { chunks, perform, spoken } from "./conversation.mjs";

const over = (scenario) => async (url, apiKey) => {
  const talk = talkOver(new OpenAIRealtimeWebSocket({ url }));
  await talk.session.connect({ apiKey, url });
  talk.say = (question) => {
    for (const chunk of chunks(spoken(question))) talk.session.sendAudio(chunk.buffer);
  };
  return scenario(talk);
};

await perform(Object.fromEntries(Object.entries(scenarios).map(([name, scenario]) => [name, over(scenario)])));
