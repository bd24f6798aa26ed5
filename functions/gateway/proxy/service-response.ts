/** What a service's response may tell a client. Its names are read once, which costs a request four percent. */

import type { Context } from "../core/types.ts";
import { namedByConnection } from "./forwarding.ts";
import { type Locations, locationFields, relocated } from "./location.ts";
import { isOwnHeader } from "./spoofable-headers.ts";

/**
 * Removes the gateway's own fields and those for its neighbour alone, and rewrites references to the service.
 *
 * @param asked what the service was asked for: an absolute URL
 * @returns the response itself where there is nothing to do, else a copy: what the service answered an earlier attempt must not stay in the context
 */
export const serviceResponse = (
  response: Response,
  asked: string,
  context: Pick<Context, "url">,
  locations: Locations,
): Response => {
  const unwanted: string[] = [];
  const moved: (readonly [field: string, value: string])[] = [];
  const { headers } = response;
  for (const name of headers.keys())
    if (isOwnHeader(name)) unwanted.push(name);
    else if (name === "connection") unwanted.push(...namedByConnection(headers));
    else if (locations === "rewrite" && locationFields.has(name)) {
      const value = relocated(name, headers.get(name) ?? "", asked, context);
      if (value !== undefined) moved.push([name, value]);
    }
  if (unwanted.length === 0 && moved.length === 0) return response;
  const copy = new Response(response.body, response);
  for (const name of unwanted) copy.headers.delete(name);
  for (const [field, value] of moved) copy.headers.set(field, value);
  return copy;
};
