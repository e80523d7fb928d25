/** Draws the orb on a canvas with WebGL 1. Knows nothing of time or states: it is told what to draw. */
import type { Levels } from "../core/audio/meter";
import type { Look } from "./look";
import FRAGMENT from "./orb.frag.glsl";
import VERTEX from "./orb.vert.glsl";

/** Enough for any orb on a page; beyond it only the machine gets warmer. */
const MOST_PIXELS = 512;

export interface Picture {
  look: Look;
  user: Levels;
  assistant: Levels;
  /** Seconds. */
  time: number;
  /** Radians about the axis. */
  swirl: number;
  dark: boolean;
}

export class Surface {
  /** True where a processor draws instead of a graphics card: then every frame costs what the voice needs. */
  readonly slow: boolean;
  readonly #gl: WebGLRenderingContext;
  readonly #program: WebGLProgram;
  readonly #uniforms = new Map<string, WebGLUniformLocation | null>();

  /** Null where there is no WebGL. */
  static on(canvas: HTMLCanvasElement): Surface | null {
    const wishes: WebGLContextAttributes = { antialias: false, depth: false, powerPreference: "low-power" };
    const gl = canvas.getContext("webgl", wishes);
    const program = gl && !gl.isContextLost() && link(gl);
    return gl && program ? new Surface(canvas, gl, program) : null;
  }

  private constructor(
    readonly canvas: HTMLCanvasElement,
    gl: WebGLRenderingContext,
    program: WebGLProgram,
  ) {
    this.#gl = gl;
    this.#program = program;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.useProgram(program);
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    const renderer = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
    this.slow = /swiftshader|llvmpipe|software|basic render/i.test(renderer);
  }

  draw({ look, user, assistant, time, swirl, dark }: Picture): void {
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    const pixels = this.#fit();
    gl.viewport(0, 0, pixels, pixels);
    const { twist, inward, outward, glow } = look;
    const numbers = { time, swirl, twist, inward, outward, glow, dark: Number(dark), px: 2 / pixels };
    for (const [name, value] of Object.entries(numbers)) gl.uniform1f(this.#uniform(name), value);
    gl.uniform4f(this.#uniform("user"), user.level, user.low, user.mid, user.high);
    gl.uniform4f(this.#uniform("voice"), assistant.level, assistant.low, assistant.mid, assistant.high);
    for (const name of ["deep", "body", "light"] as const) gl.uniform3f(this.#uniform(name), ...look[name]);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /** Browsers keep about sixteen contexts a page: a removed orb gives its own back. */
  release(): void {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #fit(): number {
    const { canvas } = this;
    const scale = this.slow ? 1 : Math.min(2, devicePixelRatio);
    const pixels = Math.max(1, Math.min(MOST_PIXELS, Math.round(canvas.clientWidth * scale)));
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    return pixels;
  }

  #uniform(name: string): WebGLUniformLocation | null {
    if (!this.#uniforms.has(name)) this.#uniforms.set(name, this.#gl.getUniformLocation(this.#program, name));
    return this.#uniforms.get(name) ?? null;
  }
}

function link(gl: WebGLRenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(type);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
