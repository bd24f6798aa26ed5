/** The part of Cloudflare's REST API that wrangler uses: strict, and what it does not know is a 404 that the log shows. */
import { Hono } from "hono";
import { accountId } from "../account/access.ts";
import { ApiError, apiErrors, WorkerStartupError } from "../account/api-errors.ts";
import { maxFormBytes } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import type { Tails } from "../control/tails.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { content } from "./content.ts";
import { ok, page } from "./envelope.ts";
import { kv } from "./kv.ts";
import { scripts } from "./scripts.ts";
import { secrets } from "./secrets.ts";
import { unsupportedRoutes, unsupportedZoneRoutes } from "./unsupported.ts";
import { versions } from "./versions.ts";
import { objectsView } from "./views.ts";
import { zones } from "./zones.ts";

/** A call that was made, as the log shows it. */
export interface ApiCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
  /** No route is for it. */
  readonly unknown: boolean;
  readonly code?: number;
}

export interface ApiOptions {
  readonly control: AccountControl;
  readonly fleet: Fleet;
  readonly tails: Tails;
  readonly token: string;
  readonly onCall: (call: ApiCall) => void;
}

export const createApi = ({ control, fleet, tails, token, onCall }: ApiOptions) => {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    const url = new URL(c.req.url);
    const code = c.get("code" as never) as number | undefined;
    onCall({
      method: c.req.method,
      target: url.pathname.replace(/^\/client\/v4/, "") + url.search,
      status: c.res.status,
      unknown: code === 7003,
      ...(code !== undefined && { code }),
    });
  });
  app.use(async (c, next) => {
    const header = c.req.header("authorization");
    if (header === undefined) throw apiErrors.noToken();
    if (header !== `Bearer ${token}`) throw apiErrors.badToken();
    if (Number(c.req.header("content-length") ?? 0) > maxFormBytes) throw apiErrors.tooLarge("The request", "65 MiB");
    return next();
  });
  app.onError((error, c) => {
    const apiError = toApiError(error);
    c.set("code" as never, apiError.code as never);
    return c.json(
      { success: false, errors: [{ code: apiError.code, message: apiError.message }], messages: [], result: null },
      apiError.status,
    );
  });
  app.notFound((c) => {
    throw apiErrors.unknownRoute(c.req.method, new URL(c.req.url).pathname);
  });

  app.get("/user", (c) => ok(c, { id: "u", email: "you@localhost" }));
  app.get("/user/tokens/verify", (c) => ok(c, { id: "t", status: "active" }));
  app.get("/memberships", (c) => ok(c, page(c, [{ id: "m", account: { id: accountId, name: "local cloud" } }])));
  app.get("/accounts", (c) => ok(c, page(c, [accountView])));
  app.route("/zones", zones(control));
  app.route("/zones", unsupportedZoneRoutes());
  app.get("/accounts/:account", (c) => ok(c, accountView));
  // Of a token that is the account's, and no person's.
  app.get("/accounts/:account/tokens/verify", (c) => ok(c, { id: "t", status: "active" }));

  const account = new Hono();
  account.get("/workers/durable_objects/namespaces", (c) => ok(c, page(c, objectsView(control.account()))));
  account.get("/workers/scripts/:name/tails", (c) =>
    ok(
      c,
      tails
        .forWorker(control.worker(c.req.param("name")).name)
        .map(({ id, expiresAt }) => ({ id, expires_at: expiresAt })),
    ),
  );
  account.post("/workers/scripts/:name/tails", async (c) => {
    const { id, expiresAt } = tails.open(control.worker(c.req.param("name")).name);
    await control.refresh();
    return ok(c, { id, url: `ws://${new URL(c.req.url).host}/tails/${id}`, expires_at: expiresAt });
  });
  account.delete("/workers/scripts/:name/tails/:id", async (c) => {
    tails.remove(c.req.param("id"));
    await control.refresh();
    return ok(c, null);
  });
  account.route("/workers", secrets(control));
  account.route("/workers", scripts(control));
  account.route("/workers/scripts", versions(control));
  account.route("/workers/scripts", content(control));
  account.route("/storage/kv/namespaces", kv(control, fleet.kv));
  account.route("/", unsupportedRoutes());
  app.route("/accounts/:account", account);
  return app;
};

const toApiError = (error: Error): ApiError => {
  if (error instanceof ApiError) return error;
  if (error instanceof WorkerStartupError) return apiErrors.startupFailed([...error.reasons.values()][0] ?? "Error");
  return new ApiError(500, 10013, `workers.api.error.unknown: ${error.message}`);
};

const accountView = { id: accountId, name: "local cloud", type: "standard", settings: {} };
