/** Conversations that are compared with what they were: kept beside the cases, written by `--update`, read by whoever reviews. */
import { parseDocument, stringify } from "yaml";
import { textWithin } from "../project/files.ts";
import type { Answer, Heard, Seen } from "./input/batch.ts";
import type { Difference, Recall } from "./judge.ts";

export interface Snapshots {
  readonly recall: Recall;
  /** Where `--update` has something to write: the file as it will be. @param whole all cases were run, so what nobody asked for goes */
  readonly written: (whole: boolean) => string;
  /** Those that no case asks for any more. */
  readonly left: () => readonly string[];
  readonly file: string;
  readonly changed: () => boolean;
}

type Kept = Record<string, unknown>;

/** @param suite `routes/wallet.test.yaml` */
export const snapshotsOf = (root: string, suite: string, update: boolean): Snapshots => {
  const file = suite.replace(/\.yaml$/, ".snap");
  const before = kept(textWithin(root, file));
  const now: Kept = {};
  return {
    file,
    recall: (name, _, heard) => {
      const said = heard.map(conversationOf);
      now[name] = said;
      if (update) return [];
      if (!Object.hasOwn(before, name))
        return [{ of: "snapshot", expected: `one in ${file}`, got: "none yet; --update writes it" }];
      return linesDiffer(stringify(before[name]), stringify(said));
    },
    written: (whole) => textOf(whole ? now : { ...before, ...now }),
    left: () => Object.keys(before).filter((name) => !Object.hasOwn(now, name)),
    changed: () => textOf(before) !== textOf(now),
  };
};

const head = "# Written by `postern test --update`: read what has changed before you commit it.\n";

const textOf = (all: Kept): string => (Object.keys(all).length === 0 ? "" : head + stringify(all, { lineWidth: 120 }));

const kept = (text: string | undefined): Kept => {
  if (text === undefined) return {};
  const value: unknown = parseDocument(text).toJS();
  return typeof value === "object" && value !== null ? (value as Kept) : {};
};

/** What differs from run to run. */
const passing: ReadonlySet<string> = new Set([
  ...["x-request-id", "traceparent", "signature", "signature-input", "content-length"],
  ...["content-type", "cf-connecting-ip"],
]);

const conversationOf = ({ answers, seen }: Heard): object => ({
  answers: answers.map(answerOf),
  ...(seen.length > 0 && { seen: seen.map(seenOf) }),
});

const answerOf = ({ status, times, route, code, by, headers, body }: Answer): object => ({
  status,
  ...(times > 1 && { times }),
  ...(route !== "" && { route }),
  ...(code !== null && { code }),
  ...(by !== null && { by }),
  headers: lasting(headers),
  ...(code === null && body !== "" && { body: bodyOf(body) }),
});

const seenOf = ({ upstream, method, target, headers, body }: Seen): object => ({
  [upstream]: `${method} ${target}`,
  headers: lasting(headers),
  ...(body !== "" && { body: bodyOf(body) }),
});

const lasting = (headers: Readonly<Record<string, string>>): object =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => !passing.has(name) && !/^bearer /i.test(value))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

const bodyOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
};

/** The lines that one of the two has alone. */
const linesDiffer = (before: string, now: string): Difference[] => {
  const [was, is] = [before, now].map((it) => it.trimEnd().split("\n")) as [string[], string[]];
  const gone = was.filter((it) => !is.includes(it));
  const come = is.filter((it) => !was.includes(it));
  if (before === now) return [];
  return Array.from({ length: Math.max(gone.length, come.length, 1) }, (_, index) => ({
    of: "snapshot",
    expected: gone[index]?.trim() ?? "nothing",
    got: come[index]?.trim() ?? "nothing",
  }));
};
