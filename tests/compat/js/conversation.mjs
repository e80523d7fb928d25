// What the scripts beside this one share: questions as sound, waiting, and how results are told.

export const [HELLO, WEATHER, STORY, STOP] = [
  "Say hello.",
  "What is the weather in Paris?",
  "Tell me a long story.",
  "Stop, please.",
];
export const PITCHES = { [HELLO]: 300, [WEATHER]: 500, [STORY]: 700, [STOP]: 900 };
export const RATE = 24_000;
const SPEECH = 0.6 * RATE;
const SILENCE = 0.7 * RATE;

/** 24 kHz PCM: the question as a tone of its pitch, and the silence that ends the turn. */
export function spoken(question) {
  const sound = new Int16Array(SPEECH + SILENCE);
  for (let at = 0; at < SPEECH; at++) {
    sound[at] = 8000 * Math.sin((2 * Math.PI * PITCHES[question] * at) / RATE);
  }
  return sound;
}

export const CHUNK_MS = 100;

/** Chunks of CHUNK_MS. */
export function* chunks(sound, size = (RATE * CHUNK_MS) / 1000) {
  for (let at = 0; at < sound.length; at += size) yield sound.slice(at, at + size);
}

/** Runs the scenario that the command line names and prints what it found. */
export async function perform(scenarios) {
  const [scenario, ...place] = process.argv.slice(2);
  const found = await scenarios[scenario](...place);
  await new Promise((told) => process.stdout.write(JSON.stringify(found), told));
  process.exit(0);
}

/** Something to wait at: `move()` lets everybody look again whether what they wait for has come. */
export class Turnstile {
  #waiting = new Set();

  move() {
    for (const look of this.#waiting) look();
  }

  /** The first truthy value of `found()`. */
  until(found) {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          const value = found();
          if (!value) return;
          this.#waiting.delete(look);
          resolve(value);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.add(look);
      look();
    });
  }
}
