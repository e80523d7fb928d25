/** One small drawing a state, so that no state is told by colour alone. */
import type { Face } from "./strings";

const MICROPHONE = "M8 1.8a2.2 2.2 0 0 1 2.2 2.2v3.6a2.2 2.2 0 0 1-4.4 0V4A2.2 2.2 0 0 1 8 1.8ZM3.6 7.4a4.4 4.4 0 0 0 8.8 0M8 11.8v2.4";
const EAR = "M2 6.6v2.8M5 4.2v7.6M8 5.8v4.4M11 3v10M14 6.6v2.8";
const DOTS = "M3.4 8h.01M8 8h.01M12.6 8h.01";
const SPEAKER = "M2 6.2v3.6h2.4L7.6 12.6V3.4L4.4 6.2ZM10.2 5.8a3.2 3.2 0 0 1 0 4.4M12.2 3.8a6 6 0 0 1 0 8.4";
const RING = "M13.6 8A5.6 5.6 0 1 1 8 2.4";
const WARNING = "M8 2.2 14.4 13.4H1.6ZM8 6.4v3.2M8 11.6h.01";
const KEYS = "M1.8 4.2h12.4v7.6H1.8ZM4.4 6.8h.01M8 6.8h.01M11.6 6.8h.01M5 9.4h6";
const STRUCK = `${MICROPHONE}M2.4 1.8 13.6 14.2`;

const PATHS: Record<Face, string> = {
  idle: MICROPHONE,
  "requesting-mic": MICROPHONE,
  connecting: RING,
  reconnecting: RING,
  listening: EAR,
  "user-speaking": EAR,
  thinking: DOTS,
  "still-thinking": DOTS,
  speaking: SPEAKER,
  muted: STRUCK,
  ready: KEYS,
  error: WARNING,
};

export function Icon({ face }: { face: Face }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" data-icon={face}>
      <path d={PATHS[face]} />
    </svg>
  );
}
