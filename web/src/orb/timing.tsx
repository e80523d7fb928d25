/** Where the time of the last turn went: a bar for the eyes, and the same in numbers, which add up. */
import type { Timing } from "../core/budget";
import { NO_TURN_YET, STAGES, TIMING } from "./strings";

export function TimingLine({ timing }: { timing: Timing | null }) {
  if (!timing) return <p class="timing">{NO_TURN_YET}</p>;
  const stages = Object.entries(timing.stages);
  return (
    <div class="timing" part="timing" role="group" aria-label={TIMING}>
      <div class="bar" aria-hidden="true">
        {stages.map(([name, ms]) => ms > 0 && <span key={name} style={{ flexGrow: ms }} />)}
      </div>
      <ol>
        {stages.map(([name, ms]) => (
          <li key={name}>
            {STAGES[name] ?? name} <b>{ms}</b>
          </li>
        ))}
        <li>
          = <b>{timing.total} ms</b>
        </li>
      </ol>
    </div>
  );
}
