// Written by `npm run gen`: every filter there is. Only tools and tests import this.
import type { FilterModule } from "../gateway/part.ts";
import * as access from "./access.ts";
import * as apiKey from "./api-key.ts";
import * as bodyLimit from "./body-limit.ts";
import * as cors from "./cors.ts";
import * as csrf from "./csrf.ts";
import * as headers from "./headers.ts";
import * as ip from "./ip.ts";
import * as jwt from "./jwt.ts";
import * as mirror from "./mirror.ts";
import * as rateLimit from "./rate-limit.ts";
import * as redirect from "./redirect.ts";
import * as respond from "./respond.ts";
import * as rewrite from "./rewrite.ts";
import * as secureHeaders from "./secure-headers.ts";
import * as signature from "./signature.ts";
import * as timeout from "./timeout.ts";
import * as validate from "./validate.ts";

export const filters: Readonly<Record<string, FilterModule>> = {
  access,
  "api-key": apiKey,
  "body-limit": bodyLimit,
  cors,
  csrf,
  headers,
  ip,
  jwt,
  mirror,
  "rate-limit": rateLimit,
  redirect,
  respond,
  rewrite,
  "secure-headers": secureHeaders,
  signature,
  timeout,
  validate,
};
