/** `postern state export` and `import`: what control and the feed alone know, in a file, and back into an account that has lost it. */
import fs from "node:fs";
import path from "node:path";
import * as z from "zod";
import type { AuditEntry } from "../../../functions/control/audit/ledger.ts";
import { maxRevocationMs, type StoredRevocation } from "../../../functions/gateway/core/ports/revocations.ts";
import { maxEntryMs, type OverlayEntry } from "../../../functions/gateway/overlay/overlay.ts";
import { compile } from "../../compiler/compile.ts";
import { count } from "../../diagnostics/report.ts";
import { readBounded } from "../../project/files.ts";
import { type ControlClient, controlClient } from "../../release/control-client.ts";
import { environmentFor, targetOf } from "../../release/target.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { toOneLine } from "../../terminal/terminal.ts";
import type { ControlOptions } from "./options.ts";

interface TierState {
  readonly entries: readonly OverlayEntry[];
  readonly revoked: readonly StoredRevocation[];
}

const format = 1;
/** The ledger holds 50,000 entries at most, and a page has 200. */
const maxPages = 300;
const maxFileBytes = 512 * 1024 * 1024;

/** @throws if a part cannot be read: a copy is whole or there is none */
export const exportState = async (file: string, options: ControlOptions): Promise<Outcome> => {
  const { client, env } = connect(options);
  const names = Object.keys(await client.call<object>("GET", "/v1/tiers")).sort();
  const tiers: Record<string, TierState> = {};
  const rollouts: Record<string, unknown> = {};
  for (const name of names) {
    tiers[name] = await readTier(client, name);
    rollouts[name] = await client.call("GET", `${pathOf(name)}/rollouts`);
  }
  const waves = await client.call("GET", "/v1/waves");
  const ledger = await readLedger(client);
  const state = {
    postern: "state",
    format,
    environment: env,
    at: new Date().toISOString(),
    tiers,
    rollouts,
    waves,
    ledger,
  };
  writePrivately(file, `${JSON.stringify(state, null, 2)}\n`);
  const all = Object.values(tiers);
  const counts = {
    tiers: names.length,
    overlay: all.flatMap((it) => it.entries).length,
    revocations: all.flatMap((it) => it.revoked).length,
    ledger: ledger.length,
  };
  const text = `wrote ${file}: tiers ${counts.tiers}, overlay entries ${counts.overlay}, revocations ${counts.revocations}, lines of the ledger ${counts.ledger}\n`;
  return { exitCode: 0, text, data: { file, environment: env, ...counts } };
};

const connect = ({ root, target, env: given, as }: ControlOptions) => {
  const at = targetOf(target);
  const env = environmentFor(at, given);
  return { client: controlClient(root, compile(root, env).environment, at, as), env };
};

const pathOf = (tier: string): string => `/v1/tiers/${encodeURIComponent(tier)}`;

const readTier = async (client: ControlClient, tier: string): Promise<TierState> => {
  const { entries } = await client.call<Pick<TierState, "entries">>("GET", `${pathOf(tier)}/overlay`);
  const { revoked } = await client.call<Pick<TierState, "revoked">>("GET", `${pathOf(tier)}/revocations`);
  return { entries, revoked };
};

/** @throws if control is of a release that gives the newest entries only */
const readLedger = async (client: ControlClient): Promise<readonly AuditEntry[]> => {
  const all: AuditEntry[] = [];
  for (let page = 0; page < maxPages; page++) {
    const before = all.at(-1)?.id;
    const query = before === undefined ? "" : `?before=${before}`;
    const lines = await client.call<readonly AuditEntry[]>("GET", `/v1/audit${query}`);
    const [newest] = lines;
    if (!newest) return all;
    if (before !== undefined && newest.id >= before)
      throw new Error(
        "control is of an earlier release and gives the newest lines of its ledger only; deploy it first",
      );
    all.push(...lines);
  }
  throw new Error(`the ledger has more than ${maxPages} pages`);
};

