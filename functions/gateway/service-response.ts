/** What a service's response may tell a client. Its names are read once, which costs a request four percent. */
import { removeNamed } from "./hop.ts";
import { type Locations, locationFields, relocated } from "./location.ts";
import { isOwnHeader } from "./spoofable-headers.ts";
import type { Context } from "./types.ts";

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
  const own: string[] = [];
  const moved: (readonly [field: string, value: string])[] = [];
  let hasConnection = false;
  const { headers } = response;
  for (const name of headers.keys())
    if (isOwnHeader(name)) own.push(name);
    else if (name === "connection") hasConnection = true;
    else if (locations === "rewrite" && locationFields.has(name)) {
      const value = relocated(name, headers.get(name) ?? "", asked, context);
      if (value !== undefined) moved.push([name, value]);
    }
  if (own.length === 0 && moved.length === 0 && !hasConnection) return response;
  const copy = new Response(response.body, response);
  if (hasConnection) removeNamed(copy.headers);
  for (const name of own) copy.headers.delete(name);
  for (const [field, value] of moved) copy.headers.set(field, value);
  return copy;
};
