// A question to the server that is asked again when it differs; the last answer stays until there is another.
import { type ReadonlySignal, type Signal, useSignal, useSignalEffect } from "@preact/signals";

export interface Asked<Answer> {
  answer: Answer | null;
  /** the server's reason for not answering. */
  failure: string;
}

/** The answer to a question: a text that `ask` can read; empty: none. */
export function useAsked<Answer>(question: ReadonlySignal<string>, ask: (question: string, signal: AbortSignal) => Promise<Answer>): Signal<Asked<Answer>> {
  const asked = useSignal<Asked<Answer>>({ answer: null, failure: "" });
  useSignalEffect(() => {
    const text = question.value;
    if (!text) {
      asked.value = { answer: null, failure: "" };
      return;
    }
    const stop = new AbortController();
    ask(text, stop.signal).then(
      (answer) => {
        if (!stop.signal.aborted) asked.value = { answer, failure: "" };
      },
      (error: unknown) => {
        if (!stop.signal.aborted) asked.value = { ...asked.peek(), failure: error instanceof Error ? error.message : String(error) };
      },
    );
    return () => stop.abort();
  });
  return asked;
}
