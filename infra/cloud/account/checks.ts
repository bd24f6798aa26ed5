/** Rules of an account that hold whoever changes it. */
import { type Account, findVersion, liveVersions, type Share, type Version, type Worker } from "./account.ts";
import { apiErrors } from "./api-errors.ts";
import { secretBindings } from "./bindings.ts";

/** Shares with three digits each may sum to a little less than 100. */
const maxRounding = 0.001;

export const checkShares = (worker: Worker, shares: readonly Share[]): void => {
  if (shares.length < 1 || shares.length > 2)
    throw apiErrors.badSplit(`a deployment has one or two versions, not ${shares.length}`);
  const [first, second] = shares;
  if (first?.version_id === second?.version_id) throw apiErrors.badSplit("a deployment names each version once");
  for (const { version_id } of shares) if (!findVersion(worker, version_id)) throw apiErrors.noVersion(version_id);
  const sum = shares.reduce((all, { percentage }) => all + percentage, 0);
  if (Math.abs(sum - 100) > maxRounding)
    throw apiErrors.badSplit(`the percentages of a deployment sum to 100, not ${sum}`);
};

/** A version older than the live one would restore its old secrets. */
export const checkSecrets = (worker: Worker, shares: readonly Share[]): void => {
  const live = liveVersions(worker);
  const newest = live.toSorted((a, b) => b.number - a.number)[0];
  for (const { version_id } of shares) {
    const version = findVersion(worker, version_id);
    if (!newest || !version || version.number >= newest.number || live.some(({ id }) => id === version_id)) continue;
    const changed = changedSecrets(version, newest);
    if (changed.length > 0) throw apiErrors.secretChanged(changed);
  }
};

/** Names of the secrets that differ between the two, missing ones included. */
const changedSecrets = (first: Version, second: Version): string[] => {
  const [before, after] = [first, second].map(
    ({ bindings }) => new Map(secretBindings(bindings).map(({ name, text }) => [name, text])),
  ) as [Map<string, string>, Map<string, string>];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
};

export const checkRoute = ({ workers }: Account, name: string, pattern: string): void => {
  for (const it of workers.values())
    if (it.name !== name && it.routes.some((route) => route.pattern === pattern))
      throw apiErrors.routeTaken(pattern, it.name);
};

export const checkTitle = ({ namespaces }: Account, title: string): void => {
  for (const it of namespaces.values()) if (it.title === title) throw apiErrors.titleTaken(title);
};
