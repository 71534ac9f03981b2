// The numbers of confusion matrices and reliability diagrams, as their texts hold them.

export interface Confusion {
  names: string[];
  /** rows are the true classes. */
  counts: number[][];
}

export interface Bin {
  from: number;
  to: number;
  samples: number;
  confidence: number;
  accuracy: number;
}

export interface Reliability {
  bins: Bin[];
  /** what the axes are: of the predicted class, or of the positive one. */
  axes: [string, string];
}

export type Rates = "counts" | "true" | "predicted";

/** Read the text `<tag>/counts`; null if it is another text. */
export function readConfusion(text: string): Confusion | null {
  const [head, ...rows] = text.split("\n").map((line) => line.split("\t"));
  const names = head?.slice(1) ?? [];
  const counts = rows.map(([, ...cells]) => (cells[0] && !cells[0].includes("=") ? cells.map(Number) : sparse(cells, names.length)));
  const fits = names.length > 0 && counts.length === names.length && counts.every((row) => row.length === names.length && row.every((count) => count >= 0));
  return fits ? { names, counts } : null;
}

/** The row of a matrix of many classes, of which the text holds what is not zero. */
function sparse(cells: readonly string[], classes: number): number[] {
  const row = new Array<number>(classes).fill(0);
  for (const cell of cells) {
    const [column, count] = cell.split("=");
    if (!column || !count || !(Number(column) in row)) return [];
    row[Number(column)] = Number(count);
  }
  return row;
}

/** Read the text `<tag>/bins`; null if it is another text. */
export function readReliability(text: string): Reliability | null {
  const [head, ...rows] = text.split("\n").map((line) => line.split("\t"));
  const bins = rows.map(([from, to, samples, confidence, accuracy]) => ({ from: Number(from), to: Number(to), samples: Number(samples), confidence: confidence === "nan" ? NaN : Number(confidence), accuracy: accuracy === "nan" ? NaN : Number(accuracy) }));
  const fits = head?.length === 5 && head[0] === "from" && bins.length > 0 && bins.every(({ from, to, samples }) => from < to && samples >= 0);
  return fits ? { bins, axes: [head[3] ?? "", head[4] ?? ""] } : null;
}

export function sumsOf({ names, counts }: Confusion): { rows: number[]; columns: number[]; total: number; right: number } {
  const rows = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const columns = names.map((_, at) => counts.reduce((sum, row) => sum + (row[at] ?? 0), 0));
  return { rows, columns, total: rows.reduce((sum, count) => sum + count, 0), right: counts.reduce((sum, row, at) => sum + (row[at] ?? 0), 0) };
}

/** What a cell shows: its count, or its share of its row or column; NaN in one without samples. */
export function cellOf(confusion: Confusion, sums: ReturnType<typeof sumsOf>, row: number, column: number, rates: Rates): number {
  const count = confusion.counts[row]?.[column] ?? NaN;
  if (rates === "counts") return count;
  const total = (rates === "true" ? sums.rows[row] : sums.columns[column]) ?? 0;
  return total ? count / total : NaN;
}

export interface Mistake {
  row: number;
  column: number;
  count: number;
  /** of the true class's samples. */
  share: number;
}

/** The cells beside the diagonal, the largest first, of equal counts those with the largest share of their class. */
export function mistakesOf(confusion: Confusion, most: number): Mistake[] {
  const { rows } = sumsOf(confusion);
  const found: Mistake[] = [];
  for (const [row, counts] of confusion.counts.entries()) {
    for (const [column, count] of counts.entries()) if (row !== column && count > 0) found.push({ row, column, count, share: count / (rows[row] ?? NaN) });
  }
  return found.sort((a, b) => b.count - a.count || b.share - a.share || a.row - b.row || a.column - b.column).slice(0, most);
}

/** The expected calibration error: the gaps' mean, weighted by their samples; NaN without samples. */
export function eceOf({ bins }: Reliability): number {
  let [sum, total] = [0, 0];
  for (const { samples, confidence, accuracy } of bins) {
    if (!samples) continue;
    sum += samples * Math.abs(accuracy - confidence);
    total += samples;
  }
  return total ? sum / total : NaN;
}
