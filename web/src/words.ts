// Words for values that the server names.
import { mark, t } from "./language";

export function statusOf(status: string): string {
  const words: Record<string, string> = { running: t("running"), finished: t("finished"), failed: t("failed"), killed: t("killed"), interrupted: t("interrupted"), unknown: t("unknown") };
  return words[status] ?? status;
}

/** The last or the best value of a metric. */
export function kindOf(kind: string): string {
  return kind === "best" ? t("best") : t("last");
}

const BANDS = [
  mark("least and greatest"),
  mark("standard deviation"),
  mark("standard deviation, cut at the metric's bounds"),
  mark("standard error"),
  mark("standard error on the logit scale"),
  mark("standard error, cut at the metric's bound"),
  mark("95 % interval of the median (order statistics)"),
  mark("95 % interval of the mean (Student's t)"),
  mark("95 % interval of the mean (Student's t, on the logit scale of the metric's bounds)"),
  mark("95 % interval of the mean (Student's t, cut at the metric's bound)"),
];

/** The way in which a band was computed. */
export function bandText(text: string): string {
  return BANDS.includes(text) ? t(text) : text;
}
