// Words of columns that evaluations record.
import { mark, t } from "../language";

const WORDS: Record<string, string> = {
  label: mark("label"),
  prediction: mark("prediction"),
  score: mark("score"),
  loss: mark("loss"),
  correct: mark("correct"),
  input: mark("input"),
  change: mark("change"),
  mended: mark("mended"),
  broken: mark("broken"),
  "both wrong": mark("both wrong"),
  "both right": mark("both right"),
};

/** A column or a value in the reader's language. */
export function wordOf(name: string): string {
  if (name.startsWith("b.")) return `B ${wordOf(name.slice(2))}`;
  return WORDS[name] ? t(WORDS[name]) : name;
}
