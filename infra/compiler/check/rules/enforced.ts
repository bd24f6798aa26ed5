/** What can be relied on, and what must be. */
import { referencesIn } from "../../../../functions/gateway/core/references.ts";
import type { CheckedFilter } from "../../model/checked.ts";

/** It acts on everybody. */
export const isEnforced = ({ mode, percent, when }: CheckedFilter): boolean =>
  mode === "enforce" && percent === "100%" && when.length === 0;

/** It acts on everybody, or may do so once its settings are mended. */
export const mayBeEnforced = (filter: CheckedFilter): boolean =>
  isEnforced(filter) || filter.broken.settings.length > 0;

/** It tells the service who is calling: where it is not enforced, the client says so itself. */
export const forwardsIdentity = ({ spec: about, config }: CheckedFilter): boolean =>
  config !== undefined &&
  (about.references?.(config) ?? []).some(({ text }) =>
    referencesIn(text).some(({ source }) => source === "consumer" || source === "claim"),
  );
