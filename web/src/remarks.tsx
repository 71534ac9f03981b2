// What people say of a run: its labels, its note and whether it is put away; to be edited where the server lets.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { annotate, Conflict, editing, type RemarksEdit } from "./edits";
import { t } from "./language";
import { Markdown } from "./markdown";
import { answer, remarked } from "./store";

const LONGEST_LABEL = 200;
const LONGEST_NOTE = 100_000;

/** Send a change, and show what the run's remarks are then. */
async function change(path: string, edit: RemarksEdit): Promise<void> {
  const remarks = await annotate(path, edit);
  const now = answer.peek();
  if (now) answer.value = { ...now, runs: now.runs.map((run) => (run.path === path ? { ...run, ...remarks } : run)) };
}

/** The dialog; nothing while it is closed. */
export function RemarksDialog() {
  const run = answer.value?.runs.find((one) => one.path === remarked.value);
  return run ? <Open key={run.path} path={run.path} /> : null;
}

function Open({ path }: { path: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const run = answer.value?.runs.find((one) => one.path === path);
  const before = useSignal(run?.note ?? ""); // the note that is edited
  const draft = useSignal(before.peek());
  const label = useSignal("");
  const trouble = useSignal("");
  const theirs = useSignal<string | null>(null);
  const saved = useSignal(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  if (!run) return null;
  if (draft.value === before.value && run.note !== before.value) before.value = draft.value = run.note; // not touched here
  const close = () => {
    if (draft.value !== before.value && !window.confirm(t("Leave without saving the note?"))) return;
    remarked.value = "";
  };
  const send = async (edit: RemarksEdit): Promise<boolean> => {
    trouble.value = "";
    saved.value = false;
    try {
      await change(path, edit);
      return true;
    } catch (error) {
      if (error instanceof Conflict) theirs.value = error.current ?? "";
      else trouble.value = error instanceof Error ? error.message : String(error);
      return false;
    }
  };
  const save = async () => {
    const note = draft.value;
    if (!(await send({ note, replaces: before.value }))) return;
    before.value = note;
    theirs.value = null;
    saved.value = true;
  };
  const add = async (event: Event) => {
    event.preventDefault();
    const text = label.value.trim();
    if (text && (await send({ add: [text] }))) label.value = "";
  };
  const known = [...new Set((answer.value?.runs ?? []).flatMap((one) => one.labels))].filter((one) => !run.labels.includes(one)).slice(0, 200);
  return (
    <dialog ref={dialog} class="remarks" aria-label={t("Labels and note of {name}", { name: run.name })} onCancel={(event) => { event.preventDefault(); close(); }}>
      <header><b><bdi>{run.name}</bdi></b><button class="icon" aria-label={t("Close")} title={t("Close")} onClick={close}>×</button></header>
      {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
      <div class="labels">
        {run.labels.map((one) => <span key={one} class="label"><bdi>{one}</bdi>{editing && <button class="icon" aria-label={t("Take off {label}", { label: one })} onClick={() => void send({ remove: [one] })}>×</button>}</span>)}
        {!run.labels.length && !editing && <span class="quiet">{t("no labels")}</span>}
      </div>
      {editing && (
        <form class="line" onSubmit={(event) => void add(event)}>
          <input value={label.value} maxLength={LONGEST_LABEL} list="labels" placeholder={t("New label")} aria-label={t("New label")} onInput={(event) => (label.value = event.currentTarget.value)} />
          <datalist id="labels">{known.map((one) => <option key={one} value={one} />)}</datalist>
          <button type="submit">{t("Add")}</button>
          <span class="fill" />
          <label class="check"><input type="checkbox" checked={run.archived} onChange={(event) => void send({ archived: event.currentTarget.checked })} /> {t("archived")}</label>
        </form>
      )}
      {editing && (
        <>
          <textarea class="note-text" value={draft.value} maxLength={LONGEST_NOTE} rows={8} placeholder={t("A note, as Markdown")} aria-label={t("Note")} onInput={(event) => { draft.value = event.currentTarget.value; saved.value = false; }} />
          {theirs.value !== null && (
            <div class="conflict" role="alert">
              <p>{t("Somebody has changed this note meanwhile. Yours is above; this is theirs:")}</p>
              <pre class="text">{theirs.value}</pre>
              <button onClick={() => { before.value = theirs.value ?? ""; theirs.value = null; void save(); }}>{t("Save mine")}</button>
              <button onClick={() => { before.value = draft.value = theirs.value ?? ""; theirs.value = null; }}>{t("Take theirs")}</button>
            </div>
          )}
          <div class="line">
            <button disabled={draft.value === before.value || theirs.value !== null} onClick={() => void save()}>{t("Save the note")}</button>
            {saved.value && <span role="status" class="good">{t("saved")}</span>}
          </div>
        </>
      )}
      {draft.value.trim() ? <Markdown text={draft.value} /> : !editing && <p class="quiet">{t("no note")}</p>}
    </dialog>
  );
}
