// Builds the islands and the style sheet into src/nexome/web/static, each name with a fingerprint of its content,
// and manifest.json, by which the pages find them. Prints what each weighs, compressed; fails above the budget.

import { build } from "esbuild";
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/nexome/web/static");
const BUDGET_BYTES = 300_000; // script of one page, compressed
const OUTSIDE_BUDGET = new Set(["browse.js"]); // igv.js, on the one page that is about it

const KEPT_MS = 3_600_000; // what an earlier build made is kept this long: a server may still be giving it out

await mkdir(target, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { browse: "src/browse.ts", figures: "src/figures.ts", explore: "src/explore.ts", site: "styles/site.css" },
  outdir: target,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  legalComments: "linked", // licences of what is bundled lie beside it
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
let tooLarge = false;
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const file = basename(path);
  const plain = file.replace(/-[A-Z0-9]{8}(?=\.)/, "");
  manifest[plain] = file;
  const bytes = gzipSync(await readFile(join(here, path)), { level: 9 }).length;
  tooLarge ||= bytes > BUDGET_BYTES && !OUTSIDE_BUDGET.has(plain);
  console.log(`${plain.padEnd(12)} ${(bytes / 1000).toFixed(1)} kB compressed`);
}
const unfinished = join(target, ".manifest.json");
await writeFile(unfinished, JSON.stringify(manifest, null, 2) + "\n");
await rename(unfinished, join(target, "manifest.json"));
const made = new Set([...Object.keys(result.metafile.outputs).map((path) => basename(path)), "manifest.json"]);
for (const file of await readdir(target)) {
  const path = join(target, file);
  if (!made.has(file) && Date.now() - (await stat(path)).mtimeMs > KEPT_MS) await rm(path, { recursive: true });
}
if (tooLarge) {
  console.error(`A page's script weighs more than ${BUDGET_BYTES / 1000} kB compressed.`);
  process.exitCode = 1;
}
