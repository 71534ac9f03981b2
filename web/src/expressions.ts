// Expressions over tags, such as `{eval/loss} - {train/loss}`: which texts are some, and what they name. The server
// reads and computes them (vizkit/curves/expressions.py).

const NAMED = /(?<!\\[pPu])\{((?:[^}]|\}\})+)\}(?!\})/g;
const QUANTIFIER = /^\d+(,\d*)?$/;

/** The tags that a text names in braces, each once; those of a regular expression, `x{2,3}` and `\p{L}`, are none. */
export function tagsOf(text: string): string[] {
  const found = [...text.matchAll(NAMED)].map(([, name]) => (name ?? "").replaceAll("}}", "}"));
  return [...new Set(found.filter((name) => !QUANTIFIER.test(name)))];
}

/** True if there is a scalar of a run, or of an expression over its scalars. */
export function has(scalars: readonly string[], tag: string): boolean {
  if (scalars.includes(tag)) return true;
  const named = tagsOf(tag);
  return named.length > 0 && named.every((one) => scalars.includes(one));
}

/** The parts of a text between commas that stand in no braces and no parentheses. */
export function partsOf(text: string): string[] {
  const parts = [""];
  let [braces, depth] = [false, 0];
  for (const sign of text) {
    if (sign === "{") braces = true;
    else if (sign === "}") braces = false;
    else if (!braces && sign === "(") depth += 1;
    else if (!braces && sign === ")") depth -= 1;
    if (sign === "," && !braces && depth <= 0) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim());
}
