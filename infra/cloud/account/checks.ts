/** What an account refuses, whoever asks for it. */
import { type Account, liveVersions, type Share, type Version, versionOf, type Worker } from "./account.ts";
import { secretsIn } from "./bindings.ts";
import { faults } from "./api-errors.ts";

/** Three equal shares, each written with three digits, sum to a little less. */
const mostRounding = 0.001;

export const checkShares = (worker: Worker, shares: readonly Share[]): void => {
  if (shares.length < 1 || shares.length > 2)
    throw faults.badSplit(`a deployment has one or two versions, not ${shares.length}`);
  const [first, second] = shares;
  if (first?.version_id === second?.version_id) throw faults.badSplit("a deployment names each version once");
  for (const { version_id } of shares) if (!versionOf(worker, version_id)) throw faults.noVersion(version_id);
  const sum = shares.reduce((all, { percentage }) => all + percentage, 0);
  if (Math.abs(sum - 100) > mostRounding)
    throw faults.badSplit(`the percentages of a deployment sum to 100, not ${sum}`);
};

/** A version that is older than what is live, and has other secrets, would bring them back. */
export const checkSecrets = (worker: Worker, shares: readonly Share[]): void => {
  const live = liveVersions(worker);
  const newest = live.toSorted((a, b) => b.number - a.number)[0];
  for (const { version_id } of shares) {
    const version = versionOf(worker, version_id);
    if (!newest || !version || version.number >= newest.number || live.some(({ id }) => id === version_id)) continue;
    const changed = changedSecrets(version, newest);
    if (changed.length > 0) throw faults.secretChanged(changed);
  }
};

/** Names of those that one of the two lacks, or has another value of. */
const changedSecrets = (one: Version, other: Version): string[] => {
  const [before, after] = [one, other].map(
    ({ bindings }) => new Map(secretsIn(bindings).map(({ name, text }) => [name, text])),
  ) as [Map<string, string>, Map<string, string>];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
};

export const checkRoute = ({ workers }: Account, name: string, pattern: string): void => {
  for (const it of workers.values())
    if (it.name !== name && it.routes.some((route) => route.pattern === pattern))
      throw faults.routeTaken(pattern, it.name);
};

export const checkTitle = ({ namespaces }: Account, title: string): void => {
  for (const it of namespaces.values()) if (it.title === title) throw faults.titleTaken(title);
};
