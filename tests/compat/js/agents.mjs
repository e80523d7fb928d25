// The conversation of @openai/agents-realtime, whatever its transport: each scenario takes a connected session and a
// way to speak to it (C-25 to C-42).
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";
import { HELLO, STOP, STORY, WEATHER, Turnstile } from "./conversation.mjs";

const called = {};

const weather = tool({
  name: "weather",
  description: "The weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    called.city = city;
    return "sunny";
  },
});

const colour = tool({
  name: "colour",
  description: "The favourite colour of the user.",
  parameters: z.object({}),
  execute: async () => "blue",
});

/** Beside a tool that the server runs, and of which this client knows nothing. */
const serverTools = {
  async server_tool(talk) {
    talk.say(WEATHER);
    await talk.words("assistant", (texts) => texts.some((text) => text.includes("sunny")));
    await talk.ended(2); // this SDK asks for a response behind each mcp_call; there is nothing more to say
    talk.session.sendMessage(HELLO);
    const said = await talk.words("assistant", (texts) => texts.includes("Hello to you."));
    return { said, calls: talk.calls() };
  },

  async server_tool_interrupted(talk) {
    talk.say(WEATHER);
    await talk.happening("response.mcp_call.in_progress");
    talk.say(STOP);
    const said = await talk.words("assistant", (texts) => texts.includes("All right."));
    return { said: said.at(-1) };
  },
};

export const ownTools = (scenario) => (scenario in serverTools ? [colour] : [weather]);

export const scenarios = {
  ...serverTools,

  async spoken_turn(talk) {
    talk.say(HELLO);
    const [said] = await talk.words("assistant");
    const [heard] = await talk.words("user");
    return { heard, said, sounded: await talk.speaks() };
  },

  async text_turn(talk) {
    talk.session.sendMessage(HELLO);
    return { said: (await talk.words("assistant"))[0] };
  },

  async function_call(talk) {
    talk.say(WEATHER);
    return { said: (await talk.words("assistant"))[0], called };
  },

  async barge_in(talk) {
    talk.session.sendMessage(STORY);
    await talk.speaks();
    talk.say(STOP);
    await talk.interrupted();
    const answers = await talk.words("assistant", (texts) => texts.includes("All right."));
    return { interrupted: true, said: answers.at(-1) };
  },
};

/** A session of one agent, not yet connected, and what happens in it. Sound and interruptions show as they do on a
 * WebSocket; over WebRTC they are the browser's and the server's affair. */
export function talkOver(transport, tools = [weather]) {
  const agent = new RealtimeAgent({ name: "Test", instructions: "Be brief.", tools });
  const session = new RealtimeSession(agent, { transport, model: "gpt-realtime", tracingDisabled: true });
  const turnstile = new Turnstile();
  const happened = new Set();
  let history = [];
  let failure;
  session.on("history_updated", (items) => {
    history = items;
    turnstile.move();
  });
  const happens = (name) => {
    happened.add(name);
    turnstile.move();
  };
  session.on("audio", () => happens("audio"));
  session.on("audio_interrupted", () => happens("audio_interrupted"));
  let ended = 0;
  session.on("transport_event", ({ type }) => {
    if (type === "response.done") ended += 1;
    happens(type);
  });
  session.on("error", (error) => {
    failure = error;
    turnstile.move();
  });
  const until = (found) =>
    turnstile.until(() => {
      if (failure) throw new Error(JSON.stringify(failure, Object.getOwnPropertyNames(failure.error ?? failure)));
      return found();
    });
  const happening = (name) => until(() => happened.has(name));
  return {
    session,
    happening,
    calls: () => history.filter(({ type }) => type !== "message").map(({ type, name, output }) => [type, name, output]),
    ended: (responses) => until(() => ended >= responses),
    speaks: () => happening("audio"),
    interrupted: () => happening("audio_interrupted"),
    words: (role, enough = (texts) => texts.length > 0) =>
      until(() => {
        const texts = spokenBy(history, role);
        return enough(texts) && texts;
      }),
  };
}

function spokenBy(history, role) {
  return history
    .filter((item) => item.type === "message" && item.role === role && item.status !== "in_progress")
    .map((item) => item.content.map((part) => part.transcript ?? part.text ?? "").join(""))
    .filter(Boolean);
}
