// Written by `npm run gen`: every upstream there is. Only tools and tests import this.
import type { UpstreamModule } from "../gateway/part.ts";
import * as http from "./http.ts";
import * as respond from "./respond.ts";
import * as worker from "./worker.ts";

export const upstreams: Readonly<Record<string, UpstreamModule>> = {
  http,
  respond,
  worker,
};
