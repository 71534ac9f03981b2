// Parts of the page whose scripts are asked for when they are first shown.
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "./language";

/** A component of a module that is loaded now; an object of options for it. */
export function Lazy<Options extends object>({ load, options }: { load(): Promise<ComponentType<Options>>; options: Options }) {
  const loaded = useSignal<{ part: ComponentType<Options> } | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    let current = true;
    load().then((part) => { if (current) loaded.value = { part }; }, () => { if (current) failed.value = true; });
    return () => { current = false; };
  }, []);
  if (failed.value) return <p class="error" role="alert">{t("This part of the page could not be loaded.")} <button onClick={() => window.location.reload()}>{t("Load the page again")}</button></p>;
  const Part = loaded.value?.part;
  return Part ? <Part {...options} /> : <p class="empty" aria-busy="true" />;
}
