/** Formats a Worker's structured log line for people. Other lines are unchanged. */

import pc from "picocolors";
import { fieldsOf, parsed } from "../../functions/gateway/core/json.ts";
import { toOneLine, toOneLineValues } from "../terminal/terminal.ts";

export const formatAccessLine = (line: string): string => {
  try {
    return formatLine(line);
  } catch {
    // A Worker may log what only looks like such a line.
    return toOneLine(line);
  }
};

const formatLine = (line: string): string => {
  const it = toOneLineValues(fieldsOf(parsed(line)));
  if (it.type === "access") {
    const paint = Number(it.status) < 400 ? pc.green : Number(it.status) < 500 ? pc.yellow : pc.red;
    const where = it.tier ? `${it.tier}/${it.route ?? "-"}` : "front";
    const why = [
      it.code && `${it.code}${it.by ? ` by ${it.by}` : ""}`,
      it.consumer && `as ${it.consumer}`,
      it.degraded && `without the store of ${it.degraded}`,
    ]
      .filter(Boolean)
      .join("  ");
    return `${pc.dim(String(it.time ?? "").slice(11, 23))} ${paint(String(it.status))} ${String(it.method ?? "").padEnd(6)} ${where.padEnd(20)} ${String(it.ms ?? "").padStart(4)} ms  ${why}`;
  }
  if (it.type === "fault") return `${pc.red("fault")} ${it.tier ?? "front"}/${it.route ?? "-"} ${it.code}: ${it.cause}`;
  return toOneLine(line);
};
