/** Starts Miniflare so that its workerd ends with this process, however that ends, and so that signals are left to who runs it. */
import { createRequire } from "node:module";
import path from "node:path";
import { withoutSignalHandlers } from "./signals.ts";

// What Miniflare starts, and what that starts in turn.
const { default: workerd } = createRequire(import.meta.url)("workerd") as { readonly default: string };
const endsAlong = path.join(import.meta.dirname, "workerd.sh");

/** Sets what Miniflare starts in the place of workerd, for this process and those that it starts. */
export const endWorkerdAlong = (): void => {
  process.env.MINIFLARE_WORKERD_PATH ??= endsAlong;
  process.env.POSTERN_WORKERD ??= workerd;
};

/** @param make begins with Miniflare */
export const startWorkerd = <Runtime>(make: () => Runtime): Runtime => {
  endWorkerdAlong();
  return withoutSignalHandlers(make);
};