/** The reasons and hashes in it are for operators' eyes. */
const writePrivately = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  fs.writeFileSync(`${file}.new`, text, { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
};

const ending = { id: z.string(), until: z.number(), by: z.string(), reason: z.string() };
const stateFile = z.looseObject({
  postern: z.literal("state"),
  format: z.literal(format),
  environment: z.string(),
  tiers: z.record(
    z.string(),
    z.object({
      entries: z.array(z.looseObject({ kind: z.string(), ...ending })),
      revoked: z.array(z.looseObject({ kind: z.string(), hash: z.string(), issuer: z.string(), ...ending })),
    }),
  ),
  ledger: z.array(z.unknown()),
});

/** Kinds that control writes itself, for a rollout that is not there any more. */
const temporaryKinds: readonly string[] = ["drain", "measure", "epochs"];

/**
 * Adds what has not ended and is not there, by the same calls that operators make: control checks each entry, and records who
 * restored it. So a second import adds nothing.
 */
export const importState = async (file: string, options: ControlOptions): Promise<Outcome> => {
  const { client, env } = connect(options);
  const state = readState(file);
  if (state.environment !== env) throw new Error(`${file} is of the environment ${state.environment}, not ${env}`);
  const added: string[] = [];
  const failed: string[] = [];
  for (const [tier, wanted] of Object.entries(state.tiers)) {
    const present = await readTier(client, tier).catch((error: Error) => void failed.push(`${tier}: ${error.message}`));
    if (!present) continue;
    for (const { what, path: at, body } of missingIn(tier, wanted as unknown as TierState, present))
      await client.call("POST", at, body).then(
        () => added.push(`${tier}: ${what}`),
        (error: Error) => failed.push(`${tier}: ${what}: ${error.message}`),
      );
  }
  const list = (all: readonly string[]) => all.map((it) => `  ${toOneLine(it)}\n`).join("");
  const ledger = count(state.ledger.length, "line");
  return {
    exitCode: failed.length > 0 ? 1 : 0,
    text: [
      `restored ${added.length}, and ${ledger} of the ledger stay in the file: a ledger is not written back\n`,
      list(added),
      ...(failed.length > 0 ? ["not restored:\n", list(failed)] : []),
    ].join(""),
    data: { environment: env, added, failed },
  };
};

const readState = (file: string): z.output<typeof stateFile> => {
  const text = readBounded(file, maxFileBytes).toString("utf8");
  try {
    return stateFile.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} is no file of npx postern state export`);
  }
};

interface Addition {
  readonly what: string;
  readonly path: string;
  readonly body: object;
}

const missingIn = (tier: string, wanted: TierState, present: TierState): readonly Addition[] => {
  const now = Date.now();
  const entries = wanted.entries
    .filter(({ kind, until }) => until > now && !temporaryKinds.includes(kind))
    .filter((it) => !present.entries.some((one) => changeText(one) === changeText(it)));
  const revoked = wanted.revoked
    .filter(({ until }) => until > now)
    .filter((it) => !present.revoked.some((one) => isCovered(it, one)));
  return [
    ...entries.map((it) => ({
      what: `${it.kind} ${JSON.stringify(changeOf(it))}`,
      path: `${pathOf(tier)}/overlay`,
      body: { ...changeOf(it), kind: it.kind, for: timeLeft(it.until, now, maxEntryMs), reason: reasonOf(it) },
    })),
    ...revoked.map((it) => ({
      what: `revocation of a ${it.kind} ${it.hash.slice(0, 12)}`,
      path: `${pathOf(tier)}/revocations`,
      body: {
        ...{ kind: it.kind, issuer: it.issuer, hash: it.hash },
        ...(it.kind === "consumer" && { before: it.before }),
        ...{ for: timeLeft(it.until, now, maxRevocationMs), reason: reasonOf(it) },
      },
    })),
  ];
};

/** What an entry changes, as the API takes it. */
const changeOf = (it: OverlayEntry): object => {
  if (it.kind === "close") {
    const { "retry-after": retryAfter, detail } = it.closed;
    const wait = retryAfter === undefined ? {} : { retryAfter };
    return { route: it.route, ...wait, ...(detail !== undefined && { detail }) };
  }
  const { id: _, until: __, by: ___, reason: ____, kind: _____, ...change } = it;
  return change;
};

const changeText = (it: OverlayEntry): string => JSON.stringify([it.kind, changeOf(it)]);

const isCovered = (wanted: StoredRevocation, present: StoredRevocation): boolean =>
  wanted.kind === present.kind &&
  wanted.hash === present.hash &&
  (wanted.kind === "token" || (present.kind === "consumer" && present.before >= wanted.before));

/** Rounded up: nothing ends earlier than it would have. */
const timeLeft = (until: number, now: number, maxMs: number): string =>
  `${Math.min(Math.ceil((until - now) / 60_000), maxMs / 60_000)}m`;

const maxReasonChars = 500;

const reasonOf = ({ by, reason }: { readonly by: string; readonly reason: string }): string =>
  `restored, of ${by}: ${reason}`.slice(0, maxReasonChars);
