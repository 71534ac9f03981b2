// Samples in groups: by any column, and by label and prediction as a confusion matrix whose cells choose their samples.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useAsked, useFollowed } from "../asked";
import { exact, short } from "../format";
import { t } from "../language";
import { show, view } from "../view";
import { type Cell, type Column, groupsOf, type RowGroup } from "./answers";
import { wordOf } from "./words";

const MOST_CLASSES = 30; // of a matrix
const MOST_GROUPS = 500;

type Query = ReadonlySignal<[string, string][]>;

/** Groups of a query without its filter, or with it. */
function useGroups(query: Query, by: readonly string[], filtered: boolean, most: number) {
  const names = useFollowed(by.length ? JSON.stringify(by) : "");
  const question = useComputed(() => names.value && JSON.stringify([query.value.filter(([name]) => !["order", "direction", ...(filtered ? [] : ["where"])].includes(name)), names.value]));
  return useAsked(question, (text, signal) => {
    const [asked, columns] = JSON.parse(text) as [[string, string][], string];
    return groupsOf(asked, JSON.parse(columns) as string[], most, signal);
  });
}

function choose(where: string): void {
  show({ where: view.peek().where === where ? "" : where }, true);
}

const nameOf = (value: Cell) => (value === null ? t("none") : typeof value === "boolean" ? (value ? t("yes") : t("no")) : typeof value === "number" ? short(value) : value);

/** Groups of a column in numbers. */
export function ColumnGroups({ query, by }: { query: Query; by: string }) {
  const { answer, failure } = useGroups(query, [by], true, MOST_GROUPS).value;
  if (failure) return <p class="error" role="alert">{failure}</p>;
  if (!answer) return null;
  const most = Math.max(...answer.groups.map(({ n }) => n), 1);
  const [correct, loss] = [answer.groups.some((one) => one.correct !== null), answer.groups.some((one) => one.loss !== null)];
  return (
    <div class="scroll samples-groups" tabIndex={0} role="region" aria-label={t("Groups")}>
      <table class="diff numbers">
        <thead><tr><th scope="col">{wordOf(by)}</th><th scope="col">{t("Samples")}</th>{correct && <th scope="col">{wordOf("correct")}</th>}{loss && <th scope="col">{t("mean loss")}</th>}<th scope="col"><span class="unseen">{t("Share")}</span></th></tr></thead>
        <tbody>
          {answer.groups.map((one) => (
            <tr key={one.where}>
              <th scope="row"><button class="quiet" aria-pressed={view.value.where === one.where} title={t("Only these samples")} onClick={() => choose(one.where)}><bdi>{by === "change" ? wordOf(String(one.values[0])) : nameOf(one.values[0] ?? null)}</bdi></button></th>
              <td>{exact(one.n)}</td>
              {correct && <td>{one.correct === null ? "" : percent(one.correct)}</td>}
              {loss && <td>{one.loss === null ? "" : short(one.loss)}</td>}
              <td class="bar"><i style={{ width: `${(100 * one.n) / most}%` }} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {answer.more > 0 && <p class="note">{t("and {n} more", { n: answer.more })}</p>}
    </div>
  );
}

/** True if a table tells classes that can be counted. */
export function hasMatrix(columns: readonly Column[]): boolean {
  return ["label", "prediction"].every((name) => columns.some((column) => column.name === name && ["whole", "text", "category"].includes(column.kind)));
}

/** The confusion matrix of a run, each cell of which shows its samples. */
export function Matrix({ query, prediction, name }: { query: Query; prediction: string; name: string }) {
  const { answer } = useGroups(query, ["label", prediction], false, 2 * MOST_CLASSES ** 2).value;
  if (!answer) return null;
  const classes = inOrder(answer.groups);
  if (answer.more || classes.length > MOST_CLASSES) return <Mistakes groups={answer.groups} more={answer.more > 0} name={name} />;
  const found = new Map(answer.groups.map((one) => [JSON.stringify(one.values), one]));
  const sums = new Map<Cell, number>();
  for (const { values: [label = null], n } of answer.groups) sums.set(label, (sums.get(label) ?? 0) + n);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("Confusion matrix of {run}", { run: name })}>
      <table class="cells samples-matrix">
        <caption>{t("Confusion matrix of {run}", { run: name })}</caption>
        <thead><tr><th class="corner">{t("true ╲ predicted")}</th>{classes.map((one) => <th key={String(one)} scope="col" title={nameOf(one)}><span>{nameOf(one)}</span></th>)}</tr></thead>
        <tbody>
          {classes.map((label) => (
            <tr key={String(label)}>
              <th scope="row" title={nameOf(label)}><span>{nameOf(label)}</span></th>
              {classes.map((guess) => {
                const one = found.get(JSON.stringify([label, guess]));
                const share = one ? one.n / (sums.get(label) ?? 1) : 0;
                return (
                  <td key={String(guess)} style={{ background: `rgb(${label === guess ? "31 95 174" : "179 82 11"} / ${(0.5 * Math.sqrt(share)).toFixed(3)})` }}>
                    {one ? <button aria-pressed={view.value.where === one.where} aria-label={t("true {one}, predicted {other}: {count}", { one: nameOf(label), other: nameOf(guess), count: exact(one.n) })} onClick={() => choose(one.where)}>{exact(one.n)}</button> : ""}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is taken for what most often, where classes are too many for a matrix. */
function Mistakes({ groups, more, name }: { groups: readonly RowGroup[]; more: boolean; name: string }) {
  const worst = groups.filter(({ values: [label, guess] }) => label !== guess).sort((a, b) => b.n - a.n).slice(0, 50);
  if (more || !worst.length) return null;
  return (
    <div class="scroll samples-groups" tabIndex={0} role="region" aria-label={t("What is taken for what")}>
      <table class="diff numbers">
        <caption>{t("What is taken for what")} · {name}</caption>
        <thead><tr><th scope="col">{t("True")}</th><th scope="col">{t("Predicted")}</th><th scope="col">{t("Samples")}</th></tr></thead>
        <tbody>{worst.map((one) => <tr key={one.where}><td>{nameOf(one.values[0] ?? null)}</td><td>{nameOf(one.values[1] ?? null)}</td><td><button class="quiet" onClick={() => choose(one.where)}>{exact(one.n)}</button></td></tr>)}</tbody>
      </table>
    </div>
  );
}

/** The classes of both sides, in the order in which the server has them. */
function inOrder(groups: readonly RowGroup[]): Cell[] {
  const numbers = groups.every(({ values }) => values.every((value) => typeof value === "number"));
  const all = [...new Set([...groups.map(({ values }) => values[0] ?? null), ...groups.map(({ values }) => values[1] ?? null)])];
  return numbers ? all.sort((a, b) => Number(a) - Number(b)) : all;
}

function percent(share: number): string {
  return `${exact(Number((100 * share).toPrecision(3)))} %`;
}
