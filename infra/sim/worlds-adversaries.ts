/**
 * Worlds with attackers. Every client chooses its gray key, and counts by it. One address has as many keys as it likes; real
 * users have their own. Attackers cause refusals, for which a wrong credential is enough.
 */
import type { Part, Population, World } from "./world.ts";

const [rate, users] = [1000, 100_000];
const forcing = { release: "harmless", wanted: "kept", users } as const;
const hiding = { release: "harmful", wanted: "held", users } as const;

const refusedPart = (of: Population, requests: number): Part => ({
  of,
  rate: requests,
  both: { errors: 0, hangs: 0, refusals: 1 },
});

const keys = (count: number, known?: "stable" | "canary"): Population => ({
  users: count,
  attack: { keys: "chosen", ...(known && { known }) },
});
/** 5 % of all users. */
const usersKnowing = (known: "stable" | "canary"): Population => ({ users: 5000, attack: { keys: "own", known } });

const honest: Part = { rate };
const refusing: Part = { rate, canary: { refusals: 0.07 } };

export const adversaries: readonly World[] = [
  {
    ...forcing,
    name: "forcing: one address",
    about: "32 chosen keys send 1,500 refused requests/s; which version they have is unknown.",
    parts: [honest, refusedPart(keys(32), 1500)],
  },
  {
    ...forcing,
    name: "stalling: one address",
    about: "32 chosen keys send 10 refused requests/s, and the release waits; which version they have is unknown.",
    wanted: "finished",
    parts: [honest, refusedPart(keys(32), 10)],
  },
  {
    ...forcing,
    name: "forcing: one address, canary known",
    about: "32 keys that have the new version send one refused request a second together.",
    parts: [honest, refusedPart(keys(32, "canary"), 1)],
  },
  {
    ...forcing,
    name: "forcing: 100 addresses, canary known",
    about: "100 keys that have the new version send one refused request a second together.",
    parts: [honest, refusedPart(keys(100, "canary"), 1)],
  },
  {
    ...forcing,
    name: "forcing: 5 % of users, canary known",
    about: "5,000 users with their own keys send a refused request each ten seconds while they have the new version.",
    parts: [honest, refusedPart(usersKnowing("canary"), 500)],
  },
  {
    ...hiding,
    name: "hiding: one address",
    about: "32 chosen keys send 60 refused requests/s, so that a version that refuses 5 % more looks no worse.",
    parts: [refusing, refusedPart(keys(32), 60)],
  },
  {
    ...hiding,
    name: "hiding: one address, stable known",
    about: "The same with 32 keys that have the stable version.",
    parts: [refusing, refusedPart(keys(32, "stable"), 60)],
  },
  {
    ...hiding,
    name: "hiding: 100 addresses, stable known",
    about: "The same with 100 keys that have the stable version.",
    parts: [refusing, refusedPart(keys(100, "stable"), 60)],
  },
  {
    ...hiding,
    name: "hiding: 5 % of users, stable known",
    about: "The same by 5,000 users with their own keys, each while it has the stable version.",
    parts: [refusing, refusedPart(usersKnowing("stable"), 120)],
  },
];
