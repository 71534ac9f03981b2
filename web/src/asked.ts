// A question to the server that is asked again when it differs; the last answer stays until there is another.
import { type ReadonlySignal, type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

const REST = 3; // times as long as an answer took

export interface Asked<Answer> {
  answer: Answer | null;
  /** the question that it answers, which may be an earlier one. */
  question: string;
  /** the server's reason for not answering. */
  failure: string;
}

/** A value of a component, such as a property, as a signal: what is computed of it, and asked, follows it. */
export function useFollowed<Value>(value: Value): ReadonlySignal<Value> {
  const followed = useSignal(value);
  followed.value = value;
  return followed;
}

/** The answer to a question: a text that `ask` can read; empty: none. */
export function useAsked<Answer>(question: ReadonlySignal<string>, ask: (question: string, signal: AbortSignal) => Promise<Answer>): Signal<Asked<Answer>> {
  const asked = useSignal<Asked<Answer>>({ answer: null, question: "", failure: "" });
  const rest = useRef(0); // until then the server rests: what takes long is asked less often of runs that go on
  useSignalEffect(() => {
    const text = question.value;
    if (!text) {
      asked.value = { answer: null, question: "", failure: "" };
      return;
    }
    const stop = new AbortController();
    const begin = () => {
      const start = performance.now();
      ask(text, stop.signal).then(
        (answer) => {
          if (stop.signal.aborted) return;
          const now = performance.now();
          rest.current = now + REST * (now - start);
          asked.value = { answer, question: text, failure: "" };
        },
        (error: unknown) => {
          if (!stop.signal.aborted) asked.value = { ...asked.peek(), failure: error instanceof Error ? error.message : String(error) };
        },
      );
    };
    const timer = setTimeout(begin, Math.max(0, rest.current - performance.now()));
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });
  return asked;
}
