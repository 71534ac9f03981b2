import assert from "node:assert/strict";
import { test } from "node:test";
import type { VNode } from "preact";
import { Markdown, safeAddress } from "../src/markdown";

/** The elements and texts of a tree, in order. */
function flat(node: unknown): string[] {
  if (node === null || node === undefined || typeof node === "boolean") return [];
  if (Array.isArray(node)) return node.flatMap(flat);
  if (typeof node !== "object") return [String(node)];
  const { type, props } = node as VNode<{ children?: unknown; href?: string }>;
  const inner = flat(props.children);
  return typeof type === "string" ? [`<${type}${props.href ? ` ${props.href}` : ""}>`, ...inner, `</${type}>`] : inner;
}

function shown(text: string): string {
  return flat(Markdown({ text })).slice(1, -1).join("");
}

test("Markdown becomes elements, and keeps its line breaks", () => {
  assert.equal(shown("# a\n\nb **c**\nd `<e>`"), "<h3>a</h3><p>b <strong>c</strong><br></br>d <code><e></code></p>");
  assert.equal(shown("- x\n- y\n\n3. z"), "<ul><li>x</li><li>y</li></ul><ol><li>z</li></ol>");
  assert.equal(shown("| a |\n|--:|\n| *1* |"), "<div><table><thead><tr><th>a</th></tr></thead><tbody><tr><td><em>1</em></td></tr></tbody></table></div>");
  assert.equal(shown("[site](https://a.b/c?d=1&e=2)"), "<p><a https://a.b/c?d=1&e=2>site</a></p>");
});

test("HTML is text, images are links, and no address runs code", () => {
  assert.equal(shown("<script>alert(1)</script>\n\nx <img src=y onerror=z>"), "<script>alert(1)</script><p>x <img src=y onerror=z></p>");
  assert.equal(shown("![alt](https://evil/x.png)"), "<p><a https://evil/x.png>image: alt</a></p>");
  for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:1", "java\tscript:1", "&#106;avascript:1", "data:text/html,1", "vbscript:1", "/app/", "//evil", "file:///etc"]) {
    assert.equal(safeAddress(address), null, address);
  }
  assert.equal(shown("[x](javascript:alert\\(1\\)) [y](&#x6a;avascript:1)"), "<p><span>x</span> <span>y</span></p>");
});

test("nesting without an end is text", () => {
  assert.ok(shown(`${">".repeat(3000)} x`).length > 0);
  assert.ok(shown("[".repeat(20000)).length > 0);
});
