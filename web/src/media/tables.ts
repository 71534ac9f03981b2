// Texts that are tables, of columns between tabs or of aligned ones.

const MOST_CELLS = 20_000;

/** The cells of a text of tab-separated columns, whose last line may say how many rows there are beside; null for other texts. */
export function columnsOf(text: string): string[][] | null {
  if (!text.includes("\t")) return null;
  const rows = text.replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
  const rest = rows.length > 2 && /^\.\.\. [\d,]+ more rows$/.test(rows.at(-1)?.join("\t") ?? "") ? rows.pop() : undefined;
  const wide = rows[0]?.length ?? 0;
  return wide > 1 && rows.length > 1 && rows.length * wide <= MOST_CELLS && rows.every((row) => row.length === wide) ? [...rows, ...(rest ? [rest] : [])] : null;
}

/** True if lines of a text are aligned by spaces, which Markdown would leave out. */
export function isAligned(text: string): boolean {
  if (/^ {0,3}(```|~~~)/m.test(text)) return false;
  return text.split("\n", 500).filter((line) => /\S[ \u00a0]{3,}\S/.test(line)).length >= 2;
}
