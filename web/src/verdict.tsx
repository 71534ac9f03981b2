// Which hyper-parameter mattered, and whether some runs are better than others: the server's statistics, in words.
import { useComputed } from "@preact/signals";
import { commonFirst } from "./common";
import { comparison, importance } from "./comparisons";
import { useAsked } from "./asked";
import { short } from "./format";
import { t } from "./language";
import { chosenSides, groupsOf, type Side, singlesOf } from "./sides";
import { drawn, hparams, listed, selected, type Selection, selection, tags } from "./store";
import { metricOf } from "./summaries";
import { show, view } from "./view";

const MOST_CHOICES = 300;

/** The metric that both look at: the one chosen, else the first of which it is known which value is best. */
export function useMetric() {
  return useComputed(() => {
    const known = commonFirst(tags.value.filter((tag) => drawn.value.some((run) => run.metrics[tag])), drawn.value);
    const chosen = view.value.metric;
    return known.includes(chosen) ? chosen : (known.find((tag) => drawn.value.some((run) => run.metrics[tag]?.mode)) ?? known[0] ?? "");
  });
}

export function MetricField({ metric }: { metric: string }) {
  const known = tags.value.filter((tag) => drawn.value.some((run) => run.metrics[tag]));
  return (
    <>
      <label>{t("Metric")} <select value={metric} onChange={(event) => show({ metric: event.currentTarget.value })}>{known.slice(0, MOST_CHOICES).map((tag) => <option key={tag} value={tag}>{tag}</option>)}</select></label>
      <label>
        {t("Better")} <select value={view.value.better} onChange={(event) => show({ better: event.currentTarget.value as "auto" })}>
          <option value="auto">{t("by its name")}</option>
          <option value="max">{t("high values")}</option>
          <option value="min">{t("low values")}</option>
        </select>
      </label>
    </>
  );
}

export function Importance() {
  const metric = useMetric();
  // Asked again when what it is computed from differs: not with every record of a run.
  const question = useComputed(() => {
    if (!metric.value || !selected.value.length) return "";
    const values = selected.value.map((run) => [run.path, bestOf(metricOf(run, metric.value)), run.hparams]);
    return JSON.stringify([metric.value, view.value.better, selection.value, values]);
  });
  const asked = useAsked(question, (text, signal) => {
    const [tag, mode, runs] = JSON.parse(text) as [string, string, Selection];
    return importance(tag, mode, runs, signal);
  });
  const { answer, failure } = asked.value;
  return (
    <figure class="panel wide" aria-label={t("Which hyper-parameter mattered")}>
      <figcaption><b>{t("Which hyper-parameter mattered")}</b>{metric.value && <MetricField metric={metric.value} />}</figcaption>
      {failure && <p class="error" role="alert">{failure}</p>}
      {answer?.reason && <p class="note">{answer.reason}</p>}
      {answer && !answer.reason && !answer.hparams.length && <p class="note">{t("No hyper-parameter differs between these runs.")}</p>}
      {answer && answer.hparams.length > 0 && (
        <>
          <div class="scroll" tabIndex={0} role="region" aria-label={t("Which hyper-parameter mattered")}>
            <table class="diff importance">
              <thead><tr><th scope="col">{t("Hyper-parameters")}</th><th scope="col">{t("Share of variance")}</th><th scope="col">p</th><th scope="col">{t("Values")}</th><th scope="col">{t("Changed together with")}</th></tr></thead>
              <tbody>
                {answer.hparams.map((one) => (
                  <tr key={one.name}>
                    <th scope="row" title={one.name}>{one.name}</th>
                    <td title={String(one.importance)}>{Number.isNaN(one.importance) ? t("cannot be told") : <><meter min={0} max={1} value={one.importance} aria-label={one.name} /> {short(one.importance)}</>}</td>
                    <td title={String(one.p)}>{Number.isNaN(one.p) ? "" : short(one.p)}</td>
                    <td>{one.values}</td>
                    <td title={one.together_with.join(", ")}>{one.together_with.join(", ")}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {listed.value.length > answer.n && <p class="note">{t("Of {total} runs that are listed count the {n} that are chosen and have a value.", { total: listed.value.length, n: answer.n })}</p>}
          <p class="note">{t("The share of the metric's variance over these {n} runs that each explains alone, adjusted for chance; p says how often shuffled runs explain as much.", { n: answer.n })} {answer.hparams.some((one) => one.p < 0.05) ? "" : t("None is clear of chance (p below 0.05): more runs would tell.")}</p>
        </>
      )}
    </figure>
  );
}

/** What statistics of best values depend on. */
export function bestOf(metric: { best: number | null; last: number; n: number } | null | undefined): unknown {
  return metric && (metric.best ?? [metric.n, metric.last]);
}

export function Verdict() {
  const metric = useMetric();
  const groups = useComputed(() => groupsOf(drawn.value, hparams.value.filter((one) => one.differs).map((one) => one.name)));
  const singles = useComputed(() => singlesOf(drawn.value));
  const sides = useComputed(() => chosenSides(groups.value, singles.value, view.value.a, view.value.b));
  const question = useComputed(() => {
    const [a, b] = sides.value;
    if (!a || !b || !metric.value) return "";
    const known = new Set([...a.runs, ...b.runs]);
    const values = drawn.value.filter((run) => known.has(run.path)).map((run) => bestOf(metricOf(run, metric.value)));
    return JSON.stringify([metric.value, view.value.better, a.runs, b.runs, values]);
  });
  const asked = useAsked(question, (text, signal) => {
    const [tag, mode, a, b] = JSON.parse(text) as [string, string, string[], string[]];
    return comparison(tag, mode, a, b, signal);
  });
  const [a, b] = sides.value;
  const { answer, failure } = asked.value;
  const better = answer?.numbers?.better;
  return (
    <figure class="panel wide" aria-label={t("Is B better than A?")}>
      <figcaption>
        <b>{t("Is B better than A?")}</b>
        {a && b && <><SideField name="A" side={a} groups={groups.value} singles={singles.value} set={(key) => show({ a: key, b: b.key })} /><SideField name="B" side={b} groups={groups.value} singles={singles.value} set={(key) => show({ a: a.key, b: key })} /></>}
      </figcaption>
      {failure && <p class="error" role="alert">{failure}</p>}
      {(!a || !b) && <p class="note">{t("Draw two runs or more to compare them.")}</p>}
      {answer?.reason && <p class="note">{answer.reason}</p>}
      {answer?.sentence && <p class={`sentence ${better === true ? "good" : better === false ? "bad" : ""}`} role="status">{answer.sentence}</p>}
      {answer?.numbers && <p class="note">{t("Of each run counts its best value; the interval is Welch's.")}</p>}
    </figure>
  );
}

function SideField({ name, side, groups, singles, set }: { name: string; side: Side; groups: Side[]; singles: Side[]; set: (key: string) => void }) {
  const option = (one: Side) => <option key={one.key} value={one.key}>{one.runs.length > 1 ? `${one.title} (${one.runs.length})` : one.title}</option>;
  return (
    <label>
      {name} <select value={side.key} title={side.title} onChange={(event) => set(event.currentTarget.value)}>
        {groups.length > 0 && <optgroup label={t("Groups")}>{groups.slice(0, MOST_CHOICES).map(option)}</optgroup>}
        <optgroup label={t("Runs")}>{singles.slice(0, MOST_CHOICES).map(option)}</optgroup>
      </select>
    </label>
  );
}
