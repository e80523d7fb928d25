/** What the orb shows, as a function of its model. Text is text: nothing here makes HTML out of words. */
import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Timing } from "../core/budget";
import type { Caption } from "../core/transcript";
import { type State, isLive, isOn } from "../core/state";
import { Animation, type Sources } from "./animation";
import { Icon } from "./icons";
import { ANSWER, CAPTIONS, type Face, INTERRUPTED, MUTE, RECORDED, START, STOP, UNMUTE, YOU, words } from "./strings";
import { TimingLine } from "./timing";

export interface Model {
  state: ReadonlySignal<State>;
  /** The state as it is told in words: steadier than the state itself. */
  face: ReadonlySignal<Face>;
  label: ReadonlySignal<string>;
  muted: ReadonlySignal<boolean>;
  hasMicrophone: ReadonlySignal<boolean>;
  captions: ReadonlySignal<Caption[]>;
  recorded: ReadonlySignal<boolean>;
  /** Whether the page wants to see it, and that of the last turn. */
  timed: ReadonlySignal<boolean>;
  timing: ReadonlySignal<Timing | null>;
  failure: ReadonlySignal<string>;
}

export interface Actions extends Sources {
  toggle(): void;
  mute(): void;
  player(element: HTMLAudioElement | null): void;
}

export function View({ model, actions }: { model: Model; actions: Actions }) {
  const state = model.state.value;
  const on = isOn(state);
  return (
    <div class="root" part="root" data-state={state}>
      <button
        type="button"
        class="button"
        part="button"
        title={on ? STOP : START}
        aria-label={on ? STOP : START}
        aria-pressed={on}
        aria-describedby="status"
        onClick={actions.toggle}
      >
        <Ball state={state} sources={actions} />
        {on && <span class="dot" part="dot" />}
      </button>
      <div class="line">
        <p class="status" part="status" id="status" role="status">
          <Icon face={model.face.value} />
          <span>{words(model.face.value, model.label.value)}</span>
        </p>
        {isLive(state) && model.hasMicrophone.value && <Mute muted={model.muted.value} toggle={actions.mute} />}
      </div>
      <p class="recorded" part="recorded" aria-live="polite">
        {model.recorded.value && RECORDED}
      </p>
      <p class="failure" part="error" role="alert">
        {model.failure.value}
      </p>
      {model.timed.value && <TimingLine timing={model.timing.value} />}
      <Captions captions={model.captions.value} />
      <audio ref={actions.player} autoplay hidden />
    </div>
  );
}

/** The moving picture inside the button. The button itself never moves. */
function Ball({ state, sources }: { state: State; sources: Sources }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const animation = useRef<Animation | null>(null);
  useEffect(() => {
    animation.current = new Animation(canvas.current!, sources);
    return () => animation.current?.release();
  }, []);
  useEffect(() => {
    if (animation.current) animation.current.state = state;
  }, [state]);
  return (
    <span class="ball" aria-hidden="true">
      <span class="flat" />
      <canvas ref={canvas} />
      <span class="level" />
    </span>
  );
}

function Mute({ muted, toggle }: { muted: boolean; toggle: () => void }) {
  const title = muted ? UNMUTE : MUTE;
  return (
    <button type="button" class="mute" part="mute" title={title} aria-label={title} aria-pressed={muted} onClick={toggle}>
      <Icon face={muted ? "muted" : "idle"} />
    </button>
  );
}

function Captions({ captions }: { captions: Caption[] }) {
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [captions]);
  return (
    <div ref={log} class="captions" part="captions" role="log" aria-label={CAPTIONS} tabIndex={captions.length ? 0 : -1}>
      {captions.map((caption) => (
        <Line key={caption.id} {...caption} />
      ))}
    </div>
  );
}

/** Half a sentence is for the eyes only: read aloud, it would talk over the answer. */
function Line({ role, text, final, interrupted }: Caption) {
  return (
    <p class="caption" part={`caption ${role}`} data-role={role} data-final={final} aria-hidden={!final}>
      <span class="who">{role === "user" ? YOU : ANSWER}</span>
      <span class="text">{text}</span>
      {interrupted && <em class="interrupted"> {INTERRUPTED}</em>}
    </p>
  );
}
