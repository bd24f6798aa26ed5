/** Whether a filter is enforced for every request, and whether it has to be. */
import { referencesIn } from "../../../../functions/gateway/core/references.ts";
import type { CheckedFilter } from "../../model/checked.ts";

/** It applies to every request. */
export const isEnforced = ({ mode, percent, when }: CheckedFilter): boolean =>
  mode === "enforce" && percent === "100%" && when.length === 0;

/** It applies to every request, or may do so once its broken settings are fixed. */
export const mayBeEnforced = (filter: CheckedFilter): boolean =>
  isEnforced(filter) || filter.broken.settings.length > 0;

/** It sends the caller's identity to the service. If it is not enforced, clients can set the identity themselves. */
export const forwardsIdentity = ({ spec, config }: CheckedFilter): boolean =>
  config !== undefined &&
  (spec.references?.(config) ?? []).some(({ text }) =>
    referencesIn(text).some(({ source }) => source === "consumer" || source === "claim"),
  );
