// A link to the page of one run.
import type { ComponentChildren } from "preact";
import { addressOf, openRun, part } from "./view";

const open = part("run");

interface Props {
  run: { path: string; name: string };
  title?: string;
  class?: string;
  children?: ComponentChildren;
}

export function RunLink({ run, title, class: name = "name", children }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // a tab or window of its own
    event.preventDefault();
    openRun(run.path);
  };
  return <a class={name} href={addressOf(run.path)} title={title} aria-current={open.value === run.path ? "true" : undefined} onClick={follow}>{children ?? <bdi>{run.name}</bdi>}</a>;
}
