/** Worlds in which the new version does harm: none of its rollouts may be promoted. */
import type { Population } from "../traffic/clients.ts";
import type { World } from "./world.ts";

const rate = 1000;
const clients: Population = { clients: 100_000 };
const harmful = { harm: "harmful", clients } as const;

export const harmfulWorlds: readonly World[] = [
  {
    ...harmful,
    name: "refuses 5 %",
    about: "The new version wrongly refuses 5 % of the requests, of all clients; nobody attacks.",
    wanted: "caught",
    parts: [{ rate, canary: { refusals: 0.07 } }],
  },
  {
    ...harmful,
    name: "refuses 5 %, anonymous clients",
    about:
      "The same, but no client is authenticated, and all have a key: who refuses them cannot be told from an attack.",
    wanted: "held",
    clients: { clients: 100_000, authenticated: 0, keyless: 0 },
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
    name: "late harm in the watch",
    about: "Errors 0.1 % → 1 % from minute 60 on, in a watch of 2 h that holds back 5 % of the users.",
    wanted: "caught",
    watch: "2h",
    parts: [
      { rate, when: { since: "start", until: 3600 } },
      { rate, canary: { errors: 0.01 }, when: { since: "start", from: 3600 } },
    ],
  },
  {
    ...harmful,
    name: "one bad route of forty",
    about: "A route with 1.2 % of the requests fails in 30 % of them.",
    wanted: "held",
    parts: [{ rate: 0.988 * rate }, { route: "bad", rate: 0.012 * rate, canary: { errors: 0.3 } }],
  },
  {
    ...harmful,
    name: "service 404 on one route",
    about: "A route with 10 % of the requests has a wrong path to its service, which answers 404.",
    wanted: "caught",
    parts: [{ rate: 0.9 * rate }, { route: "wrong", rate: 0.1 * rate, canary: { clientErrors: 1 } }],
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
    name: "false reports",
    about:
      "The new version fails in 5 % of its requests and reports successes. Only a front, or the service, can tell.",
    wanted: "open",
    parts: [{ rate, canary: { errors: 0.05, lies: 1 } }],
  },
  {
    ...harmful,
    name: "service to service, errors",
    about: "Errors 0.1 % → 1 %; no client has a key: 50 services send all requests, and each request is dealt.",
    wanted: "caught",
    clients: { clients: 50, keyless: 1 },
    parts: [{ rate: 200, canary: { errors: 0.01 } }],
  },
  {
    ...harmful,
    name: "few authenticated consumers, refusals",
    about:
      "20 consumers send half of the requests, and 10,000 anonymous clients the other half; 5 % are wrongly refused.",
    wanted: "held",
    clients: { clients: 10_000, authenticated: 0, keyless: 0 },
    parts: [
      { rate: 0.5 * rate, canary: { refusals: 0.07 } },
      { of: { clients: 20, authenticated: 1, keyless: 0 }, rate: 0.5 * rate, canary: { refusals: 0.07 } },
    ],
  },
  {
    ...harmful,
    name: "2 % of users broken",
    about: "Every request of 2 % of the clients fails.",
    wanted: "caught",
    parts: [{ rate: 0.98 * rate }, { of: { clients: 2000 }, rate: 0.02 * rate, canary: { errors: 1 } }],
  },
  {
    ...harmful,
    name: "2 % of 200 users broken",
    about: "Every request of four clients fails; 200 requests/s. Two of them never count, so a pass is possible.",
    wanted: "held",
    clients: { clients: 196 },
    parts: [{ rate: 196 }, { of: { clients: 4 }, rate: 4, canary: { errors: 1 } }],
  },
  {
    ...harmful,
    name: "errors among bad users",
    about: "Errors 0.1 % → 1 %, while 2 % of the clients fail 20 % of the time under both versions.",
    wanted: "caught",
    parts: [
      { rate: 0.98 * rate, canary: { errors: 0.01 } },
      { of: { clients: 2000 }, rate: 0.02 * rate, both: { errors: 0.2 }, canary: { errors: 0.209 } },
    ],
  },
];
