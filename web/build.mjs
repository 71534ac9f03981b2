// `node build.mjs FOLDER` builds the workspace and the charts of notebooks into it; `node build.mjs test` the unit tests.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const common = { bundle: true, jsx: "automatic", jsxImportSource: "preact", logLevel: "warning" };

if (process.argv[2] === "test") {
  await build({
    ...common,
    entryPoints: readdirSync("test").map((name) => `test/${name}`),
    outdir: "built-test",
    outExtension: { ".js": ".test.mjs" },
    platform: "node",
    format: "esm",
    sourcemap: "inline",
  });
} else {
  const outdir = process.argv[2];
  const small = { ...common, target: "es2022", minify: true, charset: "utf8", legalComments: "none", metafile: true };
  const workspace = await build({
    ...small,
    entryPoints: { workspace: "src/main.tsx" },
    outdir: `${outdir}/workspace`,
    format: "esm",
    splitting: true, // what is shown later is loaded later
    chunkNames: "[name]-[hash]",
  });
  // Charts in notebooks and in pages of their own: one script, which brings its styles and its licences along.
  const chart = await build({
    ...small,
    entryPoints: { chart: "src/embedded/index.tsx" },
    outdir: `${outdir}/charts`,
    format: "iife",
    globalName: "vizkitChart",
    loader: { ".css": "text" },
    banner: { js: `/* Parts of this script:\n\n${licences(["preact", "@preact/signals", "@preact/signals-core", "uplot"])}*/` },
  });
  writeFileSync(`${outdir}/workspace/words.json`, JSON.stringify(words(workspace)));
  writeFileSync(`${outdir}/charts/words.json`, JSON.stringify(words(chart)));
  writeFileSync(`${outdir}/workspace/licenses.txt`, licences(["preact", "@preact/signals", "@preact/signals-core", "uplot", "marked"]));
}

/** The texts of what was built that the catalogue translates: t("...") and mark("..."). */
function words({ metafile }) {
  const source = Object.keys(metafile.inputs).filter((name) => name.startsWith("src/")).map((name) => readFileSync(name, "utf8")).join("\n");
  return [...new Set([...source.matchAll(/\b(?:t|mark)\(("(?:[^"\\]|\\.)*")/g)].map((match) => JSON.parse(match[1])))].sort();
}

function licences(packages) {
  return packages.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`).join(`\n${"-".repeat(80)}\n\n`);
}
