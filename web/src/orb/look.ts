/** What each state looks like: its colours, and the character of its motion. */
import type { State } from "../core/state";

type Rgb = readonly [number, number, number];

export interface Look {
  deep: Rgb;
  body: Rgb;
  light: Rgb;
  /** Turns a second about the axis. */
  spin: number;
  /** How far the middle is turned ahead of the rim, in radians. */
  twist: number;
  /** The silk is drawn in (listening) or driven out (speaking): 0 to 1. */
  inward: number;
  outward: number;
  glow: number;
}

const rgb = (hex: number): Rgb => [(hex >> 16) / 255, ((hex >> 8) & 255) / 255, (hex & 255) / 255];

const REST: Look = {
  deep: rgb(0x3a2bc4),
  body: rgb(0x6f86ff),
  light: rgb(0xffc4dc),
  spin: 0.015,
  twist: 0.5,
  inward: 0,
  outward: 0,
  glow: 0.7,
};
const HEAR: Look = {
  deep: rgb(0x06408f),
  body: rgb(0x1aa7ec),
  light: rgb(0x9ff3e6),
  spin: 0.02,
  twist: 0.4,
  inward: 1,
  outward: 0,
  glow: 1,
};
const THINK: Look = {
  deep: rgb(0x3a128c),
  body: rgb(0x8f4df6),
  light: rgb(0xffc4ee),
  spin: 0.2,
  twist: 2.6,
  inward: 0,
  outward: 0,
  glow: 0.9,
};
const SPEAK: Look = {
  deep: rgb(0x8a1259),
  body: rgb(0xff5a6e),
  light: rgb(0xffc58f),
  spin: 0.03,
  twist: 0.5,
  inward: 0,
  outward: 1,
  glow: 1.1,
};
const WAIT: Look = { ...REST, spin: 0.14, twist: 1.6 };
const STILL: Look = {
  deep: rgb(0x3d3d46),
  body: rgb(0x85858f),
  light: rgb(0xd5d2d4),
  spin: 0,
  twist: 0.4,
  inward: 0,
  outward: 0,
  glow: 0.25,
};

export const LOOKS: Record<State, Look> = {
  idle: REST,
  "requesting-mic": WAIT,
  connecting: WAIT,
  listening: HEAR,
  "user-speaking": HEAR,
  thinking: THINK,
  speaking: SPEAK,
  reconnecting: WAIT,
  error: STILL,
};

/** The way from one look to another: `share` of it. */
export function blend(from: Look, to: Look, share: number): Look {
  const mix = (a: number, b: number) => a + (b - a) * share;
  const colour = (a: Rgb, b: Rgb): Rgb => [mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2])];
  return {
    deep: colour(from.deep, to.deep),
    body: colour(from.body, to.body),
    light: colour(from.light, to.light),
    spin: mix(from.spin, to.spin),
    twist: mix(from.twist, to.twist),
    inward: mix(from.inward, to.inward),
    outward: mix(from.outward, to.outward),
    glow: mix(from.glow, to.glow),
  };
}
