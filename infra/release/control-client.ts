/** The client of control's admin API: signs an operator's token for each call, and says well what was refused. */
import { randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { importJWK, SignJWT } from "jose";
import { controlAudience, longestLife } from "../../functions/control/api/operators.ts";
import type { gatewayCodes } from "../../functions/gateway/core/problems.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import type { edgeCodes } from "../cloud/edge/refusals.ts";
import { compile } from "../compiler/compile.ts";
import type { Named } from "../compiler/model/checked.ts";
import { oneLine } from "../terminal/terminal.ts";
import { NoAnswer } from "./api.ts";
import { localSecrets } from "./secrets.ts";
import { environmentFor, type Target, targetOf } from "./target.ts";

export interface Desk {
  /** @throws DeskFault */
  readonly call: <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<T>;
  /** Who asks. */
  readonly operator: string;
  /** For who asks control by other means: as long as control lets one live. */
  readonly token: () => Promise<string>;
}

export class DeskFault extends Error {
  override readonly name = "DeskFault";
  readonly status: number;
  constructor(status: number, message: string) {
    super(oneLine(message));
    this.status = status;
  }
}

/** As a command line says it. @throws as `deskOf` does */
export const deskFor = ({ root, target, env, as }: DeskOptions): Desk => {
  const at = targetOf(target);
  return deskOf(root, compile(root, environmentFor(at, env)).environment, at, as);
};

export interface DeskOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string;
  readonly as?: string | undefined;
}

const lifeSeconds = 60;
const patienceMs = 30_000;

/**
 * @param as the operator's name; without it POSTERN_OPERATOR, else the first whose key is here
 * @throws where the environment has no control, or nobody's key is here
 */
export const deskOf = (
  root: string,
  { name: env, value, file }: Named<Environment>,
  target: Target,
  as: string | undefined = process.env.POSTERN_OPERATOR,
): Desk => {
  const { control, dev } = value;
  if (!control)
    throw new Error(`${file} has no \`control:\`, so there is nobody to ask; docs/gray-release.md says what it needs`);
  const keys = { ...localSecrets(root, env, dev.secrets), ...process.env };
  const names = Object.keys(control.operators);
  const operator = as ?? names.find((name) => keys[secretOf(name)] !== undefined);
  if (operator === undefined || !names.includes(operator))
    throw new Error(`no operator "${operator ?? ""}"; there are ${names.join(", ")}: --as <name>`);
  const key = keys[secretOf(operator)];
  if (key === undefined)
    throw new Error(`the key of ${operator} is not here: put the JWK of the private key into ${secretOf(operator)}`);
  const base = target.name === "local" && control.front ? control.front : `https://${control.host}`;
  return {
    operator,
    token: () => tokenOf(operator, key, env, longestLife),
    call: async (method, path, body) => {
      const headers = {
        host: control.host,
        authorization: `Bearer ${await tokenOf(operator, key, env, lifeSeconds)}`,
        ...(body && { "content-type": "application/json" }),
      };
      const { status, said } = await send(new URL(path, base), method, headers, body && JSON.stringify(body));
      if (status < 300)
        return (said.startsWith("{") || said.startsWith("[") || said === "null" ? JSON.parse(said) : said) as never;
      throw new DeskFault(
        status,
        detailOf(said) ?? `${base} answered ${status}: is control deployed? npx postern deploy control`,
      );
    },
  };
};

const secretOf = (operator: string): string => `OPERATOR_${operator.toUpperCase().replaceAll("-", "_")}`;

const tokenOf = async (operator: string, key: string, env: string, seconds: number): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ env })
    .setProtectedHeader({ alg: "EdDSA", kid: operator })
    .setSubject(operator)
    .setAudience(controlAudience)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + seconds)
    .sign(await importJWK(JSON.parse(key), "EdDSA"));
};

/** By hand, since `fetch` writes the Host header itself, and a local cloud is told by it what is meant. */
const send = (
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<{ readonly status: number; readonly said: string }> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new NoAnswer(url, error));
    (url.protocol === "https:" ? https : http)
      .request(url, { method, headers, timeout: patienceMs, agent: false }, (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, said }), failed);
      })
      .on("timeout", function (this: http.ClientRequest) {
        this.destroy(new Error("no answer in 30 s"));
      })
      .on("error", failed)
      .end(body);
  });

/** Codes of the local edge and of a front, where control is not there to answer. */
const notOfControl: ReadonlySet<string> = new Set([
  "address-unrouted" satisfies keyof typeof edgeCodes,
  "not-deployed" satisfies keyof typeof edgeCodes,
  "host-unknown" satisfies keyof typeof gatewayCodes,
]);

const detailOf = (said: string): string | undefined => {
  try {
    const { code = "", title, detail } = JSON.parse(said) as Partial<Record<"code" | "title" | "detail", string>>;
    return notOfControl.has(code) ? undefined : (detail ?? title);
  } catch {
    return undefined;
  }
};
