/** orb.mjs: the same for module users, with the parts to build one's own interface on. */
import { VoiceOrb, cameFrom } from "./voice-orb";

cameFrom(import.meta.url);
if (!customElements.get("voice-orb")) customElements.define("voice-orb", VoiceOrb);

export { Failure } from "../core/failure";
export { RealtimeSession } from "../core/session";
export { Transcript } from "../core/transcript";
export { VoiceOrb };
