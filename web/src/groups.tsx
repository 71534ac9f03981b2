// Groups of runs in numbers: of each run counts its best value.
import { useComputed } from "@preact/signals";
import { useAsked } from "./asked";
import { type Group, groups as askGroups } from "./comparisons";
import { Dot } from "./dot";
import { exact, setting, short } from "./format";
import { t } from "./language";
import { answer as runs, drawn, hparams, isSearch } from "./store";
import { metricOf } from "./summaries";
import { bestOf, MetricField, useMetric } from "./verdict";
import { show, toggled, view } from "./view";

const MOST_CHOICES = 30;

export function GroupTable() {
  const metric = useMetric();
  const question = useComputed(() => {
    const names = view.value.group;
    if (!metric.value || !drawn.value.length || !names.length) return "";
    const values = drawn.value.map((run) => [bestOf(metricOf(run, metric.value)), names.map((name) => run.hparams[name])]);
    return JSON.stringify([metric.value, view.value.better, names, drawn.value.map((run) => run.path), values]);
  });
  const asked = useAsked(question, (text, signal) => {
    const [tag, mode, names, paths] = JSON.parse(text) as [string, string, string[], string[]];
    return askGroups(tag, mode, names, paths, signal);
  });
  const { answer, failure } = asked.value;
  const choices = hparams.value.filter((one) => one.differs);
  const { group } = view.value;
  return (
    <figure class="panel wide" aria-label={t("Groups")}>
      <figcaption><b>{t("Groups")}</b>{metric.value && group.length > 0 && <MetricField metric={metric.value} />}</figcaption>
      {!group.length && <p class="note">{choices.length ? t("Choose a hyper-parameter to group the runs by.") : t("No hyper-parameter differs between these runs.")}</p>}
      <p class="choices">
        {choices.slice(0, MOST_CHOICES).map(({ name }) => <button key={name} aria-pressed={group.includes(name)} onClick={() => show({ group: toggled(group, name) })}><bdi>{name}</bdi></button>)}
      </p>
      {failure && <p class="error" role="alert">{failure}</p>}
      {answer?.reason && <p class="note">{answer.reason}</p>}
      {answer && answer.groups.length > 0 && (
        <>
          <div class="scroll" tabIndex={0} role="region" aria-label={t("Groups")}>
            <table class="diff numbers">
              <thead><tr><th scope="col">{group.join(" × ")}</th>{[t("Runs"), "n", t("Mean"), t("95 % interval"), t("Standard deviation"), t("Smallest"), t("Largest")].map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
              <tbody>{answer.groups.map((one) => <Row key={JSON.stringify(one.values)} group={one} />)}</tbody>
            </table>
          </div>
          {answer.more > 0 && <p class="note">{t("and {n} more", { n: answer.more })}</p>}
          <p class="note">{t("Best value of each run")}: {answer.mode}</p>
        </>
      )}
    </figure>
  );
}

function Row({ group }: { group: Group }) {
  const first = runs.value?.runs.find((run) => run.path === group.runs[0]); // a group has its first run's colour
  const label = group.values.map((value) => (value === null ? t("none") : setting(value))).join(" × ");
  const cell = (value: number | null) => <td title={value === null ? undefined : exact(value)}>{value === null ? "" : short(value)}</td>;
  const only = () => {
    const before = isSearch.value ? "" : view.value.filter;
    show({ filter: before ? `(${before}) and ${group.filter}` : group.filter }, true);
  };
  return (
    <tr>
      <th scope="row"><Dot color={first?.color ?? "#888888"} /> {group.filter ? <button class="quiet" title={t("Only these runs")} onClick={only}><bdi>{label}</bdi></button> : <bdi>{label}</bdi>}</th>
      <td>{group.runs.length}</td>
      <td>{group.n}</td>
      {cell(group.mean)}
      <td>{group.low !== null && group.high !== null ? `${short(group.low)} … ${short(group.high)}` : ""}</td>
      {cell(group.std)}
      {cell(group.least)}
      {cell(group.greatest)}
    </tr>
  );
}
