/** Calls the local cloud's API directly, also in ways that wrangler never does. */
import http from "node:http";
import { accountId } from "../../infra/cloud/account/access.ts";
import type { Cloud } from "../../infra/cloud/cloud.ts";

export interface ApiRequest {
  readonly method?: string;
  /** Under the account, as it goes over the wire; a path that begins with `//` is not under it. */
  readonly path: string;
  readonly body?: string | Uint8Array | FormData | object;
  /** undefined takes one away. */
  readonly headers?: http.OutgoingHttpHeaders;
}

export interface ApiReply {
  readonly status: number;
  readonly code: number | undefined;
  readonly message: string;
  readonly result: unknown;
}

/** `fetch` would tidy the path. */
export const callApi = async (
  { api, token }: Cloud,
  { method = "GET", path, body, headers }: ApiRequest,
): Promise<ApiReply> => {
  const form = body instanceof FormData ? new Response(body) : undefined;
  const bytes =
    form !== undefined
      ? new Uint8Array(await form.arrayBuffer())
      : typeof body === "string" || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
  const { hostname, port } = new URL(api);
  const all = {
    authorization: `Bearer ${token}`,
    "content-type": form?.headers.get("content-type") ?? "",
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        hostname,
        port,
        method,
        // A connection that stays may be closed by the server in the moment in which the next call takes it.
        agent: false,
        path: path.startsWith("//") ? path.slice(1) : `/accounts/${accountId}${path}`,
        headers: Object.fromEntries(Object.entries(all).filter(([, it]) => it !== undefined)),
      },
      async (answer) => {
        let text = "";
        for await (const part of answer) text += part;
        const { errors, result } = text.startsWith("{") ? JSON.parse(text) : { errors: [], result: text };
        resolve({
          status: answer.statusCode ?? 0,
          code: errors[0]?.code,
          message: errors[0]?.message ?? "",
          result,
        });
      },
    );
    request.on("error", reject).end(bytes);
  });
};

export const putRequest = (path: string, body: NonNullable<ApiRequest["body"]>): ApiRequest => ({
  method: "PUT",
  path,
  body,
});
export const postRequest = (path: string, body: NonNullable<ApiRequest["body"]>): ApiRequest => ({
  method: "POST",
  path,
  body,
});

export const moduleType = "application/javascript+module";

/** An upload of one module. */
export const uploadForm = (
  code: string | Uint8Array<ArrayBuffer>,
  metadata: unknown = {},
  type = moduleType,
): FormData => {
  const form = new FormData();
  const full =
    typeof metadata === "object" && !Array.isArray(metadata)
      ? { main_module: "main.js", compatibility_date: "2026-10-01", ...metadata }
      : metadata;
  form.set("metadata", typeof full === "string" ? full : JSON.stringify(full));
  form.set("main.js", new File([code], "main.js", { type }));
  return form;
};
