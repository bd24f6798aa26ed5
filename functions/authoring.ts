/**
 * `postern/filter`: what people import who write filters and upstreams. Everything here stays compatible within a version of
 * the manifest language; other modules may change with any release. It has no effect when it is loaded, so that a gate holds
 * only what its parts use: no schema, no hook.
 */

export {
  Body,
  BodyLimit,
  Claims,
  Consumer,
  type ConsumerFact,
  getFact,
  setFact,
  Target,
} from "./gateway/core/facts.ts";
export {
  type Codes,
  Fault,
  type ProblemOptions,
  type ProblemType,
  refuse,
  upstreamCodes,
} from "./gateway/core/problems.ts";
export { bytes, milliseconds, requestsPerWindow, share } from "./gateway/core/quantities.ts";
export { secretOf } from "./gateway/core/secrets.ts";
export type {
  Caller,
  Context,
  Deps,
  Fact,
  FilterInstance,
  Guard,
  Handler,
  HeaderEdit,
  Layer,
} from "./gateway/core/types.ts";
export type { AuditRule, PartFinding } from "./gateway/hooks/audit.ts";
export type { Credentials, Present, Presented, Sending } from "./gateway/hooks/credentials.ts";
export {
  type Binding,
  type Config,
  defineFilter,
  defineUpstream,
  type FilterModule,
  type FilterSpec,
  type Phase,
  type UpstreamModule,
  type UpstreamSpec,
} from "./gateway/part.ts";
export { send, type Transport, targetOf } from "./gateway/proxy/send.ts";
export { freeHeaderName, headerName, host, name } from "./manifest/names.ts";
export { duration, percent, rate, size } from "./manifest/quantities.ts";
export { secret } from "./manifest/secret.ts";
