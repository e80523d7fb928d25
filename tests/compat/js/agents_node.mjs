// @openai/agents-realtime over a WebSocket: node agents_node.mjs SCENARIO WEBSOCKET_URL KEY
import { OpenAIRealtimeWebSocket } from "@openai/agents-realtime";
import { ownTools, scenarios, talkOver } from "./agents.mjs";
import { chunks, perform, spoken } from "./conversation.mjs";

const over = (name, scenario) => async (url, apiKey) => {
  const talk = talkOver(new OpenAIRealtimeWebSocket({ url }), ownTools(name));
  await talk.session.connect({ apiKey, url });
  talk.say = (question) => {
    for (const chunk of chunks(spoken(question))) talk.session.sendAudio(chunk.buffer);
  };
  return scenario(talk);
};

await perform(Object.fromEntries(Object.entries(scenarios).map(([name, scenario]) => [name, over(name, scenario)])));
