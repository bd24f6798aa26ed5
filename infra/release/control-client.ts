/** The client of control's admin API: signs an operator's token for each call, and says well what was refused. */
import { randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { importJWK, SignJWT } from "jose";
import { controlAudience, maxTokenSeconds } from "../../functions/control/api/operators.ts";
import type { gatewayCodes } from "../../functions/gateway/core/problems.ts";
import type { Environment } from "../../functions/manifest/environment.ts";
import type { edgeCodes } from "../cloud/ingress/refusals.ts";
import { compile } from "../compiler/compile.ts";
import type { NamedFile } from "../compiler/model/checked.ts";
import { toOneLine } from "../terminal/terminal.ts";
import { NoAnswer } from "./api.ts";
import { localSecrets } from "./secrets.ts";
import { environmentFor, type Target, targetOf } from "./target.ts";

export interface ControlClient {
  /** @throws DeskFault */
  readonly call: <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<T>;
  /** Who asks. */
  readonly operator: string;
  /** For who asks control by other means: as long as control lets one live. */
  readonly token: () => Promise<string>;
}

export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: number;
  constructor(status: number, message: string) {
    super(toOneLine(message));
    this.status = status;
  }
}

/** As a command line says it. @throws as `deskOf` does */
export const controlClientFor = ({ root, target, env, as }: ControlClientOptions): ControlClient => {
  const at = targetOf(target);
  return controlClient(root, compile(root, environmentFor(at, env)).environment, at, as);
};

export interface ControlClientOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string;
  readonly as?: string | undefined;
}

const tokenSeconds = 60;
const timeoutMs = 30_000;

/**
 * @param as the operator's name; without it POSTERN_OPERATOR, else the first whose key is here
 * @throws where the environment has no control, or nobody's key is here
 */
export const controlClient = (
  root: string,
  { name: env, value, file }: NamedFile<Environment>,
  target: Target,
  as: string | undefined = process.env.POSTERN_OPERATOR,
): ControlClient => {
  const { control, dev } = value;
  if (!control)
    throw new Error(`${file} has no \`control:\`, so there is nobody to ask; docs/gray-release.md says what it needs`);
  const keys = { ...localSecrets(root, env, dev.secrets), ...process.env };
  const names = Object.keys(control.operators);
  const operator = as ?? names.find((name) => keys[keyVariable(name)] !== undefined);
  if (operator === undefined || !names.includes(operator))
    throw new Error(`no operator "${operator ?? ""}"; there are ${names.join(", ")}: --as <name>`);
  const key = keys[keyVariable(operator)];
  if (key === undefined)
    throw new Error(`the key of ${operator} is not here: put the JWK of the private key into ${keyVariable(operator)}`);
  const base = target.name === "local" && control.front ? control.front : `https://${control.host}`;
  return {
    operator,
    token: () => signToken(operator, key, env, maxTokenSeconds),
    call: async (method, path, body) => {
      const headers = {
        host: control.host,
        authorization: `Bearer ${await signToken(operator, key, env, tokenSeconds)}`,
        ...(body && { "content-type": "application/json" }),
      };
      const { status, answer: said } = await sendRequest(
        new URL(path, base),
        method,
        headers,
        body && JSON.stringify(body),
      );
      if (status < 300)
        return (said.startsWith("{") || said.startsWith("[") || said === "null" ? JSON.parse(said) : said) as never;
      throw new ControlError(
        status,
        detailOf(said) ?? `${base} answered ${status}: is control deployed? npx postern deploy control`,
      );
    },
  };
};

const keyVariable = (operator: string): string => `OPERATOR_${operator.toUpperCase().replaceAll("-", "_")}`;

const signToken = async (operator: string, key: string, env: string, seconds: number): Promise<string> => {
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
const sendRequest = (
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<{ readonly status: number; readonly answer: string }> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new NoAnswer(url, error));
    (url.protocol === "https:" ? https : http)
      .request(url, { method, headers, timeout: timeoutMs, agent: false }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), failed);
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

const detailOf = (body: string): string | undefined => {
  try {
    const { code = "", title, detail } = JSON.parse(body) as Partial<Record<"code" | "title" | "detail", string>>;
    return notOfControl.has(code) ? undefined : (detail ?? title);
  } catch {
    return undefined;
  }
};
