// @openai/agents-realtime in a page over WebRTC, bundled for it; `window.perform` is what the test calls. The microphone
// is an oscillator.
import { OpenAIRealtimeWebRTC } from "@openai/agents-realtime";
import { ownTools, scenarios, talkOver } from "./agents.mjs";
import { PITCHES } from "./conversation.mjs";

const SPEECH_SECONDS = 0.8;
const LISTEN_MS = 15_000;
const AUDIBLE = 0.01;

window.perform = async (name, baseUrl, apiKey) => {
  const microphone = new Microphone();
  const audioElement = document.createElement("audio");
  const transport = new OpenAIRealtimeWebRTC({ baseUrl, mediaStream: microphone.stream, audioElement });
  const talk = talkOver(transport, ownTools(name));
  await talk.session.connect({ apiKey });
  talk.say = (question) => microphone.say(question);
  const listening = heard(audioElement.srcObject);
  talk.speaks = () => listening;
  talk.interrupted = () => talk.happening("output_audio_buffer.cleared");
  const found = await scenarios[name](talk);
  const { callId } = transport;
  talk.session.close();
  return { ...found, callId };
};

class Microphone {
  #context = new AudioContext();
  #out = this.#context.createMediaStreamDestination();

  get stream() {
    return this.#out.stream;
  }

  say(question) {
    const voice = new OscillatorNode(this.#context, { frequency: PITCHES[question] });
    const loudness = new GainNode(this.#context, { gain: 0.25 });
    voice.connect(loudness).connect(this.#out);
    voice.start();
    voice.stop(this.#context.currentTime + SPEECH_SECONDS);
  }
}

/** Whether what plays carries sound, before long. */
async function heard(stream) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context);
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  for (const until = performance.now() + LISTEN_MS; performance.now() < until; ) {
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > AUDIBLE)) return true;
    await new Promise((looked) => setTimeout(looked, 10));
  }
  return false;
}
