// The orb's surface: silk under glass, drawn by one fragment shader on one quad.
//
// Colour and the *character* of motion tell the state; loudness moves it. The glow fades to nothing inside the canvas,
// so that no square edge shows, and half a step of noise keeps its gradient from banding.
precision highp float;
varying vec2 at;
uniform float time, swirl, twist, inward, outward, glow, dark, px;
uniform vec4 user, voice;          // level, low, mid, high
uniform vec3 deep, body, light;    // the palette of the state

float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
float silk(vec2 p) { return 0.68 * noise(p) + 0.24 * noise(p * 2.03 + 7.1) + 0.08 * noise(p * 4.01 + 3.7); }
mat2 turn(float a) { float c = cos(a), s = sin(a); return mat2(c, -s, s, c); }

void main() {
  float r = length(at), angle = atan(at.y, at.x);
  vec4 loud = max(user, voice);
  // The rim: low tones swell it, higher ones ripple it. Never more than 12 %.
  float ripple = loud.y * sin(angle * 2.0 + time * 1.1) + loud.z * sin(angle * 5.0 - time * 1.9) * 0.6
               + loud.w * sin(angle * 9.0 + time * 2.7) * 0.35;
  float radius = 0.60 * (1.0 + 0.07 * loud.x + 0.024 * ripple * loud.x + 0.008 * sin(time * 1.3));
  float q = r / radius;

  // The ball: a point on its surface, turned about its axis, and two layers of warped noise on it. Waves run
  // through the silk, inward while it listens, outward while it speaks.
  float z = sqrt(max(0.0, 1.0 - q * q));
  vec2 s = at / radius * (1.0 + 0.35 * (1.0 - z));
  s *= 1.0 + 0.055 * (inward * sin(q * 7.0 + time * 1.7) + outward * (0.7 + voice.x) * sin(q * 8.0 - time * 3.4));
  s *= turn(swirl + twist * (1.0 - q) * (1.0 - q));
  vec2 drift = vec2(time * 0.07, -time * 0.05);
  vec2 w = vec2(silk(s * 0.95 + drift), silk(s * 0.95 + 5.2 - drift.yx));
  float a = silk(s * 0.85 + 2.2 * (w - 0.5) + 1.7 + drift.yx * 0.6);
  float b = silk(s * 1.25 - 1.9 * (w.yx - 0.5) + vec2(3.1, 8.4) - drift * 0.8);

  float veil = smoothstep(0.22, 0.66, a + 0.05 * loud.x);
  float fold = smoothstep(0.42, 0.80, b + 0.07 * loud.x);
  vec3 colour = mix(deep, body, veil);
  colour = mix(colour, light, fold * (0.55 + 0.45 * veil) * 0.92);
  // Light from above left; depth at the lower right; a rim that gathers light as glass does; a hairline highlight.
  vec3 normal = normalize(vec3(at / radius, z));
  float lit = dot(normal, normalize(vec3(-0.40, 0.62, 0.68)));
  colour *= 0.80 + 0.34 * smoothstep(-0.5, 1.0, lit);
  colour = mix(colour, deep, 0.45 * smoothstep(0.15, -0.75, lit));
  float rim = pow(1.0 - z, 2.4);
  colour = mix(colour, mix(body, light, 0.6), rim * (0.30 + 0.5 * loud.x));
  float shine = smoothstep(0.70, 1.0, dot(normal, normalize(vec3(-0.42, 0.60, 0.68))));
  colour = mix(colour, vec3(1.0), 0.24 * shine * shine);
  float arc = smoothstep(0.028, 0.0, abs(q - 0.945)) * smoothstep(0.30, 1.0, dot(at / max(r, 1e-3), vec2(-0.52, 0.85)));
  colour += vec3(0.30) * arc;

  float ball = smoothstep(px, -px, r - radius);
  // Rings that leave with the sound while it speaks.
  float ring = outward * voice.x * pow(0.5 + 0.5 * sin((r - radius) * 26.0 - time * 7.0), 3.0);
  float fade = smoothstep(1.0, 0.60, r);
  float halo = exp(-max(0.0, r - radius) * 7.5) * (0.16 + 0.70 * loud.x + 0.30 * ring) * glow * fade * fade;
  vec3 air = mix(body, light, 0.22);
  halo *= mix(0.70, 0.85, dark);

  float alpha = ball + (1.0 - ball) * halo;
  vec3 premultiplied = colour * ball + air * (1.0 - ball) * halo;
  float grain = (hash(gl_FragCoord.xy + fract(time)) - 0.5) / 255.0 * step(0.0004, alpha);
  gl_FragColor = clamp(vec4(premultiplied, alpha) + grain, 0.0, 1.0);
}
