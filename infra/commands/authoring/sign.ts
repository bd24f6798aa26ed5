/** `postern sign`: signs a request as a client with a key of the dev loop would. */
import { randomUUID } from "node:crypto";
import type { Present, Presented } from "../../../functions/gateway/hooks/credentials.ts";
import { compile } from "../../compiler/compile.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { partModules, registry } from "../../project/registry.ts";
import { localSecrets } from "../../release/secrets.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface SignOptions {
  readonly root: string;
  readonly data?: string | undefined;
  readonly header?: readonly string[] | undefined;
  readonly key?: string | undefined;
}

/** The environment of the dev loop. This computer has secrets of no other. */
const env = "local";

export const sign = async (method: string, url: string, { root, data, header, key }: SignOptions): Promise<Outcome> => {
  if (!URL.canParse(url)) throw new Error(`"${url}" is not a whole URL; write it as http://localhost:8787/…`);
  const { use, credential } = credentialFor(new URL(url), root, key);
  const givenHeaders = Object.fromEntries((header ?? []).map(headerOf));
  const request = new Request(url, { method, headers: givenHeaders });
  const value = credential(Object.keys(givenHeaders));
  const presented = await (partModules.filters[use]?.present ?? asPresented)(value, {
    request,
    body: data ?? null,
    now: Date.now(),
    uuid: randomUUID,
    keys: {},
    revoke: () => {},
  });
  const all = { ...givenHeaders, ...presented.headers };
  const target = presented.url ?? url;
  const lines = [
    ["request", request.method],
    ["url", target],
    ...Object.entries(all).map(([name, value]) => ["header", `${name}: ${value}`]),
    ...(data === undefined ? [] : [["data-binary", data]]),
  ];
  return {
    exitCode: 0,
    text: lines.map(([name, value = ""]) => `${name} = "${value.replace(/["\\]/g, "\\$&")}"\n`).join(""),
    data: { method: request.method, url: target, headers: all, body: data ?? null },
  };
};

const asPresented: Present = (credential) => credential as Presented;

const headerOf = (line: string): [string, string] => {
  const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new Error(`"${line}" is not a header; write it as 'name: value'`);
  return [name.toLowerCase(), value];
};

/** The credential of a key of the tier that serves a URL: of the requested key, or of the first one. */
const credentialFor = (url: URL, root: string, wantedKey: string | undefined) => {
  const { tiers, environment } = compile(root, env);
  const keys = new Map(
    tiers
      .filter(
        ({ checked: { manifest } }) =>
          manifest.hosts.includes(url.hostname) && url.pathname.startsWith(manifest.base.path),
      )
      .flatMap(({ checked }) => checked.routes.flatMap(({ chain }) => chain))
      .flatMap(keysIn)
      .map((it) => [it.id, it] as const),
  );
  const id = wantedKey ?? [...keys.keys()][0];
  const found = id === undefined ? undefined : keys.get(id);
  if (id === undefined)
    throw new Error(`no tier with a ${signing().join(" or ")} filter serves ${url.host}${url.pathname} in ${env}`);
  if (!found)
    throw new Error(`the tier has no key "${id}"; ${existing(id, [...keys.keys()], "its manifest lists them")}`);
  const secret = localSecrets(root, env, environment.value.dev.secrets)[found.secret];
  if (secret === undefined) throw new Error(`${found.secret} is not set; npx postern secrets set ${found.secret}`);
  return { use: found.use, credential: (covers: readonly string[]) => found.issue(secret, covers) };
};

/** Filters whose clients sign requests. */
const signing = () =>
  Object.entries(registry.filters).flatMap(([use, { credentials }]) => (credentials?.sign ? [use] : []));

interface Key {
  readonly id: string;
  readonly use: string;
  /** The name of the secret, not its value. */
  readonly secret: string;
  readonly issue: (secret: string, covers: readonly string[]) => unknown;
}

const keysIn = ({ use, spec: { credentials }, config }: CheckedFilter): Key[] => {
  const signs = credentials?.sign;
  if (!signs) return [];
  return Object.entries(signs.keys(config)).map(([id, secret]) => ({
    id,
    use,
    secret,
    issue: (value, covers) => signs.issue(config, id, value, covers),
  }));
};
