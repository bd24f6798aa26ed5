/** Writes credentials into a request, as the filters that they are for have it. */
import type { Present, Presented, Sending } from "../../../functions/gateway/hooks/credentials.ts";
import type { Credential } from "../input/batch.ts";

/** By filter. */
export type Presenters = Readonly<Record<string, Present>>;

/** @param credentials in the order in which they are written; what covers the request is last */
export const presented = async (
  original: Request,
  credentials: readonly Credential[],
  present: Presenters,
  sending: Omit<Sending, "request">,
): Promise<Request> => {
  let request = original;
  for (const { use, value } of credentials) {
    const write = present[use];
    const { headers = {}, url } = write ? await write(value, { ...sending, request }) : (value as Presented);
    if (url !== undefined) request = new Request(url, request);
    for (const [name, encoder] of Object.entries(headers)) request.headers.set(name, encoder);
  }
  return request;
};
