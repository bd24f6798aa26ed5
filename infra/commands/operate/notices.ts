/** `postern notices`: who hears what control does, what waits, and whether they hear at all. */

import type { Tested } from "../../../functions/control/notifications/dispatcher.ts";
import type { Notices } from "../../../functions/control/wiring/bindings.ts";
import { type DeskOptions, deskFor } from "../../release/control-client.ts";
import { timeOf } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

type Status = ReturnType<Notices["status"]>;

/** It could not be done. */
const unheard = 3;
const none = "nobody is told: the environment's `control` has no `webhook` and no `github`\n";

export const list = async (options: DeskOptions): Promise<Outcome> => {
  const data = await deskFor(options).call<Status>("GET", "/v1/notices");
  return { exitCode: 0, text: shown(data), data };
};

const shown = ({ channels, notices }: Status): string => {
  if (channels.length === 0) return none;
  const standing = channels.map(({ channel, to, state, pending, heard, givenUp }) => [
    channel,
    to,
    state === "gone" ? "has answered 410" : "told",
    String(pending),
    String(heard),
    String(givenUp),
  ]);
  const lines = notices.map(({ at, type, subject, channel, state, attempts, due, error }) => [
    timeOf(at),
    type,
    subject,
    channel,
    due === null || attempts === 0 ? state : `again ${timeOf(due)}`,
    String(attempts),
    error,
  ]);
  return [
    table(["channel", "to", "", "waiting", "heard", "given up"], standing),
    ...(lines.length > 0 ? [table(["at (UTC)", "notice", "of", "channel", "state", "attempts", "error"], lines)] : []),
  ].join("\n");
};

export const test = async (options: DeskOptions): Promise<Outcome> => {
  const tested = await deskFor(options).call<readonly Tested[]>("POST", "/v1/notices/test", {});
  const rows = tested.map(({ channel, to, ok, error, ms }) => [channel, to, ok ? `heard, ${ms} ms` : error]);
  return {
    exitCode: tested.every(({ ok }) => ok) ? 0 : unheard,
    text: tested.length > 0 ? table(["channel", "to", "test"], rows) : none,
    data: tested,
  };
};

export const retry = async (options: DeskOptions): Promise<Outcome> => {
  const data = await deskFor(options).call<{ readonly count: number }>("POST", "/v1/notices/retry", {});
  return { exitCode: 0, text: `${data.count} ${data.count === 1 ? "notice is" : "notices are"} told again\n`, data };
};
