/**
 * Worlds with attackers. Clients choose their gray keys, but not what they count as: their network, or the consumer whose
 * credential they have. Attackers cause what clients can: refusals, for which a wrong credential is enough, requests that they
 * abandon, and slow ones. They may stall a release, and never force a rollback or hide harm.
 */
import type { Behaviour } from "../traffic/behaviour.ts";
import type { Attack, Population } from "../traffic/clients.ts";
import { lowTrafficSteps } from "./harmless.ts";
import type { Part, World } from "./world.ts";

const rate = 1000;
const clients: Population = { clients: 100_000 };
const forcing = { harm: "harmless", wanted: "kept", clients } as const;
const hiding = { harm: "harmful", wanted: "held", clients } as const;

type Known = NonNullable<Attack["known"]>;

/** Keys that were chosen, from so many networks. */
const keys = (count: number, networks: number, known?: Known): Population => ({
  ...{ clients: count, authenticated: 0, keyless: 0 },
  attack: { networks, keys: "chosen", ...(known && { known }) },
});
/** 5 % of all clients, with networks and keys of their own. */
const manyClients = (known: Known): Population => ({
  ...{ clients: 5000, authenticated: 0, keyless: 0 },
  attack: { networks: "own", keys: "own", known },
});
/** Consumers that know which version they have. */
const consumers = (count: number, known: Known): Population => ({
  ...{ clients: count, authenticated: 1, keyless: 0 },
  attack: { networks: "own", keys: "chosen", known },
});

const harmlessOtherwise = { errors: 0, hangs: 0, refusals: 0, clientErrors: 0 } as const;
const attacking = (of: Population, requests: number, both: Partial<Behaviour> = { refusals: 1 }): Part => ({
  ...{ of, rate: requests },
  both: { ...harmlessOtherwise, ...both },
});

const honest: Part = { rate };
const refusing: Part = { rate, canary: { refusals: 0.07 } };

export const adversaries: readonly World[] = [
  {
    ...forcing,
    name: "forcing: one address",
    about: "32 chosen keys of one address send 1,500 refused requests/s; which version they have is unknown.",
    parts: [honest, attacking(keys(32, 1), 1500)],
  },
  {
    ...forcing,
    name: "stalling: one address",
    about: "32 chosen keys of one address send 10 refused requests/s; which version they have is unknown.",
    wanted: "finished",
    parts: [honest, attacking(keys(32, 1), 10)],
  },
  {
    ...forcing,
    name: "forcing: one address, canary known",
    about: "32 keys of one address that have the new version send one refused request a second together.",
    wanted: "finished",
    parts: [honest, attacking(keys(32, 1, "canary"), 1)],
  },
  {
    ...forcing,
    name: "forcing: 100 addresses, canary known",
    about: "100 keys of 100 addresses that have the new version send one refused request a second together.",
    parts: [honest, attacking(keys(100, 100, "canary"), 1)],
  },
  {
    ...forcing,
    name: "forcing: 5 % of users, canary known",
    about:
      "5,000 anonymous clients with keys of their own send a refused request each ten seconds while they have the new version.",
    parts: [honest, attacking(manyClients("canary"), 500)],
  },
  {
    ...forcing,
    name: "forcing: abandoned requests, 100 addresses, canary known",
    about: "100 keys of 100 addresses that have the new version abandon ten requests a second together.",
    parts: [honest, attacking(keys(100, 100, "canary"), 10, { hangs: 1 })],
  },
  {
    ...forcing,
    name: "forcing: slow requests, 100 addresses, canary known",
    about:
      "100 keys of 100 addresses that have the new version send ten requests a second that take ten times as long.",
    parts: [honest, attacking(keys(100, 100, "canary"), 10, { times: 10 })],
  },
  {
    ...forcing,
    name: "forcing: slow requests, one address",
    about: "One address sends 500 requests/s that take ten times as long, under both versions.",
    wanted: "finished",
    parts: [honest, attacking(keys(32, 1), 500, { times: 10 })],
  },
  {
    ...forcing,
    name: "forcing: silence, 100 addresses, stable known",
    about: "100 addresses send half as many requests as all others together, and only where they have stable.",
    parts: [honest, attacking(keys(100, 100, "stable"), 500, {})],
  },
  {
    ...forcing,
    name: "forcing: two consumers, canary known",
    about:
      "Two authenticated consumers, a quarter of the clusters that a rollback needs, send ten refused requests a second while they have the new version.",
    wanted: "finished",
    parts: [honest, attacking(consumers(2, "canary"), 10)],
  },
  {
    ...forcing,
    name: "forcing: two consumers, canary known, 50 requests/s",
    about: "The same with 1,000 clients and steps 10 % and 50 %; the two send one refused request a second.",
    clients: { clients: 1000 },
    steps: lowTrafficSteps,
    parts: [{ rate: 50 }, attacking(consumers(2, "canary"), 1)],
  },
  {
    ...hiding,
    name: "hiding: one address",
    about:
      "32 chosen keys of one address send 60 refused requests/s, so that a version that refuses 5 % more looks no worse.",
    wanted: "caught",
    parts: [refusing, attacking(keys(32, 1), 60)],
  },
  {
    ...hiding,
    name: "hiding: one address, stable known",
    about: "The same with 32 keys that have the stable version.",
    wanted: "caught",
    parts: [refusing, attacking(keys(32, 1, "stable"), 60)],
  },
  {
    ...hiding,
    name: "hiding: 100 addresses, stable known",
    about: "The same with 100 keys of 100 addresses that have the stable version.",
    wanted: "caught",
    parts: [refusing, attacking(keys(100, 100, "stable"), 60)],
  },
  {
    ...hiding,
    name: "hiding: 5 % of users, stable known",
    about: "The same by 5,000 anonymous clients with keys of their own, each while it has the stable version.",
    parts: [refusing, attacking(manyClients("stable"), 120)],
  },
  {
    ...hiding,
    name: "hiding: two consumers, stable known",
    about: "The same by two authenticated consumers that have the stable version.",
    wanted: "caught",
    parts: [refusing, attacking(consumers(2, "stable"), 60)],
  },
];
