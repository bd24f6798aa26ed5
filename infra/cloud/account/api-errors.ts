/** Errors of the platform's API: an HTTP status, a code that wrangler knows, and a message. */
import type { ContentfulStatusCode } from "hono/utils/http-status";

export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: number;
  constructor(status: ContentfulStatusCode, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Workers that the runtime refuses to start: name → reason. */
export class WorkerStartupError extends Error {
  readonly reasons: ReadonlyMap<string, string>;
  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons].map(([worker, reason]) => `${worker}: ${reason}`).join("\n"));
    this.reasons = reasons;
  }
}

/** All errors. The messages are the platform's own where they are known. */
export const apiErrors = {
  noToken: () => new ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
  /** Also where a valid token lacks the permission: Workers and the products of zones do not tell the two apart. */
  badToken: () => new ApiError(403, 10000, "Authentication error"),
  /** The same of the user, accounts, zones and tokens. */
  forbidden: () => new ApiError(403, 9109, "Unauthorized to access requested resource"),
  unknownToken: () => new ApiError(401, 1000, "Invalid API Token"),
  noSuchToken: () => new ApiError(404, 1003, "API token not found"),
  noRecord: () => new ApiError(404, 81044, "Record does not exist."),
  unknownRoute: (method: string, path: string) =>
    new ApiError(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid? (${method})`),
  malformed: (why: string) => new ApiError(400, 10001, `Unable to parse the request: ${why}`),
  tooLarge: (what: string, limit: string) => new ApiError(413, 10027, `${what} exceeds the limit of ${limit}`),
  noWorker: () => new ApiError(404, 10007, "This Worker does not exist on your account."),
  badName: (name: string) =>
    new ApiError(
      400,
      10016,
      `invalid script name "${name}": lower case letters, digits, - and _, at most 63 characters`,
    ),
  referenced: (name: string, users: readonly string[]) =>
    new ApiError(
      400,
      10064,
      `Cannot delete ${name}: it is still referenced by ${users.join(", ")}. Use force to delete it all the same.`,
    ),
  noVersion: (id: string) =>
    new ApiError(
      404,
      100146,
      `The requested Worker version could not be found, please check the ID being passed and try again. (${id})`,
    ),
  noDeployment: (id: string) =>
    new ApiError(404, 10336, `The requested deployment ${id} does not exist on this Worker.`),
  noModule: (name: string) => new ApiError(400, 10021, `No such module "${name}" in the upload.`),
  badModule: (name: string, type: string) =>
    new ApiError(400, 10021, `The module "${name}" has a type that is not supported: ${type || "(none)"}`),
  startupFailed: (reason: string) => new ApiError(400, 10021, `Uncaught ${reason}`),
  futureDate: (date: string) => new ApiError(400, 10021, `Can't set compatibility date in the future: "${date}"`),
  unsupportedDate: (date: string, latest: string) =>
    new ApiError(400, 10021, `The local cloud's runtime knows no compatibility date after "${latest}": "${date}"`),
  badBinding: (name: string, why: string) => new ApiError(400, 10021, `binding ${name}: ${why}`),
  duplicateBinding: (name: string) =>
    new ApiError(400, 10021, `Binding name '${name}' already in use. Please use a different name and try again.`),
  notInherited: (name: string) =>
    new ApiError(400, 10057, `inherit binding '${name}' is invalid: the previous version has none of that name`),
  namespaceNotFound: (id: string) => new ApiError(400, 10041, `KV namespace '${id}' not found.`),
  noService: (binding: string, target: string) =>
    new ApiError(
      400,
      10143,
      `Service binding '${binding}' references Worker '${target}' which was not found. Verify the Worker exists in your account and that the service name in your configuration is correct.`,
    ),
  noClass: (className: string) =>
    new ApiError(
      400,
      10061,
      `Cannot create binding for class '${className}' because it is not currently configured to implement Durable Objects. Ensure a --new-class migration has been applied to it.`,
    ),
  classNotExported: (className: string) =>
    new ApiError(
      400,
      10070,
      `Cannot apply new-class migration to class '${className}' that is not exported by script.`,
    ),
  classDropped: (className: string) =>
    new ApiError(
      400,
      10064,
      `New version of script does not export class '${className}' which is depended on by existing Durable Objects. If you want to delete the object's storage, use a delete-class migration.`,
    ),
  migrationInVersion: () =>
    new ApiError(
      400,
      10211,
      "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied by running the deploy command.",
    ),
  badMigration: (why: string) => new ApiError(400, 10074, why),
  badSplit: (why: string) => new ApiError(400, 10001, why),
  secretChanged: (names: readonly string[]) =>
    new ApiError(
      400,
      10220,
      // Wrangler parses the names behind the beginning of this sentence.
      `The following secrets have changed: ${names.join(", ")}`,
    ),
  latestNotDeployed: (what: "secret" | "setting" = "secret") =>
    new ApiError(
      400,
      10215,
      `${what === "secret" ? "Secret" : "Settings"} edit failed. You attempted to modify a ${what}, but the latest version of your Worker isn't currently deployed. Please ensure that the latest version of your Worker is fully deployed before modifying ${what}s.`,
    ),
  noSecret: (name: string) => new ApiError(404, 10056, `Binding '${name}' not found.`),
  noNamespace: () => new ApiError(404, 10013, "namespace not found"),
  titleTaken: (title: string) =>
    new ApiError(400, 10014, `a namespace with this account ID and title already exists ("${title}")`),
  noKey: () => new ApiError(404, 10009, "key not found"),
  badKey: (why: string) => new ApiError(400, 10026, why),
  noRoute: (id: string) => new ApiError(404, 10009, `There is no route ${id} in this zone.`),
  noZone: (id: string, pattern?: string) =>
    new ApiError(
      404,
      1049,
      pattern === undefined
        ? `No zone of the id ${id} has been looked up; zones are found by their name, GET /zones?name=`
        : `The pattern ${pattern} is in no zone of the id ${id}; zones are found by their name, GET /zones?name=`,
    ),
  noRuleset: () =>
    new ApiError(404, 10003, "could not find entrypoint ruleset in the http_request_late_transform phase"),
  routeTaken: (pattern: string, worker: string) =>
    new ApiError(
      409,
      10020,
      `Can't deploy a route that is already assigned to another Worker: ${pattern} is ${worker}'s`,
    ),
  /** Wrangler and the SDK would retry a 501. */
  unsupported: (what: string) =>
    new ApiError(400, 10400, `${what}: the local cloud does not do this; nothing was changed`),
} as const;
