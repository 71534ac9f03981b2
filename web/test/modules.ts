import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

/** Module -> the modules of `src` that it needs while it runs: types and what is loaded later are none. */
function needed(): Map<string, string[]> {
  const modules = (readdirSync("src", { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"));
  return new Map(modules.map((name) => {
    const source = readFileSync(join("src", name), "utf8");
    const found = [...source.matchAll(/^(?:import|export)\s+(?:\{([^}]*)\}|\*[^"]*)\s*from "(\.[^"]+)";$/gm)];
    const ran = found.filter(([, names]) => names === undefined || names.split(",").some((one) => one.trim() && !one.trim().startsWith("type ")));
    const places = ran.map(([, , place]) => join(dirname(name), place ?? ""));
    return [name, places.map((place) => ["", ".ts", ".tsx", "/index.ts", "/index.tsx"].map((end) => place + end).find((path) => modules.includes(path)) ?? assert.fail(`${name}: ${place}`))];
  }));
}

/** The first circle of modules that need each other; empty: there is none. */
function circleOf(modules: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const along = (path: readonly string[]): string[] => {
    const last = path.at(-1) ?? "";
    if (path.indexOf(last) < path.length - 1) return path.slice(path.indexOf(last));
    if (done.has(last)) return [];
    for (const next of modules.get(last) ?? []) {
      const found = along([...path, next]);
      if (found.length) return found;
    }
    done.add(last);
    return [];
  };
  for (const name of modules.keys()) {
    const found = along([name]);
    if (found.length) return found;
  }
  return [];
}

test("no modules need each other in a circle", () => {
  const modules = needed();
  assert.ok([...modules.values()].flat().length > 200, "imports are found");
  assert.deepEqual(circleOf(modules), []);
  assert.deepEqual(circleOf(new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", []], ["d", ["b"]]])), ["b", "d", "b"]);
});
