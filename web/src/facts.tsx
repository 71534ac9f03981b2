// How a run was made: its hyper-parameters, its program, its code and its machine.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { RunDetails, RunInfo } from "./api";
import { bytes, duration, moment, setting, shell, utc } from "./format";
import { language, mark, t } from "./language";
import { statusOf } from "./words";

const MOST_LINES = 2000; // of a diff, shown at once

/** What has a place of its own on the page. */
const ELSEWHERE = new Set(["started", "ended", "status", "error", "error/type", "error/message", "git/diff_file", "git/diff_truncated", "process", "argv"]);
const FOLDED = ["packages/", "variables/"];

/** Names of facts, in the order in which people look for them. */
const NAMES: [string, string][] = [
  ["command", mark("Command")],
  ["script", mark("Script")],
  ["module", mark("Module")],
  ["notebook", mark("Notebook")],
  ["directory", mark("Working directory")],
  ["git/commit", mark("Git commit")],
  ["git/branch", mark("Branch")],
  ["git/remote", mark("Repository")],
  ["git/dirty", mark("Changed since the commit")],
  ["git/untracked", mark("Untracked files")],
  ["python", mark("Python")],
  ["executable", mark("Interpreter")],
  ["os", mark("Operating system")],
  ["host", mark("Machine")],
  ["hardware/cpu", mark("CPU")],
  ["hardware/cpus", mark("CPUs")],
  ["hardware/usable_cpus", mark("Usable CPUs")],
  ["hardware/memory", mark("Memory")],
  ["gpu_driver", mark("GPU driver")],
  ["seed", mark("Seed")],
  ["kind", mark("Kind of program")],
  ["git/root", mark("Directory of the repository")],
  ["rank", mark("Rank")],
  ["world_size", mark("Processes")],
  ["pid", mark("Process")],
];

export function Facts({ run, details }: { run: RunInfo; details: RunDetails }) {
  const { environment } = details;
  const place = new Map(NAMES.map(([key], index) => [key, index]));
  const at = (key: string) => place.get(key) ?? (key.startsWith("gpus/") ? (place.get("gpu_driver") ?? 0) - 0.5 : NAMES.length);
  const facts = Object.entries(environment)
    .filter(([key]) => !ELSEWHERE.has(key) && !FOLDED.some((start) => key.startsWith(start)))
    .sort(([a], [b]) => at(a) - at(b));
  const within = (start: string) => Object.entries(environment).filter(([key]) => key.startsWith(start)).map(([key, value]): [string, unknown] => [key.slice(start.length), value]);
  return (
    <>
      <Part name={t("Hyper-parameters")} count={Object.keys(run.hparams).length}>
        <Pairs rows={Object.entries(run.hparams)} />
      </Part>
      <Part name={t("Environment")}>
        {facts.length ? <Pairs rows={facts} named /> : <p class="note">{t("not recorded")}</p>}
        <Folded name={t("Packages")} rows={within("packages/")} />
        <Folded name={t("Environment variables")} rows={within("variables/")} />
        {details.diff && <Diff text={details.diff} cut={environment["git/diff_truncated"] === true} />}
      </Part>
      {details.sessions.length > 1 && <Sessions details={details} />}
    </>
  );
}

/** A part of the page with a heading, which a link leads to. */
export function Part({ name, count, children }: { name: string; count?: number; children: ComponentChildren }) {
  return (
    <section class="part" aria-label={name}>
      <h2>{name} {count !== undefined && <small>{count}</small>}</h2>
      {children}
    </section>
  );
}

function Pairs({ rows, named = false }: { rows: [string, unknown][]; named?: boolean }) {
  const names = new Map(NAMES);
  if (!rows.length) return <p class="note">{t("not recorded")}</p>;
  return (
    <dl>
      {rows.map(([key, value]) => {
        const name = named ? nameOf(key, names.get(key)) : key;
        const text = valueOf(key, value, named);
        return <div key={key}><dt title={key}><bdi>{name}</bdi></dt><dd tabIndex={isLong(text) ? 0 : undefined}><bdi>{text}</bdi></dd></div>;
      })}
    </dl>
  );
}

/** A text that may be scrolled where it stands, which keys must reach. */
function isLong(text: string): boolean {
  return text.length > 150 || text.split("\n").length > 8;
}

function nameOf(key: string, known: string | undefined): string {
  const gpu = /^gpus\/(\d+)\/(name|memory)$/.exec(key);
  if (gpu) return `GPU ${gpu[1]}${gpu[2] === "memory" ? ` · ${t("Memory")}` : ""}`;
  return known ? t(known) : key;
}

function valueOf(key: string, value: unknown, named: boolean): string {
  if (Array.isArray(value)) return key === "command" ? shell(value as string[]) : value.join(key === "git/untracked" ? "\n" : " ");
  if (named && typeof value === "number" && key.endsWith("/memory")) return bytes(value);
  if (named && typeof value === "boolean") return value ? t("yes") : t("no");
  return setting(value);
}

/** Many values behind a click, with a field that searches them. */
function Folded({ name, rows }: { name: string; rows: [string, unknown][] }) {
  const open = useSignal(false);
  const wanted = useSignal("");
  if (!rows.length) return null;
  const found = rows.filter(([key, value]) => `${key}=${setting(value)}`.toLowerCase().includes(wanted.value.toLowerCase()));
  return (
    <details open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{name} <small>{rows.length}</small></summary>
      {open.value && (
        <>
          {rows.length > 10 && <input type="search" value={wanted.value} placeholder={t("Search")} aria-label={`${t("Search")}: ${name}`} onInput={(event) => (wanted.value = event.currentTarget.value)} />}
          <Pairs rows={found} />
        </>
      )}
    </details>
  );
}

function Diff({ text, cut }: { text: string; cut: boolean }) {
  const open = useSignal(false);
  const lines = text.replace(/\n$/, "").split("\n");
  const files = lines.filter((line) => line.startsWith("diff --git ")).length;
  const kind = (line: string) => (/^(\+\+\+|---|diff |index )/.test(line) ? "file" : line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : line.startsWith("@@") ? "quiet" : "");
  return (
    <details open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t("Difference to the commit")} <small>{t("{n} files", { n: files })}</small></summary>
      {open.value && <pre class="text diff-text">{lines.slice(0, MOST_LINES).map((line, at) => <span key={at} class={kind(line)}>{`${line}\n`}</span>)}</pre>}
      {lines.length > MOST_LINES && <p class="note">{t("and {n} more lines", { n: lines.length - MOST_LINES })}</p>}
      {cut && <p class="note">{t("The difference was longer: only its beginning is recorded.")}</p>}
    </details>
  );
}

function Sessions({ details }: { details: RunDetails }) {
  return (
    <Part name={t("Sessions")} count={details.sessions.length}>
      <div class="scroll" tabIndex={0}>
        <table class="diff">
          <thead><tr><th scope="col">{t("Status")}</th><th scope="col">{t("Started")}</th><th scope="col">{t("Duration")}</th><th scope="col">{t("Error")}</th></tr></thead>
          <tbody>
            {details.sessions.map((one, at) => (
              <tr key={at}>
                <td><span class={`status ${one.status}`} /> {statusOf(one.status)}</td>
                <td title={utc(one.started)}>{moment(one.started, language)}</td>
                <td>{one.started !== null && one.ended !== null ? duration(one.ended - one.started) : ""}</td>
                <td title={one.error}><bdi>{one.error}</bdi></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}
