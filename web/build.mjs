// Builds the workspace's script and style sheet; `node build.mjs test` builds the unit tests.
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
  const outdir = process.argv[2] ?? "../vizkit/server/workspace/static/built";
  await build({
    ...common,
    entryPoints: { workspace: "src/main.tsx" },
    outdir,
    format: "esm",
    splitting: true, // what is shown later is loaded later
    chunkNames: "[name]-[hash]",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "none",
  });
  // The texts that the catalogue translates: t("...") and mark("...").
  const source = readdirSync("src", { recursive: true }).filter((name) => /\.tsx?$/.test(name)).map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
  const words = [...new Set([...source.matchAll(/\b(?:t|mark)\(("(?:[^"\\]|\\.)*")/g)].map((match) => JSON.parse(match[1])))];
  writeFileSync(`${outdir}/words.json`, JSON.stringify(words.sort()));
  const bundled = ["preact", "@preact/signals", "@preact/signals-core", "uplot", "marked"];
  const licences = bundled.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`);
  writeFileSync(`${outdir}/licenses.txt`, licences.join(`\n${"-".repeat(80)}\n\n`));
}
