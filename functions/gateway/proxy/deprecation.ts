/** Adds headers for deprecated routes: Deprecation (RFC 9745), Sunset (RFC 8594), and a link. */
import type { Deprecation } from "../core/plan.ts";
import { dayStart } from "../core/quantities.ts";
import type { HeaderEdit } from "../core/types.ts";

export const deprecation = ({ since, sunset, link }: Deprecation): HeaderEdit[] => [
  // A date of structured fields (RFC 9651, section 3.3.7). The epoch stands for an unspecified time in the past.
  ["set", "deprecation", `@${since === undefined ? 0 : dayStart(since) / 1000}`],
  ...(sunset === undefined ? [] : [["set", "sunset", new Date(dayStart(sunset)).toUTCString()] as const]),
  ...(link === undefined ? [] : [["append", "link", `<${link}>; rel="deprecation"; type="text/html"`] as const]),
];
