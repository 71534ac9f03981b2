// Words of the page in its language: English as the code has them, Chinese from VizKit's catalogue.

const given = typeof document === "undefined" ? null : document.getElementById("words");
let WORDS = (given ? JSON.parse(given.textContent ?? "{}") : {}) as Record<string, string>;

/** The page's language, for dates. */
export let language = typeof document !== "undefined" && document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en";

/** Speak another language, with these words for the code's. */
export function speak(words: Record<string, string>, code: string): void {
  WORDS = words;
  language = code.startsWith("zh") ? "zh-CN" : "en";
}

/** A text in the page's language, with values for the names in braces. */
export function t(text: string, values: Record<string, string | number> = {}): string {
  return (WORDS[text] ?? text).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Mark a text for the catalogue that is translated elsewhere, by a variable. */
export function mark(text: string): string {
  return text;
}
