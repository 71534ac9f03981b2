// A chart's picture, with its title above and the names of its curves below.
import type { Line } from "./line";

const MOST_NAMED = 60;

interface Looks {
  background: string;
  ink: string;
  font: string;
  /** pixels of the screen for one of the page. */
  ratio: number;
}

export function pictureOf(chart: HTMLCanvasElement, lines: readonly Line[], title: string, { background, ink, font, ratio }: Looks): HTMLCanvasElement {
  const row = 18 * ratio;
  const [plain, bold] = [font.replace("12px", `${12 * ratio}px`), font.replace("12px", `bold ${12 * ratio}px`)];
  const copy = document.createElement("canvas");
  const context = copy.getContext("2d") as CanvasRenderingContext2D;
  context.font = plain;
  const named = lines.filter((line) => !line.faint).slice(0, MOST_NAMED);
  let [left, down] = [0, chart.height + 2.4 * row];
  const places = named.map(({ name }) => {
    const wide = Math.min(context.measureText(name).width + 40 * ratio, chart.width);
    if (left && left + wide > chart.width) [left, down] = [0, down + row];
    left += wide;
    return [left - wide, down] as const;
  });
  [copy.width, copy.height] = [chart.width, down + 0.6 * row];
  context.fillStyle = background;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(chart, 0, 1.3 * row);
  context.font = bold;
  context.fillStyle = ink;
  context.fillText(title, 8 * ratio, row, chart.width - 16 * ratio);
  context.font = plain;
  context.lineWidth = 2 * ratio;
  for (const [at, line] of named.entries()) {
    const [from, top] = places[at] as readonly [number, number];
    context.strokeStyle = line.color;
    context.setLineDash(line.dash.map((length) => length * ratio));
    context.beginPath();
    context.moveTo(from + 8 * ratio, top - 4 * ratio);
    context.lineTo(from + 26 * ratio, top - 4 * ratio);
    context.stroke();
    context.fillText(line.name, from + 30 * ratio, top, chart.width - 38 * ratio);
  }
  return copy;
}
