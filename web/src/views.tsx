// Views that people saved: names for addresses, for all who open this log directory.
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Conflict, editing, editView, type SavedView, savedViews, type SavedViews } from "./edits";
import { t } from "./language";
import { readView, show, view, writeView } from "./view";

const LONGEST_NAME = 100;

const known = signal<SavedViews>({ views: [], edit: false, problems: [] });

async function load(): Promise<void> {
  try {
    known.value = await savedViews();
  } catch {
    // the page goes on without them
  }
}

/** The views that have all words of a search in their names or their addresses. */
export function searched(views: readonly SavedView[], search: string): SavedView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return views.filter((one) => {
    const query = new URLSearchParams(one.query);
    const text = `${one.name}\n${[...query].map(([key, value]) => `${key}=${value}`).join("\n")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function Views() {
  const name = useSignal("");
  const trouble = useSignal("");
  const renamed = useSignal("");
  const wanted = useSignal("");
  useEffect(() => void load(), []);
  const { views, problems } = known.value;
  if (!editing && !views.length && !problems.length) return null;
  const now = writeView(view.value);
  const found = searched(views, wanted.value);
  const change = async (name: string, query: string | null, before: string | null, insteadOf: string | null = null): Promise<boolean> => {
    trouble.value = "";
    try {
      known.value = await editView(name, query, before, insteadOf);
      return true;
    } catch (error) {
      trouble.value = error instanceof Error ? error.message : String(error);
      if (error instanceof Conflict) await load();
      return false;
    }
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const given = name.value.trim();
    if (given && (await change(given, now, null))) name.value = "";
  };
  const rename = async (one: SavedView, to: string) => {
    renamed.value = "";
    if (to.trim() && to.trim() !== one.name) await change(to.trim(), one.query, null, one.name);
  };
  return (
    <details class="choose views" onToggle={(event) => { if (event.currentTarget.open) void load(); }}>
      <summary>{t("Views")}</summary>
      <fieldset>
        <legend>{t("Saved views")}</legend>
        {problems.map((text) => <p key={text} class="error">{text}</p>)}
        {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
        {!views.length && <p class="note">{t("None yet: a view is what you see, under a name.")}</p>}
        {views.length > 1 && <input class="find" type="search" value={wanted.value} placeholder={t("Search views")} aria-label={t("Search views")} onInput={(event) => (wanted.value = event.currentTarget.value)} />}
        {views.length > 0 && !found.length && <p class="note" role="status">{t("No view has that in its name or its address.")}</p>}
        <ul>
          {found.map((one) => (
            <li key={one.name}>
              {renamed.value === one.name ? (
                <input
                  ref={(element) => element?.focus()}
                  defaultValue={one.name}
                  maxLength={LONGEST_NAME}
                  aria-label={t("New name")}
                  onKeyDown={(event) => { if (event.key === "Enter") void rename(one, event.currentTarget.value); else if (event.key === "Escape") renamed.value = ""; }}
                />
              ) : (
                <a href={`?${one.query}`} aria-current={one.query === now ? "true" : undefined} onClick={(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); show(readView(one.query), true); }}><bdi>{one.name}</bdi></a>
              )}
              {editing && (
                <>
                  {one.query !== now && <button class="icon" aria-label={t("Save what is shown now as {name}", { name: one.name })} title={t("Save what is shown now as {name}", { name: one.name })} onClick={() => void change(one.name, now, one.query)}>⤓</button>}
                  <button class="icon" aria-label={t("Rename {name}", { name: one.name })} title={t("Rename {name}", { name: one.name })} onClick={() => (renamed.value = one.name)}>✎</button>
                  <button class="icon" aria-label={t("Delete {name}", { name: one.name })} title={t("Delete {name}", { name: one.name })} onClick={() => { if (window.confirm(t("Delete {name}?", { name: one.name }))) void change(one.name, null, one.query); }}>×</button>
                </>
              )}
            </li>
          ))}
        </ul>
        {editing && (
          <form class="line" onSubmit={(event) => void save(event)}>
            <input value={name.value} maxLength={LONGEST_NAME} placeholder={t("Name of this view")} aria-label={t("Name of this view")} onInput={(event) => (name.value = event.currentTarget.value)} />
            <button type="submit">{t("Save")}</button>
          </form>
        )}
      </fieldset>
    </details>
  );
}
