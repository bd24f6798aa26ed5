/** The part of Cloudflare's REST API that wrangler uses. An unknown path is a 404, which the log shows. */
import { Hono, type MiddlewareHandler } from "hono";
import { accountId } from "../account/access.ts";
import { ApiError, apiErrors, WorkerStartupError } from "../account/api-errors.ts";
import { maxFormBytes } from "../account/upload.ts";
import type { AccountControl } from "../control/account-control.ts";
import type { Tails } from "../control/tails.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { content } from "./content.ts";
import { ok, page } from "./envelope.ts";
import { kv } from "./kv.ts";
import { authorize } from "./permissions.ts";
import { rulesets } from "./rulesets.ts";
import { scriptAddresses } from "./script-addresses.ts";
import { scriptSettings } from "./script-settings.ts";
import { scripts } from "./scripts.ts";
import { secrets } from "./secrets.ts";
import { tailRoutes } from "./tails.ts";
import { tokens } from "./tokens.ts";
import { unsupportedRoutes, unsupportedZoneRoutes } from "./unsupported.ts";
import { versions } from "./versions.ts";
import { objectsView } from "./views.ts";
import { zones } from "./zones.ts";

/** A call as the log shows it. */
export interface ApiCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
  /** Whether no route is for it. */
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

export const createApi = (options: ApiOptions) => {
  const { control, fleet, tails, token, onCall } = options;
  const app = new Hono();
  app.use(reportCalls(onCall));
  app.use(authorize(token, control.account));
  app.use(limitBody);
  app.onError((error, c) => {
    const { code, message, status } = toApiError(error);
    c.set("code" as never, code as never);
    return c.json({ success: false, errors: [{ code, message }], messages: [], result: null }, status);
  });
  app.notFound((c) => {
    throw apiErrors.unknownRoute(c.req.method, new URL(c.req.url).pathname);
  });
  app.route("/", identity());
  app.route("/user/tokens", tokens(control, "user"));
  app.route("/accounts/:account/tokens", tokens(control, "account"));
  app.route("/zones", zones(control));
  app.route("/zones", rulesets(control));
  app.route("/zones", unsupportedZoneRoutes());
  const account = new Hono()
    .get("/workers/durable_objects/namespaces", (c) => ok(c, page(c, objectsView(control.account()))))
    .route("/workers/scripts", tailRoutes(control, tails))
    .route("/workers", secrets(control))
    .route("/workers", scripts(control))
    .route("/workers", scriptSettings(control))
    .route("/workers", scriptAddresses(control))
    .route("/workers/scripts", versions(control))
    .route("/workers/scripts", content(control))
    .route("/storage/kv/namespaces", kv(control, fleet.kv))
    .route("/", unsupportedRoutes());
  app.route("/accounts/:account", account);
  return app;
};

const reportCalls =
  (onCall: ApiOptions["onCall"]): MiddlewareHandler =>
  async (c, next) => {
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
  };

const limitBody: MiddlewareHandler = async (c, next) => {
  if (Number(c.req.header("content-length") ?? 0) > maxFormBytes) throw apiErrors.tooLarge("The request", "65 MiB");
  return next();
};

/** The caller, and the one account. */
const identity = () =>
  new Hono()
    .get("/user", (c) => ok(c, { id: "u", email: "you@localhost" }))
    .get("/memberships", (c) => ok(c, page(c, [{ id: "m", account: { id: accountId, name: "local cloud" } }])))
    .get("/accounts", (c) => ok(c, page(c, [accountView])))
    .get("/accounts/:account", (c) => ok(c, accountView))
    .get("/accounts/:account/subscriptions", (c) => ok(c, page(c, [subscription])));

const toApiError = (error: Error): ApiError => {
  if (error instanceof ApiError) return error;
  if (error instanceof WorkerStartupError) return apiErrors.startupFailed([...error.reasons.values()][0] ?? "Error");
  return new ApiError(500, 10013, `workers.api.error.unknown: ${error.message}`);
};

/** Of the plan whose limits the local cloud has. */
const subscription = { id: "s", state: "Paid", rate_plan: { id: "workers_paid", public_name: "Workers Paid" } };

const accountView = { id: accountId, name: "local cloud", type: "standard", settings: {} };
