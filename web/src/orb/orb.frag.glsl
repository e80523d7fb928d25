// The orb's surface: silk under glass, drawn by one fragment shader on one quad.
//
// Colour and the *character* of motion tell the state; loudness moves it. The glow fades to nothing inside the canvas,
// so that no square edge shows, and half a step of noise keeps its gradient from banding.
precision highp float;
varying vec2 at;
uniform float time, swirl, inward, outward, life, glow, dark, px;
uniform vec4 user, voice;          // level, low, mid, high
uniform vec3 deep, body, light;    // the palette of the state

float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
float silk(vec2 p) { return 0.58 * noise(p) + 0.29 * noise(p * 2.03 + 7.1) + 0.13 * noise(p * 4.01 + 3.7); }
mat2 turn(float a) { float c = cos(a), s = sin(a); return mat2(c, -s, s, c); }

void main() {
  float r = length(at), angle = atan(at.y, at.x);
  vec4 loud = max(user, voice);
  // The rim: low tones swell it, higher ones ripple it. Never more than 12 %.
  float ripple = loud.y * sin(angle * 2.0 + time * 1.1) + loud.z * sin(angle * 5.0 - time * 1.9) * 0.6
               + loud.w * sin(angle * 9.0 + time * 2.7) * 0.35;
  float radius = 0.60 * (1.0 + 0.07 * loud.x + 0.035 * ripple * loud.x + 0.008 * life * sin(time * 1.3));
  float q = r / radius;

  // The ball: a point on its surface, turned about its axis, and two layers of warped noise on it.
  float z = sqrt(max(0.0, 1.0 - q * q));
  vec2 s = at / radius * (1.0 + 0.42 * (1.0 - z));
  s *= turn(swirl * (1.35 - q * 0.75));
  float flow = inward * time * 0.16 - outward * time * 0.30;
  vec2 pull = normalize(s + 1e-4) * flow;
  vec2 w = vec2(silk(s * 1.5 + pull + vec2(0.0, time * 0.09)), silk(s * 1.5 - pull + vec2(5.2, -time * 0.07)));
  float a = silk(s * 1.25 + 2.4 * (w - 0.5) + vec2(time * 0.05, 1.7));
  float b = silk(s * 1.9 - 2.0 * (w.yx - 0.5) + vec2(3.1, -time * 0.06));

  float veil = smoothstep(0.28, 0.78, a + 0.10 * loud.x);
  float fold = smoothstep(0.50, 0.86, b + 0.16 * loud.x);
  vec3 colour = mix(deep, body, veil);
  colour = mix(colour, light, fold * (0.62 + 0.38 * z));
  // Light from above left; a rim that gathers light as glass does; one hairline highlight.
  float lit = dot(normalize(vec3(at / radius, z + 0.15)), normalize(vec3(-0.45, 0.62, 0.72)));
  colour *= 0.74 + 0.42 * lit;
  float rim = pow(1.0 - z, 2.6);
  colour += light * rim * (0.34 + 0.5 * loud.x);
  float shine = smoothstep(0.80, 1.0, dot(normalize(vec3(at / radius, z)), normalize(vec3(-0.42, 0.60, 0.68))));
  colour += vec3(0.20) * shine * shine;
  float arc = smoothstep(0.030, 0.0, abs(q - 0.93)) * smoothstep(0.35, 1.0, dot(at / max(r, 1e-3), vec2(-0.52, 0.85)));
  colour += vec3(0.28) * arc;

  float ball = smoothstep(px, -px, r - radius);
  // Outward waves while it speaks: rings that leave with the sound.
  float ring = outward * voice.x * pow(0.5 + 0.5 * sin((r - radius) * 26.0 - time * 7.0), 3.0);
  float fade = smoothstep(1.0, 0.62, r);
  float halo = exp(-max(0.0, r - radius) * 6.5) * (0.13 + 0.75 * loud.x + 0.30 * ring) * glow * fade * fade;
  vec3 air = mix(body, light, 0.25);

  float alpha = ball + (1.0 - ball) * halo * mix(0.62, 0.85, dark);
  vec3 premultiplied = colour * ball + air * (1.0 - ball) * halo * mix(0.62, 0.85, dark);
  premultiplied += (hash(gl_FragCoord.xy + fract(time)) - 0.5) / 255.0 * alpha;
  gl_FragColor = vec4(clamp(premultiplied, 0.0, 1.0) , clamp(alpha, 0.0, 1.0));
}
