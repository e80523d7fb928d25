// Prints a script with everything it imports, for a page: node bundle.mjs SCRIPT
import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: [process.argv[2]],
  bundle: true,
  format: "iife",
  platform: "browser",
  write: false,
  logLevel: "error",
});
process.stdout.write(JSON.stringify(outputFiles[0].text));
