/** Authenticates operators by their tokens (EdDSA JWT, valid for at most five minutes). Names, keys and roles come from the control plan. */
import { decodeProtectedHeader, importJWK } from "jose";
import { clockToleranceSeconds, verifyShortToken } from "../../gateway/identity/short-token.ts";
import type { ControlPlan, Role } from "../model/plan.ts";

export const controlAudience = "postern-control";
/** The longest lifetime of an operator's token, in seconds. */
export const maxTokenSeconds = 300;
const maxTokenChars = 2048;

export interface AuthenticatedOperator {
  readonly name: string;
  readonly role: Role;
  /** The public key that verified the token. */
  readonly key: string;
  /** The token's `jti`, and when it has expired by every clock, in milliseconds since the epoch. */
  readonly token: { readonly id: string | undefined; readonly until: number };
}

const maxTokenIdChars = 100;

const ranks: readonly Role[] = ["viewer", "operator", "admin"];

export const hasRole = ({ role }: Pick<AuthenticatedOperator, "role">, required: Role): boolean =>
  ranks.indexOf(role) >= ranks.indexOf(required);

/**
 * @param environment must be the one that the token names
 * @returns undefined if the token is missing or invalid; the reason is not disclosed
 */
export const authenticate = async (
  authorization: string | null,
  { operators, environment }: Pick<ControlPlan, "operators" | "environment">,
  now: number,
): Promise<AuthenticatedOperator | undefined> => {
  const [, token] = /^Bearer ([\w.-]+)$/.exec(authorization ?? "") ?? [];
  if (token === undefined || token.length > maxTokenChars) return undefined;
  try {
    const { kid: name = "" } = decodeProtectedHeader(token);
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (!operator) return undefined;
    const key = await importJWK({ kty: "OKP", crv: "Ed25519", x: operator.key }, "EdDSA");
    const purpose = { audience: controlAudience, environment, lifeSeconds: maxTokenSeconds, subject: name };
    const { exp, jti } = await verifyShortToken(token, key, purpose, now);
    const id = typeof jti === "string" && jti !== "" && jti.length <= maxTokenIdChars ? jti : undefined;
    return { ...operator, name, token: { id, until: (exp + clockToleranceSeconds) * 1000 } };
  } catch {
    return undefined;
  }
};
