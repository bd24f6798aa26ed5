/** Snapshots of conversations: stored beside the cases, written by `--update`, reviewed in pull requests. */
import { parseDocument, stringify } from "yaml";
import { readTextWithin } from "../project/files.ts";
import type { ObservedResponse, SendResult, UpstreamCall } from "./input/batch.ts";
import type { CompareSnapshot, Difference } from "./judge.ts";

export interface SuiteSnapshots {
  readonly compare: CompareSnapshot;
  /** The content that `--update` writes. @param whole all cases were run, so unused snapshots are dropped */
  readonly serialize: (isFullRun: boolean) => string;
  /** Snapshots that no case uses any more. */
  readonly obsolete: () => readonly string[];
  readonly file: string;
  readonly changed: () => boolean;
}

type StoredSnapshots = Record<string, unknown>;

/** @param suite `routes/wallet.test.yaml` */
export const openSnapshots = (root: string, suite: string, update: boolean): SuiteSnapshots => {
  const file = suite.replace(/\.yaml$/, ".snap");
  const before = parseSnapshots(readTextWithin(root, file));
  const now: StoredSnapshots = {};
  return {
    file,
    compare: (name, _, sendResults) => {
      const conversation = sendResults.map(toSnapshot);
      now[name] = conversation;
      if (update) return [];
      if (!Object.hasOwn(before, name))
        return [{ of: "snapshot", expected: `one in ${file}`, got: "none yet; --update writes it" }];
      return lineDifferences(stringify(before[name]), stringify(conversation));
    },
    serialize: (isFullRun) => serializeAll(isFullRun ? now : { ...before, ...now }),
    obsolete: () => Object.keys(before).filter((name) => !Object.hasOwn(now, name)),
    changed: () => serializeAll(before) !== serializeAll(now),
  };
};

const header = "# Written by `postern test --update`: read what has changed before you commit it.\n";

const serializeAll = (all: StoredSnapshots): string =>
  Object.keys(all).length === 0 ? "" : header + stringify(all, { lineWidth: 120 });

const parseSnapshots = (text: string | undefined): StoredSnapshots => {
  if (text === undefined) return {};
  const value: unknown = parseDocument(text).toJS();
  return typeof value === "object" && value !== null ? (value as StoredSnapshots) : {};
};

/** Headers that differ between runs. */
const volatileHeaders: ReadonlySet<string> = new Set([
  ...["x-request-id", "traceparent", "signature", "signature-input", "content-length"],
  ...["content-type", "cf-connecting-ip"],
]);

const toSnapshot = ({ answers, seen }: SendResult): object => ({
  answers: answers.map(responseSnapshot),
  ...(seen.length > 0 && { seen: seen.map(callSnapshot) }),
});

const responseSnapshot = ({ status, times, route, code, by, headers, body }: ObservedResponse): object => ({
  status,
  ...(times > 1 && { times }),
  ...(route !== "" && { route }),
  ...(code !== null && { code }),
  ...(by !== null && { by }),
  headers: stableHeaders(headers),
  ...(code === null && body !== "" && { body: parseBody(body) }),
});

const callSnapshot = ({ upstream, method, target, headers, body }: UpstreamCall): object => ({
  [upstream]: `${method} ${target}`,
  headers: stableHeaders(headers),
  ...(body !== "" && { body: parseBody(body) }),
});

const stableHeaders = (headers: Readonly<Record<string, string>>): object =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => !volatileHeaders.has(name) && !/^bearer /i.test(value))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

const parseBody = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
};

/** Lines that only one of the two texts has. */
const lineDifferences = (before: string, now: string): Difference[] => {
  const [was, is] = [before, now].map((it) => it.trimEnd().split("\n")) as [string[], string[]];
  const removed = was.filter((it) => !is.includes(it));
  const added = is.filter((it) => !was.includes(it));
  if (before === now) return [];
  return Array.from({ length: Math.max(removed.length, added.length, 1) }, (_, index) => ({
    of: "snapshot",
    expected: removed[index]?.trim() ?? "nothing",
    got: added[index]?.trim() ?? "nothing",
  }));
};
