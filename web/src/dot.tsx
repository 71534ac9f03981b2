// The dot of a run or a group, in its colour as the theme shows it.
import { tint } from "./format";
import { dark } from "./store";

/** `color`: as recorded; empty: that of what is not drawn. It is read while the dot is drawn, so that it follows the theme. */
export function Dot({ color }: { color: string }) {
  return <i style={{ background: color && tint(color, dark.value) }} aria-hidden="true" />;
}
