// Changes that the page sends, where its server was started to edit.
import { Refusal } from "./api";
import { language } from "./language";

export const editing = typeof document !== "undefined" && document.body.dataset.edit === "1";

/** Another editor was first. */
export class Conflict extends Refusal {
  constructor(
    message: string,
    /** the present text; null if it is gone. */
    readonly current: string | null,
  ) {
    super(message);
  }
}

export interface Remarks {
  labels: string[];
  note: string;
  archived: boolean;
}

export interface RemarksEdit {
  add?: string[];
  remove?: string[];
  note?: string;
  /** the note that it replaces: a conflict if there is another. */
  replaces?: string;
  archived?: boolean;
}

export interface SavedView {
  name: string;
  query: string;
}

export interface SavedViews {
  views: SavedView[];
  edit: boolean;
  problems: string[];
}

async function post(path: string, change: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json", "Accept-Language": language };
  const answer = await fetch(`api/${path}`, { method: "POST", headers, body: JSON.stringify(change) });
  const content = (await answer.json().catch(() => ({}))) as { message?: string; current?: string | null };
  if (answer.status === 409) throw new Conflict(content.message ?? "", content.current ?? null);
  if (!answer.ok) throw new Refusal(content.message ?? (await answer.text().catch(() => answer.statusText)));
  return content;
}

/** Change labels, note or archiving of a run. */
export async function annotate(run: string, change: RemarksEdit): Promise<Remarks> {
  return (await post("remarks", { run, ...change })) as Remarks;
}

export async function savedViews(): Promise<SavedViews> {
  const answer = await fetch("api/views");
  if (!answer.ok) throw new Refusal(answer.statusText);
  return (await answer.json()) as SavedViews;
}

/** Save a view, or delete it (`query` null); `known` is the query that was seen under its name. */
export async function editView(name: string, query: string | null, known: string | null, insteadOf: string | null = null): Promise<SavedViews> {
  return (await post("views", { name, query, known, instead_of: insteadOf })) as SavedViews;
}
