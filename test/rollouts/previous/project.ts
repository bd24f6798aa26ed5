/** A small project with a control plane that both releases can build. It contains every pair of Workers that communicate. */
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";

export const home = path.resolve(import.meta.dirname, "../../..");

interface Samples {
  readonly control: { readonly key: string; readonly operators: object };
  readonly dev: { readonly secrets: Readonly<Record<string, string>> };
}

/** A token's issuer, by a key that `jwt` has in its manifest. */
export const issuer = "https://id.example";

/** The public half of the samples' `CONTROL_KEY`, which here signs tokens. */
export const tokenKey = {
  kty: "OKP",
  crv: "Ed25519",
  kid: "k1",
  alg: "EdDSA",
  x: "g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms",
};

/** The number of routes that tests close one after the other. */
export const closable = 8;

const tier = `api: postern/v1
tier: a
level: core
hosts: [localhost]
base: /a
routes:
  counted:
    match: GET /counted
    filters: [{ rate-limit: { limit: 2/h, by: header.x-user, count: exact, timeout: 5s, on-failure: deny } }]
    respond: { status: 200, text: counted }
  own:
    match: GET /own
    filters: [{ jwt: { issuer: "${issuer}", audience: a, algorithms: [EdDSA], keys: ${JSON.stringify([tokenKey])} } }]
    respond: { status: 200, text: own }
${Array.from({ length: closable }, (_, index) => `  close-${index}: { match: GET /close-${index}, respond: { status: 200, text: open } }`).join("\n")}
`;

/** A tier that one operator may release. */
const standard = `api: postern/v1
tier: b
hosts: [localhost]
base: /b
routes: { it: { match: GET /it, respond: { status: 200, text: it } } }
`;

/**
 * @param api URL of the platform's REST API
 * @param edge URL of the front
 */
export const filesOf = (api: string, edge: string): Readonly<Record<string, string>> => {
  const samples = parse(fs.readFileSync(path.join(home, "routes/environments/local.yaml"), "utf8")) as Samples;
  return {
    "routes/a.yaml": tier,
    "routes/b.yaml": standard,
    "routes/environments/local.yaml": JSON.stringify({
      values: {},
      kv: { feed: "00000000000000000000000000000002" },
      control: {
        ...samples.control,
        host: "control.localhost",
        account: "00000000000000000000000000000001",
        api,
        front: edge,
      },
      dev: { secrets: samples.dev.secrets },
    }),
  };
};

export const writeProject = (root: string, files: Readonly<Record<string, string>>): void => {
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
};
