/** Worlds in which the new version does harm: none of its rollouts may be promoted. */
import type { World } from "./world.ts";

const [rate, users] = [1000, 100_000];
const harmful = { release: "harmful", users } as const;

export const harmfulWorlds: readonly World[] = [
  {
    ...harmful,
    name: "refuses 5 %",
    about: "The new version wrongly refuses 5 % of the requests; nobody attacks.",
    wanted: "caught",
    parts: [{ rate, canary: { refusals: 0.07 } }],
  },
  {
    ...harmful,
    name: "late harm",
    about: "Errors 0.1 % → 1 % from minute 85 on: the 25th of 30 in the last step, if no step waits.",
    wanted: "caught",
    bake: "30m",
    parts: [
      { rate, when: { since: "start", until: 5100 } },
      { rate, canary: { errors: 0.01 }, when: { since: "start", from: 5100 } },
    ],
  },
  {
    ...harmful,
    name: "one bad route of forty",
    about: "A route with 1.2 % of the requests fails in 30 % of them.",
    wanted: "held",
    parts: [{ rate: 0.988 * rate }, { rate: 0.012 * rate, canary: { errors: 0.3 } }],
  },
  {
    ...harmful,
    name: "service 404 on one route",
    about: "A route with 10 % of the requests has a wrong path to its service, which answers 404.",
    wanted: "held",
    parts: [{ rate: 0.9 * rate }, { rate: 0.1 * rate, canary: { notFound: 1 } }],
  },
  {
    ...harmful,
    name: "traffic lost",
    about: "40 % of the new version's requests get no answer, and nobody reports them.",
    wanted: "held",
    parts: [{ rate, canary: { lost: 0.4 } }],
  },
  {
    ...harmful,
    name: "2 % of users broken",
    about: "Every request of 2 % of the users fails.",
    wanted: "caught",
    parts: [{ rate: 0.98 * rate }, { of: { users: 2000 }, rate: 0.02 * rate, canary: { errors: 1 } }],
  },
  {
    ...harmful,
    name: "2 % of 200 users broken",
    about: "Every request of four users fails; 200 requests/s.",
    wanted: "held",
    users: 196,
    parts: [{ rate: 196 }, { of: { users: 4 }, rate: 4, canary: { errors: 1 } }],
  },
  {
    ...harmful,
    name: "errors among bad users",
    about: "Errors 0.1 % → 1 %, while 2 % of the users fail 20 % of the time under both versions.",
    wanted: "caught",
    parts: [
      { rate: 0.98 * rate, canary: { errors: 0.01 } },
      { of: { users: 2000 }, rate: 0.02 * rate, both: { errors: 0.2 }, canary: { errors: 0.209 } },
    ],
  },
];
