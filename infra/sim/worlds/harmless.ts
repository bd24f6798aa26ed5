/** Worlds in which the new version does no harm: none of its rollouts may be rolled back. */
import type { Population } from "../traffic/clients.ts";
import type { World } from "./world.ts";

const rate = 1000;
const clients: Population = { clients: 100_000 };
const harmless = { harm: "harmless", wanted: "kept", clients } as const;

const jobs: Population = { clients: 200 };
const retrying: Population = { clients: 200 };

/** With few requests, the first judged step is one in ten. */
export const lowTrafficSteps = ["0%", "10%", "50%", "100%"] as const;

export const harmlessWorlds: readonly World[] = [
  {
    ...harmless,
    name: "no difference",
    about: "Both versions behave alike.",
    wanted: "finished",
    parts: [{ rate }],
  },
  {
    ...harmless,
    name: "no difference, 200 requests/s",
    about: "Both versions behave alike; 4,000 clients, steps 10 % and 50 %. It is to be finished within an hour.",
    wanted: "finished",
    withinMinutes: 60,
    clients: { clients: 4000 },
    steps: lowTrafficSteps,
    parts: [{ rate: 200 }],
  },
  {
    ...harmless,
    name: "no difference, 50 requests/s",
    about: "Both versions behave alike; 1,000 clients, steps 10 % and 50 %. It is to be finished within two hours.",
    wanted: "finished",
    withinMinutes: 120,
    clients: { clients: 1000 },
    steps: lowTrafficSteps,
    parts: [{ rate: 50 }],
  },
  {
    ...harmless,
    name: "few authenticated consumers",
    about: "20 consumers send half of the requests, and 10,000 anonymous clients the other half.",
    clients: { clients: 10_000, authenticated: 0 },
    parts: [{ rate: 0.5 * rate }, { of: { clients: 20, authenticated: 1, keyless: 0 }, rate: 0.5 * rate }],
  },
  {
    ...harmless,
    name: "service to service",
    about: "No client has a key: 50 services send all requests, and each request is dealt.",
    wanted: "finished",
    clients: { clients: 50, keyless: 1 },
    parts: [{ rate: 200 }],
  },
  {
    ...harmless,
    name: "heavy tails",
    about: "The busiest clients send a thousand times as many requests as the mean.",
    clients: { clients: 100_000, tail: { shape: 1.05, most: 1000 } },
    parts: [{ rate }],
  },
  {
    ...harmless,
    name: "one dominant client",
    about: "One client sends 10 % of the requests, and they take five times as long under both versions.",
    parts: [{ rate: 0.9 * rate }, { of: { clients: 1 }, rate: 0.1 * rate, both: { times: 5 } }],
  },
  {
    ...harmless,
    name: "one dominant client, first",
    about: "The same, and its key is among the first hundredth, which get every new version first.",
    parts: [{ rate: 0.9 * rate }, { of: { clients: 1, first: true }, rate: 0.1 * rate, both: { times: 5 } }],
  },
  {
    ...harmless,
    name: "diurnal drift",
    about: "For half of each hour, jobs of 200 clients triple the traffic; they are slow, and one in a hundred fails.",
    parts: [
      { rate },
      {
        of: jobs,
        rate: 2 * rate,
        both: { times: 4, errors: 0.01 },
        when: { since: "start", from: 600, until: 2400, every: 3600 },
      },
    ],
  },
  {
    ...harmless,
    name: "retry storms",
    about: "One minute in ten, 200 clients fail in nine of ten requests and send 500 a second, under both versions.",
    parts: [
      { rate },
      {
        of: retrying,
        rate: 0.5 * rate,
        both: { errors: 0.9 },
        when: { since: "start", from: 120, until: 180, every: 600 },
      },
    ],
  },
  {
    ...harmless,
    name: "bad users",
    about: "2 % of the clients fail 20 % of the time, under both versions.",
    parts: [{ rate: 0.98 * rate }, { of: { clients: 2000 }, rate: 0.02 * rate, both: { errors: 0.2 } }],
  },
  {
    ...harmless,
    name: "bad users, few users",
    about: "The same with 500 clients and 200 requests/s.",
    clients: { clients: 490 },
    parts: [{ rate: 196 }, { of: { clients: 10 }, rate: 4, both: { errors: 0.2 } }],
  },
  {
    ...harmless,
    name: "incident at a step border",
    about:
      "For 50 s from the change to 10 %, requests fail under both versions, and are tried again: 400 more a second.",
    parts: [{ rate }, { rate: 0.4 * rate, both: { errors: 1 }, when: { since: "split", until: 50, share: 0.1 } }],
  },
  {
    ...harmless,
    name: "incident at a step border, 50 requests/s",
    about:
      "For 50 s from each change of the split, 20 requests/s more fail under both versions; 1,000 clients, steps 10 % and 50 %.",
    wanted: "finished",
    withinMinutes: 120,
    clients: { clients: 1000 },
    steps: lowTrafficSteps,
    parts: [{ rate: 50 }, { rate: 20, both: { errors: 1 }, when: { since: "split", until: 50 } }],
  },
  {
    ...harmless,
    name: "repaired slow route",
    about: "A route with 5 % of the requests fails under stable; the new version answers it, in 800 ms.",
    parts: [
      { rate: 0.95 * rate },
      { route: "repaired", rate: 0.05 * rate, both: { errors: 0.95 }, canary: { errors: 0.001, times: 20 } },
    ],
  },
  {
    ...harmless,
    name: "new slow route",
    about:
      "Stable refuses a route with 5 % of the requests, which it does not know; the new one answers it, in 800 ms.",
    parts: [
      { rate: 0.95 * rate },
      { route: "new", rate: 0.05 * rate, both: { refusals: 0.95 }, canary: { refusals: 0.02, times: 20 } },
    ],
  },
  {
    ...harmless,
    name: "changed mix",
    about:
      "40 % of the requests are preflights of 4 ms; the new version lets browsers cache them, so most do not come. It may be held, as requests are missing.",
    parts: [
      { rate: 0.6 * rate },
      { route: "preflights", rate: 0.4 * rate, both: { times: 0.1 }, canary: { sent: 0.05 } },
    ],
  },
  {
    ...harmless,
    name: "cold canary",
    about:
      "For 90 s from each change of the split, the new version takes 2.5 times as long: caches and pools are cold.",
    parts: [
      { rate, canary: { times: 2.5 }, when: { since: "split", until: 90 } },
      { rate, when: { since: "split", from: 90 } },
    ],
  },
  {
    ...harmless,
    name: "late reports",
    about: "The new version's reports arrive 40 s later than stable's.",
    parts: [{ rate, canary: { late: 40 } }],
  },
  {
    ...harmless,
    name: "telemetry lost, both versions",
    about: "For five minutes no report arrives.",
    parts: [
      { rate, when: { since: "start", until: 400 } },
      { rate, both: { reports: 0 }, when: { since: "start", from: 400, until: 700 } },
      { rate, when: { since: "start", from: 700 } },
    ],
  },
  {
    ...harmless,
    name: "telemetry lost, canary only",
    about: "70 % of the new version's reports are lost, and none of its requests, which the tail saw.",
    parts: [{ rate, canary: { reports: 0.3 } }],
  },
];
