// A button that opens a menu: arrows go through it, Escape closes it, and so does leaving it.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

interface Props {
  label: string;
  icon: string;
  /** The menu's items, given what closes it. */
  children: (close: () => void) => ComponentChildren;
}

export function Menu({ label, icon, children }: Props) {
  const open = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const items = () => [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useLayoutEffect(() => {
    if (open.value) items()[0]?.focus();
  }, [open.value]);
  const close = () => {
    if (menu.current?.contains(document.activeElement)) button.current?.focus();
    open.value = false;
  };
  const keyed = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) all.at(to % all.length)?.focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const left = (event: FocusEvent) => {
    const to = event.relatedTarget as Node | null; // null: Safari's buttons take no focus when they are clicked
    if (to && to !== button.current && !menu.current?.contains(to)) open.value = false;
  };
  return (
    <>
      <button class="icon" ref={button} aria-haspopup="menu" aria-expanded={open.value} aria-label={label} title={label} onFocusOut={left} onClick={() => (open.value = !open.value)}><Icon d={icon} /></button>
      {open.value && <div class="menu" role="menu" aria-label={label} ref={menu} onKeyDown={keyed} onFocusOut={left}>{children(close)}</div>}
    </>
  );
}
