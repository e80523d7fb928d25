/**
 * Makes src/vivavoce/static from web/src: the same bytes each time, from the versions of the lock file.
 *
 *   node build.mjs [directory]
 */
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(web, "../src/vivavoce/static");

const smallText = {
  name: "small-text",
  setup(bundle) {
    bundle.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
    bundle.onLoad({ filter: /\.glsl$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const small = source.replace(/\/\/.*/g, "").replace(/\s+/g, " ").replace(/ ?([-+*/=,;(){}<>]) ?/g, "$1");
      return { contents: small.trim(), loader: "text" };
    });
  },
};

const common = {
  absWorkingDir: web,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [smallText],
};

const BUNDLES = [
  { entryPoints: ["src/orb/global.ts"], outfile: "orb.js", format: "iife" },
  { entryPoints: ["src/orb/module.ts"], outfile: "orb.mjs", format: "esm" },
  { entryPoints: ["src/worklets/index.ts"], outfile: "worklets.js", format: "iife" },
  { entryPoints: ["src/page/app.ts"], outfile: "app.js", format: "iife" },
  { entryPoints: ["src/page/app.css"], outfile: "app.css", plugins: [] },
];
const COPIES = ["index.html", "favicon.svg"];

/** name → bytes */
const files = new Map();
const packages = new Set();
for (const bundle of BUNDLES) {
  const result = await build({ ...common, ...bundle });
  files.set(bundle.outfile, Buffer.from(result.outputFiles[0].contents));
  for (const input of Object.keys(result.metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input);
    if (found) packages.add(found[1]);
  }
}
for (const name of COPIES) files.set(name, await readFile(join(web, "src/page", name)));

const versions = {};
let notices = "Vivavoce's page and orb contain the following.\n";
for (const name of [...packages].sort()) {
  const home = join(web, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  versions[name] = version;
  const text = await readFile(join(home, (await readdir(home)).find((file) => /^licen[sc]e/i.test(file))), "utf8");
  notices += `\n${"-".repeat(72)}\n${name} ${version} (${license})\n\n${text.trim()}\n`;
}
files.set("THIRD_PARTY_LICENSES.txt", Buffer.from(notices));

const describe = (bytes) => ({
  sha256: createHash("sha256").update(bytes).digest("hex"),
  bytes: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
});
const named = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => [name, describe(bytes)]);
const { devDependencies } = JSON.parse(await readFile(join(web, "package.json"), "utf8"));
const manifest = { bundled: versions, esbuild: devDependencies.esbuild, files: Object.fromEntries(named) };
files.set("MANIFEST.json", Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));

await mkdir(out, { recursive: true });
for (const stale of await readdir(out)) if (!files.has(stale)) await rm(join(out, stale), { recursive: true });
for (const [name, bytes] of files) await writeFile(join(out, name), bytes);
for (const [name, { bytes, gzip }] of named) console.log(`${name.padEnd(28)} ${bytes} bytes, ${gzip} gzipped`);
