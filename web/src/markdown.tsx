// Markdown as elements of the page. No HTML is ever made: what a text holds of it is shown as it is written.
import { type MarkedToken, Lexer, type Token, type Tokens } from "marked";
import { type ComponentChildren, Fragment, h } from "preact";
import { t } from "./language";

const SAFE = /^(https?:|mailto:|#)/i;
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const DEEPEST = 20; // lists in lists

/** A text as Markdown, with its line breaks. */
export function Markdown({ text }: { text: string }) {
  let tokens: Token[];
  try {
    tokens = new Lexer({ gfm: true, breaks: true }).lex(text);
  } catch {
    return <pre class="text">{text}</pre>; // nested beyond what can be parsed
  }
  return <div class="markdown">{all(tokens, 0)}</div>;
}

/** An address that may be followed; null for those that run code or ask the page's own server. */
export function safeAddress(address: string): string | null {
  const plain = decoded(address).replace(/[\u0000-\u0020]/g, ""); // browsers leave them out
  return SAFE.test(plain) ? plain : null;
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,6}));/gi, (whole, decimal: string, hex: string, name: string) => {
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function all(tokens: readonly Token[] | undefined, depth: number): ComponentChildren {
  if (depth > DEEPEST) return (tokens ?? []).map((token) => token.raw).join("");
  return (tokens ?? []).map((token, at) => <Fragment key={at}>{one(token as MarkedToken, depth + 1)}</Fragment>);
}

function one(token: MarkedToken, depth: number): ComponentChildren {
  switch (token.type) {
    case "heading":
      return h(`h${Math.min(token.depth + 2, 6)}`, null, all(token.tokens, depth)); // below the page's own
    case "paragraph":
      return <p>{all(token.tokens, depth)}</p>;
    case "text":
      return token.tokens ? all(token.tokens, depth) : decoded(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{all(token.tokens, depth)}</strong>;
    case "em":
      return <em>{all(token.tokens, depth)}</em>;
    case "del":
      return <del>{all(token.tokens, depth)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "code":
      return <pre><code>{token.text}</code></pre>;
    case "blockquote":
      return <blockquote>{all(token.tokens, depth)}</blockquote>;
    case "br":
      return <br />;
    case "hr":
      return <hr />;
    case "list": {
      const items = token.items.map((item, at) => <li key={at}>{all(item.tokens, depth)}</li>);
      return token.ordered ? <ol start={token.start || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "checkbox":
      return <input type="checkbox" checked={token.checked} disabled />;
    case "link":
      return linked(token.href, token.title ?? "", all(token.tokens, depth));
    case "image": // another server would learn who reads: its address is there to be followed
      return linked(token.href, token.title ?? "", `${t("image")}: ${token.text || token.href}`);
    case "table":
      return tableOf(token, depth);
    case "space":
    case "def":
      return null;
    default:
      return token.raw; // HTML, as it is written
  }
}

function linked(href: string, title: string, children: ComponentChildren): ComponentChildren {
  const address = safeAddress(href);
  return address ? <a href={address} title={title || address} target="_blank" rel="noopener noreferrer nofollow">{children}</a> : <span title={href}>{children}</span>;
}

function tableOf(token: Tokens.Table, depth: number): ComponentChildren {
  const cell = (one: Tokens.TableCell, at: number) => h(one.header ? "th" : "td", { key: at, class: one.align ?? undefined }, all(one.tokens, depth));
  return (
    <div class="scroll">
      <table class="diff">
        <thead><tr>{token.header.map(cell)}</tr></thead>
        <tbody>{token.rows.map((row, at) => <tr key={at}>{row.map(cell)}</tr>)}</tbody>
      </table>
    </div>
  );
}
