// Texts that are tables.

const MOST_CELLS = 20_000;

/** The cells of a text of tab-separated columns; null for other texts. */
export function columnsOf(text: string): string[][] | null {
  if (!text.includes("\t")) return null;
  const rows = text.replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
  const wide = rows[0]?.length ?? 0;
  return wide > 1 && rows.length > 1 && rows.length * wide <= MOST_CELLS && rows.every((row) => row.length === wide) ? rows : null;
}
