/**
 * When the orb is drawn: while a conversation is on and the orb can be seen; at rest, one still picture that CSS
 * breathes. With reduced motion, one still picture a state.
 */
import { type Levels, SILENT } from "../core/audio/meter";
import { type State, isOn } from "../core/state";
import { LOOKS, type Look, blend } from "./look";
import { Surface } from "./surface";

/** A new state is reached in this time; an interruption is felt at once. */
const FADE_SECONDS = 0.35;
const SNAP_SECONDS = 0.12;
const ATTACK = 0.6;
const RELEASE = 0.18;
const SLOW_FRAME_MS = 1000 / 24;
/** With reduced motion only the level bar is kept up to date. */
const CALM_FRAME_MS = 100;

export interface Sources {
  levels(): { user: Levels; assistant: Levels };
}

export class Animation {
  readonly surface: Surface | null;
  #state: State = "idle";
  #from: Look = LOOKS.idle;
  #look: Look = LOOKS.idle;
  #changedAt = -1;
  #fade = FADE_SECONDS;
  #user = SILENT;
  #assistant = SILENT;
  #swirl = 0.6;
  #time = 11;
  #last = 0;
  #frame = 0;
  #visible = true;
  #dark = false;
  readonly #calm = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #watch: IntersectionObserver;
  readonly #listeners = new AbortController();

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly sources: Sources,
  ) {
    this.surface = Surface.on(canvas);
    canvas.parentElement?.toggleAttribute("data-flat", !this.surface);
    this.#watch = new IntersectionObserver(([entry]) => {
      this.#visible = entry?.isIntersecting ?? true;
      this.#wake();
    });
    this.#watch.observe(canvas);
    const { signal } = this.#listeners;
    document.addEventListener("visibilitychange", () => this.#wake(), { signal });
    this.#calm.addEventListener("change", () => this.#wake(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#wake(), { signal });
    new ResizeObserver((_, observer) => (signal.aborted ? observer.disconnect() : this.#wake())).observe(canvas);
  }

  set state(state: State) {
    this.#fade = this.#state === "speaking" && state === "user-speaking" ? SNAP_SECONDS : FADE_SECONDS;
    this.#from = this.#look;
    this.#state = state;
    this.#changedAt = performance.now();
    this.#wake();
  }

  release(): void {
    cancelAnimationFrame(this.#frame);
    this.#watch.disconnect();
    this.#listeners.abort();
    this.surface?.release();
  }

  #wake(): void {
    if (this.#frame) return;
    this.#dark = darkAround(this.canvas);
    this.#last = 0;
    this.#frame = requestAnimationFrame((now) => this.#step(now));
  }

  #step(now: number): void {
    this.#frame = 0;
    const since = this.#last ? now - this.#last : 0;
    const gap = this.#calm.matches ? CALM_FRAME_MS : this.surface?.slow ? SLOW_FRAME_MS : 0;
    if (!this.#last || since >= gap) {
      this.#advance(now, Math.min(0.1, since / 1000));
      this.#last = now;
    }
    const fading = now - this.#changedAt < this.#fade * 1000 + gap;
    if (this.#visible && !document.hidden && (isOn(this.#state) || fading)) {
      this.#frame = requestAnimationFrame((at) => this.#step(at));
    }
  }

  #advance(now: number, seconds: number): void {
    const calm = this.#calm.matches;
    const share = calm ? 1 : Math.min(1, Math.max(0, (now - this.#changedAt) / 1000 / this.#fade));
    this.#look = blend(this.#from, LOOKS[this.#state], share * share * (3 - 2 * share));
    const { user, assistant } = this.sources.levels();
    this.#user = follow(this.#user, user);
    this.#assistant = follow(this.#assistant, assistant);
    // On the leaf alone: a variable that changes with every frame is dear where much inherits it.
    const level = Math.max(this.#user.level, this.#assistant.level);
    this.canvas.parentElement?.style.setProperty("--level", level.toFixed(3));
    if (!calm) {
      this.#time += seconds * (1 + this.#assistant.level);
      this.#swirl += this.#look.spin * seconds * 2 * Math.PI;
    }
    this.surface?.draw({
      look: this.#look,
      user: calm ? SILENT : this.#user,
      assistant: calm ? SILENT : this.#assistant,
      time: this.#time,
      swirl: this.#swirl,
      dark: this.#dark,
    });
  }
}

function follow(from: Levels, to: Levels): Levels {
  const step = (a: number, b: number) => a + (b - a) * (b > a ? ATTACK : RELEASE);
  return { level: step(from.level, to.level), low: step(from.low, to.low), mid: step(from.mid, to.mid), high: step(from.high, to.high) };
}

/** Text is light where the ground is dark: that holds on any page the orb stands on. */
function darkAround(element: Element): boolean {
  const [red = 0, green = 0, blue = 0] = getComputedStyle(element).color.match(/[\d.]+/g)?.map(Number) ?? [];
  return 0.3 * red + 0.59 * green + 0.11 * blue > 128;
}
