/** The page around the orb: typing instead of speaking, who answers, and the code to take it elsewhere. */
import { readConfig } from "../core/credentials";
import type { VoiceOrb } from "../orb/voice-orb";

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

const orb = byId<VoiceOrb>("orb");
const input = byId<HTMLInputElement>("words");

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  void orb.sendText(text);
});

// The orb knows this key while it has the focus; on this page it works everywhere.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (!orb.interrupt()) orb.stop();
});

orb.addEventListener("voice-state", () => byId("hint").remove(), { once: true });

byId("snippet").textContent = `<script src="${location.origin}/orb.js" async></script>\n<voice-orb></voice-orb>`;

void readConfig(location.origin, new AbortController().signal).then(({ answers }) => {
  byId("answers").textContent = answers ?? "";
});
