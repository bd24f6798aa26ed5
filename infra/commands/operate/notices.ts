/** `postern notices`: lists channels and notices, tests the channels, and retries failed notices. */

import type { ChannelTest } from "../../../functions/control/notifications/dispatcher.ts";
import type { Notices } from "../../../functions/control/wiring/bindings.ts";
import { type ControlClientOptions, controlClientFor } from "../../release/control-client.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

type NoticesStatus = ReturnType<Notices["status"]>;

/** Exit code of a failed test. */
const failedExitCode = 3;
const noChannels = "no channel is configured: the environment's `control` has neither `webhook` nor `github`\n";

export const list = async (options: ControlClientOptions): Promise<Outcome> => {
  const data = await controlClientFor(options).call<NoticesStatus>("GET", "/v1/notices");
  return { exitCode: 0, text: statusText(data), data };
};

const statusText = ({ channels, notices }: NoticesStatus): string => {
  if (channels.length === 0) return noChannels;
  const channelRows = channels.map(({ channel, to, state, pending, heard, givenUp }) => [
    channel,
    to,
    state === "gone" ? "answered 410" : "on",
    String(pending),
    String(heard),
    String(givenUp),
  ]);
  const noticeRows = notices.map(({ at, type, subject, channel, state, attempts, due, error }) => [
    formatTime(at),
    type,
    subject,
    channel,
    due === null || attempts === 0 ? state : `again ${formatTime(due)}`,
    String(attempts),
    error,
  ]);
  return [
    table(["channel", "to", "state", "pending", "delivered", "given up"], channelRows),
    ...(noticeRows.length > 0
      ? [table(["at (UTC)", "notice", "of", "channel", "state", "attempts", "error"], noticeRows)]
      : []),
  ].join("\n");
};

export const test = async (options: ControlClientOptions): Promise<Outcome> => {
  const results = await controlClientFor(options).call<readonly ChannelTest[]>("POST", "/v1/notices/test", {});
  const rows = results.map(({ channel, to, ok, error, ms }) => [channel, to, ok ? `delivered, ${ms} ms` : error]);
  return {
    exitCode: results.every(({ ok }) => ok) ? 0 : failedExitCode,
    text: results.length > 0 ? table(["channel", "to", "test"], rows) : noChannels,
    data: results,
  };
};

export const retry = async (options: ControlClientOptions): Promise<Outcome> => {
  const data = await controlClientFor(options).call<{ readonly count: number }>("POST", "/v1/notices/retry", {});
  return { exitCode: 0, text: `${data.count} ${data.count === 1 ? "notice is" : "notices are"} sent again\n`, data };
};
