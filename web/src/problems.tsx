// What could not be read, or is not served: of all runs.
import { useComputed } from "@preact/signals";
import { t } from "./language";
import { RunLink } from "./run-link";
import { answer } from "./store";

const MOST_RUNS = 500;

/** The number of runs with a problem, and of those that are not served. */
export function useTroubled() {
  return useComputed(() => (answer.value?.runs.filter((run) => run.problem_count > 0).length ?? 0) + Object.keys(answer.value?.refused ?? {}).length);
}

export function Problems() {
  const runs = answer.value?.runs.filter((run) => run.problem_count > 0) ?? [];
  const refused = Object.entries(answer.value?.refused ?? {});
  if (answer.value && !runs.length && !refused.length) return <p class="empty">{t("No problems were found.")}</p>;
  return (
    <section class="problems" aria-label={t("Problems")}>
      <p class="note">{t("All else is shown as recorded. `vizkit check` says what can be mended.")}</p>
      {runs.slice(0, MOST_RUNS).map((run) => (
        <section key={run.path}>
          <h2><RunLink run={run} class="" /></h2>
          <Messages messages={run.problems} count={run.problem_count} />
        </section>
      ))}
      {runs.length > MOST_RUNS && <p class="note">{t("and {n} more", { n: runs.length - MOST_RUNS })}</p>}
      {refused.map(([name, reason]) => (
        <section key={name}>
          <h2><bdi>{name}</bdi></h2>
          <Messages messages={[reason]} count={1} />
        </section>
      ))}
    </section>
  );
}

export function Messages({ messages, count }: { messages: string[]; count: number }) {
  return (
    <ul class="messages">
      {messages.map((message, at) => <li key={at}><bdi>{message}</bdi></li>)}
      {count > messages.length && <li class="quiet">{t("and {n} more", { n: count - messages.length })}</li>}
    </ul>
  );
}
