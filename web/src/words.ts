// Words for values that the server names.
import { t } from "./language";

export function statusOf(status: string): string {
  const words: Record<string, string> = { running: t("running"), finished: t("finished"), failed: t("failed"), killed: t("killed"), interrupted: t("interrupted"), unknown: t("unknown") };
  return words[status] ?? status;
}

/** The last or the best value of a metric. */
export function kindOf(kind: string): string {
  return kind === "best" ? t("best") : t("last");
}
