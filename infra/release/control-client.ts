/** The client of control's admin API: signs an operator's token for each call, and turns problems into errors. */

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
import { keyFile, privateKeyText } from "../project/key-pairs.ts";
import { docsPage } from "../project/project.ts";
import { toOneLine } from "../terminal/terminal.ts";
import { NoAnswer } from "./api.ts";
import { defaultEdge } from "./at-target.ts";
import { operatorPurpose, operatorVariable } from "./control-keys.ts";
import { localSecrets } from "./secrets.ts";
import { environmentFor, type Target, targetOf } from "./target.ts";

export interface ControlClient {
  /** @throws ControlError */
  readonly call: <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<T>;
  /** The operator's name. */
  readonly operator: string;
  /** A token for other clients, with the longest lifetime that control accepts. */
  readonly token: () => Promise<string>;
}

export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: number;
  /** Control itself has not answered, but what stands ahead of it. */
  readonly isOfEdge: boolean;
  constructor(status: number, message: string, isOfEdge = false) {
    super(toOneLine(message));
    this.status = status;
    this.isOfEdge = isOfEdge;
  }
}

/** The client for a command's options. @throws as `controlClient` does */
export const controlClientFor = ({ root, target, env, as }: ControlClientOptions): ControlClient => {
  const at = targetOf(target);
  return controlClient(root, compile(root, environmentFor(at, env)).environment, at, as);
};

export interface ControlClientOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly target: string | Target;
  readonly as?: string | undefined;
}

const tokenSeconds = 60;
const defaultTimeoutMs = 30_000;

/**
 * @param as the operator's name; default: POSTERN_OPERATOR, else the first operator whose key is available
 * @param timeoutMs how long a call waits for each part of its answer
 * @throws if the environment has no control plane, or no key is available
 */
export const controlClient = (
  root: string,
  { name: env, value, file }: NamedFile<Environment>,
  target: Target,
  as: string | undefined = process.env.POSTERN_OPERATOR,
  timeoutMs = defaultTimeoutMs,
): ControlClient => {
  const { control, dev } = value;
  if (!control)
    throw new Error(
      `${file} has no \`control:\`; npx postern control init --env ${env} makes it, and ${docsPage("docs/gray-release.md")} describes the control plane`,
    );
  const keys = { ...localSecrets(root, env, dev.secrets), ...process.env };
  const names = Object.keys(control.operators);
  const keyOf = (name: string) => keys[operatorVariable(name)] ?? privateKeyText(root, env, operatorPurpose(name));
  const operator = as ?? names.find((name) => keyOf(name) !== undefined);
  if (operator === undefined || !names.includes(operator))
    throw new Error(`no operator "${operator ?? ""}"; operators are ${names.join(", ")}: --as <name>`);
  const key = keyOf(operator);
  if (key === undefined)
    throw new Error(
      `the key of ${operator} is missing: put the JWK of the private key into ${operatorVariable(operator)}, or into ${keyFile(env, operatorPurpose(operator))}`,
    );
  const base = target.name === "local" ? (control.front ?? defaultEdge) : `https://${control.host}`;
  return {
    operator,
    token: () => signToken(operator, key, env, maxTokenSeconds),
    call: async (method, path, body) => {
      const headers = {
        host: control.host,
        authorization: `Bearer ${await signToken(operator, key, env, tokenSeconds)}`,
        ...(body && { "content-type": "application/json" }),
      };
      const request = { method, headers, timeout: timeoutMs };
      const { status, answer } = await sendRequest(new URL(path, base), request, body && JSON.stringify(body));
      if (status < 300)
        return (
          answer.startsWith("{") || answer.startsWith("[") || answer === "null" ? JSON.parse(answer) : answer
        ) as never;
      const { detail, isOfEdge } = problemIn(answer);
      if (status === 401 && !isOfEdge) throw new ControlError(status, refusedKey(operator, file));
      throw new ControlError(
        status,
        detail ?? `${base} answered ${status}: is control deployed? npx postern deploy control`,
        isOfEdge,
      );
    },
  };
};

const refusedKey = (operator: string, file: string): string =>
  `control does not accept the token of ${operator}: the key in ${file} has to be deployed (npx postern deploy control), its private half has to be here, and this computer's clock has to be right`;

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

/** Uses node:http, because `fetch` sets the Host header itself, and a local cloud selects the Worker by it. */
const sendRequest = (
  url: URL,
  request: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly timeout: number },
  body: string | undefined,
): Promise<{ readonly status: number; readonly answer: string }> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new NoAnswer(url, error));
    (url.protocol === "https:" ? https : http)
      .request(url, { ...request, agent: false }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), failed);
      })
      .on("timeout", function (this: http.ClientRequest) {
        this.destroy(new Error(`no answer in ${request.timeout / 1000} s`));
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

const problemIn = (body: string): { readonly detail?: string | undefined; readonly isOfEdge: boolean } => {
  try {
    const { code = "", title, detail } = JSON.parse(body) as Partial<Record<"code" | "title" | "detail", string>>;
    return notOfControl.has(code) ? { isOfEdge: true } : { detail: detail ?? title, isOfEdge: false };
  } catch {
    return { isOfEdge: false };
  }
};
