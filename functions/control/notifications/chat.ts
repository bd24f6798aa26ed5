/** Notices as messages of a chat: one text, in the form that each chat's incoming webhooks take. */
import type { NoticeType } from "./notification.ts";
import { type Payloads, payloads } from "./payloads.ts";

export type ChatFormat = "slack" | "teams" | "google-chat";

/** A message before it has a chat's form. */
export interface ChatMessage {
  readonly title: string;
  readonly lines: readonly string[];
  /** What to type, and what it does. */
  readonly next: readonly { readonly command: string; readonly does: string }[];
  /** The evidence: with a viewer's token. */
  readonly url: string | undefined;
}

export const chatMessageOf = <T extends NoticeType>(type: T, environment: string, data: Payloads[T]): ChatMessage => {
  const it = data as Partial<Payloads["rollout.step"] & Payloads["wave.failed"] & Payloads["approval.wanted"]>;
  const subject = it.tier === undefined || it.tier === "*" ? (it.wave === undefined ? "" : `wave ${it.wave}`) : it.tier;
  return {
    title: `${[subject, environment].filter(Boolean).join(" in ")}: ${titleOf(type, it.share)}`,
    lines: [
      ...(it.why === undefined ? [] : [it.why]),
      ...(Array.isArray(it.failed) ? it.failed.slice(0, maxFailed).map(({ tier, why }) => `${tier}: ${why}`) : []),
      ...(it.what === undefined ? [] : [`${it.what}, proposed by ${it.actor}: ${it.reason ?? ""}`]),
      ...(it.names ?? []),
      ...(it.startedBy === undefined ? [] : [`started by ${it.startedBy}: ${it.reason ?? ""}`]),
    ],
    next: it.proposal === undefined ? (it.next ?? []) : [approval(it.proposal)],
    url: it.url,
  };
};

const maxFailed = 10;

const titleOf = (type: NoticeType, share: number | undefined): string => {
  const { says } = payloads[type];
  switch (type) {
    case "rollout.step":
      return `the next step, ${share} % of the users`;
    case "rollout.watching":
      return `the watch begins at ${share} %`;
    case "rollout.alert":
      return `a finding against the new version at ${share} %, and control does not act`;
    case "rollout.waiting":
      return `waits for a person at ${share} %`;
    case "rollout.paused":
      return `paused at ${share} %`;
    default:
      return `${says.slice(0, 1).toLowerCase()}${says.slice(1)}`;
  }
};

const approval = (id: string) => ({
  command: `npx postern approve ${id} --as <name>`,
  does: "approve it, as another operator",
});

/** @returns the body to post */
export const chatBody = (format: ChatFormat, { title, lines, next, url }: ChatMessage): object =>
  bodies[format]({
    title: oneLine(title),
    lines: lines.map(oneLine),
    next: next.map(({ command, does }) => ({ command: oneLine(command), does: oneLine(does) })),
    url,
  });

/** A reason that has lines of its own could look like another notice. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");

const bodies: Readonly<Record<ChatFormat, (it: ChatMessage) => object>> = {
  // Also Mattermost's and Rocket.Chat's. `<`, `>` and `&` are markup, so that no text mentions a channel.
  slack: (it) => ({ text: textOf(it, "*", (text) => text.replace(/[&<>]/g, (c) => entities[c] as string)) }),
  // Without `<`, no text mentions a user.
  "google-chat": (it) => ({ text: textOf(it, "*", (text) => text.replaceAll("<", "‹").replaceAll(">", "›")) }),
  // An Adaptive Card, which a Workflow of Teams posts. Text runs have no markup.
  teams: ({ title, lines, next, url }) => ({
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          body: [
            paragraph({ text: title, weight: "Bolder" }),
            ...lines.map((text) => paragraph({ text })),
            ...next.map(({ command, does }) =>
              paragraph({ text: command, fontType: "Monospace" }, { text: `  ${does}`, isSubtle: true }),
            ),
          ],
          ...(url !== undefined && { actions: [{ type: "Action.OpenUrl", title: "Evidence", url }] }),
        },
      },
    ],
  }),
};

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

const textOf = ({ title, lines, next, url }: ChatMessage, bold: string, safe: (text: string) => string): string =>
  [
    `${bold}${safe(title)}${bold}`,
    ...lines.map(safe),
    ...next.map(({ command, does }) => `\`${safe(command)}\`  ${safe(does)}`),
    ...(url === undefined ? [] : [`evidence: ${url}`]),
  ].join("\n");

const paragraph = (...runs: readonly object[]) => ({
  type: "RichTextBlock",
  inlines: runs.map((it) => ({ type: "TextRun", ...it })),
});
