// Texts: Markdown, tables, or as they were written; and the search in all of them.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useContext } from "preact/hooks";
import { exact } from "../format";
import { t } from "../language";
import { Markdown } from "../markdown";
import { show, view } from "../view";
import { type Chosen, Frame, Name, Scope, useChosen, useContents, useRecords } from "./frame";
import { type Found, readText, search } from "./records";
import { columnsOf, isAligned } from "./tables";

const MOST = 100_000; // characters that are shown at once

export function TextTag({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("text", tag);
  const chosen = useChosen(found, true);
  const { contents, trouble: lost } = useContents(useComputed(() => chosen.value.map(({ record }) => record.address)), readText);
  const { plain } = view.value;
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value || lost.value} left={left.value} more={more} extra={<button class="quiet" aria-pressed={plain} onClick={() => show({ plain: !plain })}>{t("as written")}</button>}>
      {alike(chosen.value, contents.value).map(([text, all]) => (
        <div key={all[0]?.record.address}>
          {all.map(({ run, record, wanted }) => <span key={record.address}><Name run={run} step={record.step} wanted={wanted} /> </span>)}
          {text !== undefined && <Text text={text} plain={plain} address={all[0]?.record.address ?? ""} />}
        </div>
      ))}
    </Frame>
  );
}

/** Each text with the runs that recorded it. */
function alike(chosen: readonly Chosen[], contents: ReadonlyMap<string, string>): [string | undefined, Chosen[]][] {
  const found = new Map<string | undefined, Chosen[]>();
  for (const one of chosen) {
    const text = contents.get(one.record.address);
    found.set(text, [...(found.get(text) ?? []), one]);
  }
  return [...found];
}

function Text({ text, plain, address }: { text: string; plain: boolean; address: string }) {
  const cut = text.length > MOST;
  const shown = cut ? text.slice(0, MOST) : text;
  const columns = plain || cut ? null : columnsOf(shown);
  return (
    <div class="text" tabIndex={0} role="group" aria-label={t("Text")}>
      {plain || cut || (!columns && isAligned(shown)) ? <pre>{shown}</pre> : columns ? (
        <table class="diff">
          <thead><tr>{columns[0]?.map((cell, at) => <th key={at}>{cell}</th>)}</tr></thead>
          <tbody>{columns.slice(1).map((row, at) => <tr key={at}>{row.map((cell, place) => <td key={place} colSpan={row.length > 1 ? undefined : columns[0]?.length}>{cell}</td>)}</tr>)}</tbody>
        </table>
      ) : <Markdown text={shown} />}
      {cut && <p class="note">{t("{shown} of {total} characters", { shown: MOST, total: text.length })} <a href={address} target="_blank" rel="noopener">{t("All of it")}</a></p>}
    </div>
  );
}

const REST = 250; // milliseconds without a letter typed, before the server is asked

/** The texts of all steps that hold some words. */
export function FoundTexts({ text }: { text: string }) {
  const scope = useContext(Scope);
  const found = useSignal<{ text: string; all: Found[]; complete: boolean } | null>(null);
  const trouble = useSignal("");
  useSignalEffect(() => {
    const runs = scope.value.map((run) => run.path);
    const words = view.value.find;
    const aborted = new AbortController();
    const timer = setTimeout(() => {
      search(words, runs, aborted.signal).then(
        (got) => { found.value = { text: words, all: got.found, complete: got.complete }; trouble.value = ""; },
        (error: Error) => { if (!aborted.signal.aborted) trouble.value = error.message; },
      );
    }, REST);
    return () => { clearTimeout(timer); aborted.abort(); };
  });
  const names = new Map(scope.value.map((run) => [run.path, run]));
  const now = found.value;
  return (
    <section class="found" aria-label={t("Search in texts")} aria-busy={now?.text !== text}>
      {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
      {now && <p class="note" role="status">{now.complete ? t("{n} texts hold these words", { n: now.all.length }) : t("the first {n} texts that hold these words", { n: now.all.length })}</p>}
      <ul>
        {now?.all.map(({ run, tag, step, excerpt }) => {
          const known = names.get(run);
          return (
            <li key={`${run}\n${tag}\n${step}`}>
              <button class="quiet" onClick={() => { show({ at: step }); document.querySelector(`figure[aria-label="${CSS.escape(tag)}"]`)?.scrollIntoView({ block: "center" }); }}>
                {known && <Name run={known} />} <b>{tag}</b> {t("Step")} {exact(step)}: <Marked text={excerpt} words={now.text} />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Marked({ text, words }: { text: string; words: string }) {
  const at = text.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return <>{text}</>;
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + words.length)}</mark>{text.slice(at + words.length)}</>;
}
