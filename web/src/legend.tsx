// What the colours of groups mean; a click hides or shows a group's runs.
import { DASHES } from "./chart/line";
import { tint } from "./format";
import { groups } from "./grouping";
import { t } from "./language";
import { dark, pointed } from "./store";
import { show, view } from "./view";

const MOST = 30;

export function Legend() {
  const all = groups.value;
  if (!all.length || view.value.run) return null;
  const turn = (paths: string[], shown: boolean, alone: boolean) => {
    const { hidden, only } = view.value;
    const others = hidden.filter((path) => !paths.includes(path));
    if (alone) show({ only: paths.length === only.length && paths.every((path) => only.includes(path)) ? [] : paths });
    else if (only.length) show({ only: shown ? only.filter((path) => !paths.includes(path)) : [...new Set([...only, ...paths])] });
    else show({ hidden: shown ? [...others, ...paths] : others });
  };
  return (
    <div class="legend groups" role="group" aria-label={t("Groups")}>
      {all.slice(0, MOST).map(({ title, color, lap, paths, drawn }) => (
        <button key={title} class="quiet" aria-pressed={drawn.length > 0} title={`${title}\n${t("{n} runs", { n: paths.length })}\n${t("Alt: only this one")}`} onMouseEnter={() => (pointed.value = paths)} onMouseLeave={() => (pointed.value = [])} onClick={(event) => turn(paths, drawn.length > 0, event.altKey)}>
          <svg width="18" height="8" aria-hidden="true"><path d="M0 4h18" stroke={tint(color, dark.value)} stroke-width="3" stroke-dasharray={DASHES[lap % DASHES.length]?.join(" ")} /></svg> <bdi>{title}</bdi> <small>({drawn.length})</small>
        </button>
      ))}
      {all.length > MOST && <span class="quiet">{t("and {n} more", { n: all.length - MOST })}</span>}
    </div>
  );
}
