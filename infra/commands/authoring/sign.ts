/** `postern sign`: what a client with a key of the dev loop would send. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { createSignature } from "http-message-sig";
import { compile } from "../../compiler/compile.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import { localSecrets } from "../../release/secrets.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly data?: string | undefined;
  readonly header?: readonly string[] | undefined;
  readonly key?: string | undefined;
}

/** The environment of the dev loop: nowhere else does this machine have the values of secrets. */
const env = "local";

export const sign = async (method: string, url: string, { root, data, header, key }: Options): Promise<Outcome> => {
  if (!URL.canParse(url)) throw new Error(`"${url}" is no URL; write it whole: http://localhost:8787/…`);
  const { id, secret } = keyFor(new URL(url), root, key);
  const headers = {
    ...Object.fromEntries((header ?? []).map(headerOf)),
    ...(data !== undefined && { "content-digest": `sha-256=:${createHash("sha256").update(data).digest("base64")}:` }),
  };
  const request = new Request(url, { method, headers });
  const { signature, signatureInput } = await createSignature(request, {
    label: "postern",
    components: ["@method", "@authority", "@path", "@query", ...Object.keys(headers)],
    parameters: { created: Math.floor(Date.now() / 1000), keyid: id, nonce: randomUUID() },
    signer: { algorithm: "hmac-sha256", sign: (base) => createHmac("sha256", secret).update(base).digest() },
  });
  const all = { ...headers, "signature-input": signatureInput, signature };
  const lines = [
    ["request", request.method],
    ["url", url],
    ...Object.entries(all).map(([name, value]) => ["header", `${name}: ${value}`]),
    ...(data === undefined ? [] : [["data-binary", data]]),
  ];
  return {
    exitCode: 0,
    text: lines.map(([name, value = ""]) => `${name} = "${value.replace(/["\\]/g, "\\$&")}"\n`).join(""),
    data: { method: request.method, url, headers: all, body: data ?? null },
  };
};

const headerOf = (line: string): [string, string] => {
  const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`"${line}" is no header; write it as 'name: value'`);
  return [name.toLowerCase(), value];
};

/** The key of the tier that serves a URL. */
const keyFor = (url: URL, root: string, wanted: string | undefined) => {
  const { tiers, environment } = compile(root, env);
  const known = tiers
    .filter(
      ({ checked: { manifest } }) => manifest.hosts.includes(url.hostname) && url.pathname.startsWith(manifest.base),
    )
    .flatMap(({ checked }) => checked.routes.flatMap(({ chain }) => chain))
    .filter(({ use }) => use === "signature")
    .flatMap(({ config }) =>
      Object.entries((config as { readonly keys: Readonly<Record<string, { readonly secret: string }>> }).keys),
    );
  const keys = new Map(known);
  const id = wanted ?? [...keys.keys()][0];
  const named = id === undefined ? undefined : keys.get(id);
  if (id === undefined) throw new Error(`no tier with a signature filter serves ${url.host}${url.pathname} in ${env}`);
  if (!named) throw new Error(`the tier has no key "${id}"; ${choice(id, [...keys.keys()])}`);
  const secret = localSecrets(root, env, environment.value.dev.secrets)[named.secret];
  if (secret === undefined) throw new Error(`${named.secret} is not set; npx postern secrets set ${named.secret}`);
  return { id, secret };
};
