/** API tokens of the user and of the account: created with permission groups, shown without their values, verified, revoked. */
import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { ApiError, apiErrors } from "../account/api-errors.ts";
import { permissionGroups, permissionNameOf } from "../account/permission-groups.ts";
import { type ApiToken, hashOfToken, tokenStatus } from "../account/tokens.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, page, parseBody } from "./envelope.ts";
import { callerOf } from "./permissions.ts";

const tokenInput = z.strictObject({
  name: z.string().min(1).max(120),
  expires_on: z.iso.datetime().optional(),
  policies: z
    .array(
      z.strictObject({
        effect: z.literal("allow"),
        resources: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
        permission_groups: z
          .array(z.looseObject({ id: z.string().refine((id) => permissionNameOf(id) !== undefined, "no such group") }))
          .min(1),
      }),
    )
    .min(1)
    .max(50),
});

/** The platform's own limit of a user. */
const maxTokens = 50;

/** Under `/user/tokens`, or `/accounts/:account/tokens`. */
export const tokens = (control: AccountControl, owner: ApiToken["owner"]) => {
  const all = () => control.account().tokens ?? [];
  const owned = () => all().filter((it) => it.owner === owner);
  const find = (id: string): ApiToken => {
    const found = owned().find((it) => it.id === id);
    if (!found) throw apiErrors.noSuchToken();
    return found;
  };
  return new Hono()
    .get("/permission_groups", (c) => ok(c, page(c, groupViews)))
    .get("/verify", (c) => verify(c, owner))
    .get("/", (c) => ok(c, page(c, owned().map(tokenView))))
    .get("/:id", (c) => ok(c, tokenView(c.req.param("id") === ownToken.id ? ownToken : find(c.req.param("id")))))
    .post("/", async (c) => {
      const { name, expires_on: expiresOn, policies } = await parseBody(c, tokenInput);
      if (all().length >= maxTokens) throw new ApiError(400, 1001, `an account has ${maxTokens} tokens at most`);
      const value = randomBytes(30).toString("base64url");
      const token: ApiToken = {
        ...{ id: randomBytes(16).toString("hex"), name, hash: hashOfToken(value), owner },
        issuedOn: new Date().toISOString(),
        ...(expiresOn !== undefined && { expiresOn }),
        policies: policies.map((it) => ({ ...it, permission_groups: it.permission_groups.map(({ id }) => ({ id })) })),
      };
      await control.setTokens([...all(), token]);
      return ok(c, { ...tokenView(token), value });
    })
    .delete("/:id", async (c) => {
      const { id } = find(c.req.param("id"));
      await control.setTokens(all().filter((it) => it.id !== id));
      return ok(c, { id });
    });
};

/** The local cloud's own token, which may do everything. */
const ownToken: ApiToken = {
  ...{ id: "t", name: "of the local cloud", hash: "", owner: "user", issuedOn: "2026-01-01T00:00:00Z" },
  policies: [
    {
      effect: "allow",
      resources: Object.fromEntries(
        ["user", "account", "account.zone"].map((it) => [`com.cloudflare.api.${it}.*`, "*"]),
      ),
      permission_groups: Object.values(permissionGroups).map(({ id }) => ({ id })),
    },
  ],
};

/** The local cloud's own token is the user's and the account's. */
const verify = (c: Context, owner: ApiToken["owner"]) => {
  const caller = callerOf(c);
  if (caller && caller.owner !== owner) throw apiErrors.unknownToken();
  const state = caller
    ? { id: caller.id, status: tokenStatus(caller), ...(caller.expiresOn && { expires_on: caller.expiresOn }) }
    : { id: ownToken.id, status: "active" };
  return ok(c, state);
};

const groupViews = Object.entries(permissionGroups).map(([name, { id, scope }]) => ({
  id,
  name,
  scopes: [`com.cloudflare.api.${scope === "zone" ? "account.zone" : scope}`],
}));

const tokenView = (token: ApiToken) => ({
  id: token.id,
  name: token.name,
  status: tokenStatus(token),
  issued_on: token.issuedOn,
  ...(token.expiresOn !== undefined && { expires_on: token.expiresOn }),
  policies: token.policies.map((it) => ({
    ...it,
    permission_groups: it.permission_groups.map(({ id }) => ({ id, name: permissionNameOf(id) })),
  })),
});
