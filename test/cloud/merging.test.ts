/** Merging keeps machines few and small, and restarts no Worker often, however many there are. */
import { expect, it } from "vitest";
import { type Account, emptyAccount, type Version, type Worker } from "../../infra/cloud/account/account.ts";
import {
  groupForMachines,
  machinesToMerge,
  maxVersionsPerMachine,
  reachableVersions,
  startInGroups,
} from "../../infra/cloud/fleet/merging.ts";
import { VersionStartupError } from "../../infra/cloud/machine/startup-error.ts";

const version = (id: string) => ({ id }) as Version;
const worker = (name: string, ...ids: readonly string[]): Worker =>
  ({
    name,
    versions: ids.map(version),
    deployments: [{ versions: [{ version_id: ids.at(-1), percentage: 100 }] }],
  }) as unknown as Worker;
const accountOf = (...workers: readonly Worker[]): Account => ({
  ...emptyAccount,
  workers: new Map(workers.map((it) => [it.name, it])),
});
const machine = (...ids: readonly string[]) => ({ locations: new Map(ids.map((id) => [id, {} as never])) });

it.each([7, 40, 100, 400])("%i uploads, one after the other", (count) => {
  let machines: ReturnType<typeof machine>[] = [];
  const workers: Worker[] = [];
  let started = 0;
  let most = 0;
  for (let index = 0; index < count; index++) {
    workers.push(worker(`w${index}`, `v${index}`));
    machines.push(machine(`v${index}`));
    started++;
    const account = accountOf(...workers);
    const before = machinesToMerge(account, machines);
    const versions = reachableVersions(account, before);
    const fresh = groupForMachines(versions).map((group) => machine(...group.map((it) => it.version.id)));
    started += versions.length;
    machines = [...fresh, ...machines.filter((it) => !before.includes(it))];
    most = Math.max(most, machines.length);
  }
  expect(machines.flatMap(({ locations }) => [...locations.keys()]).toSorted()).toEqual(
    workers.map(({ versions }) => versions[0]?.id).toSorted(),
  );
  expect(Math.max(...machines.map(({ locations }) => locations.size))).toBeLessThanOrEqual(maxVersionsPerMachine);
  expect(most).toBeLessThanOrEqual(6 + (2 * count) / maxVersionsPerMachine);
  expect(started / count).toBeLessThan(4);
});

it("a large machine of which little is wanted any more is a small one", () => {
  const ids = Array.from({ length: maxVersionsPerMachine }, (_, index) => `old${index}`);
  // Of all that it holds, one is live; six others hold one each.
  const workers = [worker("a", ...ids), ...Array.from({ length: 6 }, (_, index) => worker(`b${index}`, `new${index}`))];
  const machines = [machine(...ids), ...Array.from({ length: 6 }, (_, index) => machine(`new${index}`))];
  expect(machinesToMerge(accountOf(...workers), machines)).toHaveLength(7);
  expect(reachableVersions(accountOf(...workers), machines)).toHaveLength(7);
});

it("of many versions each that throws at start is named, not those of the first machine alone", async () => {
  const versions = Array.from({ length: 60 }, (_, index) => ({
    worker: worker("w", `v${index}`),
    version: version(`v${index}`),
  }));
  const sizes: number[] = [];
  const tried = startInGroups(versions, async (group) => {
    sizes.push(group.length);
    const bad = group.filter(({ version: { id } }) => ["v3", "v50"].includes(id));
    if (bad.length > 0) throw new VersionStartupError(new Map(bad.map(({ version: { id } }) => [id, `${id} threw`])));
  });
  await expect(tried).rejects.toMatchObject({
    reasons: new Map([
      ["v3", "v3 threw"],
      ["v50", "v50 threw"],
    ]),
  });
  expect(sizes).toEqual([24, 24, 12]);
});
