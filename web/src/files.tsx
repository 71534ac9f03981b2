// The files of a run's directory, and what the training printed, where it is kept there.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type FileInfo, fileAddress, type RunDetails } from "./api";
import { Part } from "./facts";
import { bytes, moment, terminal, utc } from "./format";
import { language, t } from "./language";

const TAIL = 200_000; // bytes of a file that are shown
const MOST_ROWS = 100;

const isLog = (file: FileInfo) => file.path.includes("vdlrecords") || file.path.includes("vdlgraph");
const isText = (file: FileInfo) => !isLog(file) && (file.size === 0 || /\.(log|out|err|txt|md|json|jsonl|ya?ml|toml|cfg|ini|csv|tsv|py|sh|diff|patch)$/i.test(file.path));

/** What was printed: files named so, those that changed last first. */
export function outputs(details: RunDetails): FileInfo[] {
  return details.files.filter((file) => !isLog(file) && /(\.(log|out|err)|\b(console|output|stdout|stderr)[^/]*\.txt)$/i.test(file.path)).sort((a, b) => b.changed - a.changed);
}

export function Output({ run, details }: { run: string; details: RunDetails }) {
  const found = outputs(details);
  const wanted = useSignal("");
  const file = found.find((one) => one.path === wanted.value) ?? found[0];
  if (!file) return null;
  return (
    <Part name={t("Console output")}>
      {found.length > 1 && <select value={file.path} aria-label={t("File")} onChange={(event) => (wanted.value = event.currentTarget.value)}>{found.map((one) => <option key={one.path} value={one.path}>{one.path}</option>)}</select>}
      <Tail key={file.path} run={run} file={file} />
    </Part>
  );
}

/** The end of a text file, which is followed while it grows. */
function Tail({ run, file }: { run: string; file: FileInfo }) {
  const now = useSignal(file);
  now.value = file;
  const text = useSignal<string | null>(null);
  const box = useRef<HTMLPreElement>(null);
  const key = useComputed(() => `${now.value.size} ${now.value.changed}`);
  useSignalEffect(() => {
    void key.value;
    const abort = new AbortController();
    void fetch(fileAddress(run, file.path, TAIL), { signal: abort.signal })
      .then(async (got) => { text.value = got.ok ? terminal(await got.text()) : got.statusText; })
      .catch(() => undefined); // asked again, or gone
    return () => abort.abort();
  });
  const end = useRef(true); // its end was in view
  useLayoutEffect(() => {
    if (box.current && end.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text.value]);
  const look = (element: HTMLElement) => (end.current = element.scrollTop + element.clientHeight > element.scrollHeight - 20);
  return (
    <>
      <pre class="text output" ref={box} tabIndex={0} aria-label={file.path} onScroll={(event) => look(event.currentTarget)}>{text.value ?? ""}</pre>
      {text.value === "" && <p class="note">{t("empty")}</p>}
      {file.size > TAIL && <p class="note">{t("the last {part} of {all}", { part: bytes(TAIL), all: bytes(file.size) })}</p>}
    </>
  );
}

export function Files({ run, details }: { run: string; details: RunDetails }) {
  const open = useSignal("");
  const all = useSignal(false);
  const rows = all.value ? details.files : details.files.slice(0, MOST_ROWS);
  return (
    <Part name={t("Files")} count={details.files.length}>
      <p class="note"><bdi>{details.directory}</bdi></p>
      <div class="scroll" tabIndex={0}>
        <table class="diff files">
          <thead><tr><th scope="col">{t("File")}</th><th scope="col">{t("File size")}</th><th scope="col">{t("Changed")}</th><td /></tr></thead>
          <tbody>
            {rows.map((file) => (
              <tr key={file.path}>
                <th scope="row" title={file.path}>{isText(file) ? <button class="quiet" aria-expanded={open.value === file.path} onClick={() => (open.value = open.value === file.path ? "" : file.path)}><bdi>{file.path}</bdi></button> : <bdi>{file.path}</bdi>}</th>
                <td title={`${file.size} B`}>{bytes(file.size)}</td>
                <td title={utc(file.changed)}>{moment(file.changed, language)}</td>
                <td><a href={fileAddress(run, file.path)} download={file.path.slice(file.path.lastIndexOf("/") + 1)} aria-label={t("Download {name}", { name: file.path })}>{t("Download")}</a></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!details.files.length && <p class="note">{t("none on this machine")}</p>}
      {rows.length < details.files.length && <button onClick={() => (all.value = true)}>{t("Show all")}</button>}
      {details.more_files && <p class="note">{t("There are more files than these.")}</p>}
      {details.files.filter((file) => file.path === open.value).map((file) => <Tail key={file.path} run={run} file={file} />)}
    </Part>
  );
}
