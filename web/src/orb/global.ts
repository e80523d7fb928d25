/** orb.js: the classic script. It knows where it came from, so that a page needs to say nothing. */
import { VoiceOrb, cameFrom } from "./voice-orb";

const script = document.currentScript;
if (script instanceof HTMLScriptElement && script.src) cameFrom(script.src);
if (!customElements.get("voice-orb")) customElements.define("voice-orb", VoiceOrb);
