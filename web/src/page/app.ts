/** The page around the orb: typing instead of speaking, who answers, and the code to take it elsewhere. */
import { readConfig } from "../core/credentials";
import type { VoiceOrb } from "../orb/voice-orb";

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

const orb = byId<VoiceOrb>("orb");
const composer = byId<HTMLFormElement>("composer");
const input = byId<HTMLInputElement>("words");
const send = byId<HTMLButtonElement>("send");

/** There is a button to send only while there is something to send: until then, the orb is the page's one button. */
function offer(): void {
  if (!input.value.trim()) send.remove();
  else if (!send.isConnected) composer.append(send);
}

input.addEventListener("input", offer);
offer();

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  offer();
  void orb.sendText(text);
});

const timing = byId<HTMLInputElement>("timing");
timing.addEventListener("change", () => orb.toggleAttribute("timing", timing.checked));

// The orb knows this key while it has the focus; on this page it works everywhere.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (!orb.interrupt()) orb.stop();
});

// A share link has its token behind the #, where browsers send it nowhere.
const share = new URLSearchParams(location.hash.slice(1)).get("share");
if (share) orb.setAttribute("share", share);

orb.addEventListener("voice-state", () => byId("hint").remove(), { once: true });

byId("snippet").textContent = `<script src="${location.origin}/orb.js" async></script>\n<voice-orb></voice-orb>`;

void readConfig(location.origin, new AbortController().signal).then(({ answers, authentication }) => {
  const hint = document.getElementById("hint");
  if (hint && authentication === "key" && !share) {
    hint.textContent = "To talk here you need a link. Whoever runs this server makes one: vivavoce share create";
  }
  if (answers) byId("answers").textContent = `Answered by ${answers}`;
});
