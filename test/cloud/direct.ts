/**
 * Carries out wrangler's commands by the calls that wrangler makes of them, with no process: a second of a processor less each.
 * It knows what `infra/release` says and refuses anything else. That it uploads what wrangler uploads is `direct.full.test.ts`'s to show.
 */
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { accessOf } from "../../infra/release/api.ts";
import { publicationOf } from "../../infra/release/publication.ts";
import { type Target, targetOf } from "../../infra/release/target.ts";
import { WranglerError } from "../../infra/release/wrangler.ts";
import { moduleType, uploadForm } from "./api-client.ts";

/** @param api of a local cloud */
export const direct = (api: string): Target => {
  const target = targetOf(api);
  const call = caller(target);
  return {
    ...target,
    wrangler: async (args, input = "") => {
      const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
      const words = commands
        .map(([name]) => name.split(" "))
        .find((it) => it.every((word, at) => positionals[at] === word));
      const name = words?.join(" ") ?? "";
      const [, run] = commands.find(([it]) => it === name) ?? [];
      if (!run) throw new Error(`no such command: wrangler ${args.join(" ")}`);
      return run({
        call: (method, at, body) => call(name, method, at, body),
        given: values,
        words: positionals.slice(words?.length),
        input,
      });
    },
  };
};

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = {
  config: { ...text, short: "c" },
  tag: text,
  message: text,
  "secrets-file": text,
  name: text,
  yes: { ...flag, short: "y" },
  force: flag,
  format: text,
  "namespace-id": text,
  remote: flag,
} as const;

type Call = (method: string, at: string, body?: unknown) => Promise<unknown>;
interface Command {
  readonly call: Call;
  readonly given: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
  readonly input: string;
}

/** @throws WranglerError, with what the platform answers */
const caller = (target: Target) => {
  const access = accessOf(target);
  if (!access) throw new Error("a local cloud has a token");
  const { api, token, account } = access;
  return async (command: string, method: string, at: string, body?: unknown): Promise<unknown> => {
    const isForm = body instanceof FormData;
    const response = await fetch(`${api}/accounts/${account}${at}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(!isForm && { "content-type": "application/json" }) },
      body: isForm ? body : body === undefined ? null : JSON.stringify(body),
    });
    const { success, result, errors } = (await response.json()) as {
      readonly success: boolean;
      readonly result: unknown;
      readonly errors: readonly { readonly code: number; readonly message: string }[];
    };
    if (success) return result;
    throw new WranglerError(command, errors.map(({ code, message }) => `${message} [code: ${code}]`).join("\n"));
  };
};

const isMissing = (error: unknown): boolean =>
  error instanceof WranglerError && [10007, 10090].includes(error.code ?? 0);

/** What is in the folder of a configuration, and what runs in its place. */
const read = async ({ call, given }: Command) => {
  const file = String(given.config);
  const { name, workers_dev, preview_urls, routes } = JSON.parse(fs.readFileSync(file, "utf8"));
  const there = (await call("GET", `/workers/services/${name}`).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  })) as { readonly default_environment: { readonly script: { readonly migration_tag?: string } } } | undefined;
  return { folder: path.dirname(file), name, workers_dev, preview_urls, routes, there };
};

type Read = Awaited<ReturnType<typeof read>>;

const formOf = ({ given }: Command, { folder, name, there }: Read): { form: FormData; migrates: boolean } => {
  const secrets = given["secrets-file"] ? JSON.parse(fs.readFileSync(String(given["secrets-file"]), "utf8")) : {};
  const { upload } = publicationOf(
    {
      kind: "gate",
      worker: name,
      folder,
      digest: String(given.tag),
      secrets: Object.keys(secrets),
      generated: [],
    } as never,
    { secrets, migrationTag: there?.default_environment.script.migration_tag, exists: () => true },
  );
  const { limits, ...metadata } = upload.metadata;
  const form = new FormData();
  const annotations = { "workers/tag": given.tag, ...(given.message && { "workers/message": given.message }) };
  form.set("metadata", JSON.stringify({ ...metadata, keep_bindings: ["secret_text", "secret_key"], annotations }));
  for (const it of upload.modules)
    form.set(it.name, new File([new Uint8Array(it.content)], it.name, { type: moduleType }));
  return { form, migrates: metadata.migrations !== undefined };
};

const trigger = async ({ call }: Command, { name, workers_dev, preview_urls, routes }: Read): Promise<void> => {
  await call("POST", `/workers/scripts/${name}/subdomain`, { enabled: workers_dev, previews_enabled: preview_urls });
  if (routes) await call("PUT", `/workers/scripts/${name}/routes`, routes);
};

const splitTo = ({ call, given }: Command, name: string, versions: readonly object[], query = "") =>
  call("POST", `/workers/scripts/${name}/deployments${query}`, {
    strategy: "percentage",
    versions,
    annotations: given.message ? { "workers/message": given.message } : {},
  });

const upload = async (command: Command, it: Read): Promise<string> => {
  const { form } = formOf(command, it);
  const version = await command.call("POST", `/workers/scripts/${it.name}/versions?bindings_inherit=strict`, form);
  return (version as { readonly id: string }).id;
};

const commands: readonly (readonly [name: string, run: (command: Command) => Promise<string>])[] = [
  [
    "versions upload",
    async (command) => {
      await upload(command, await read(command));
      return "";
    },
  ],
  [
    "versions deploy",
    async (command) => {
      const versions = command.words.map((it) => {
        const [version_id, percentage] = it.split("@");
        return { version_id, percentage: Number(percentage) };
      });
      await splitTo(command, String(command.given.name), versions);
      return "";
    },
  ],
  [
    "triggers deploy",
    async (command) => {
      await trigger(command, await read(command));
      return "";
    },
  ],
  [
    "deploy",
    async (command) => {
      const it = await read(command);
      const { form, migrates } = formOf(command, it);
      if (it.there && !migrates)
        await splitTo(command, it.name, [{ version_id: await upload(command, it), percentage: 100 }]);
      else await command.call("PUT", `/workers/scripts/${it.name}?excludeScript=true&bindings_inherit=strict`, form);
      await trigger(command, it);
      return "";
    },
  ],
  [
    "rollback",
    async (command) => {
      const [version_id] = command.words;
      await splitTo(command, String(command.given.name), [{ version_id, percentage: 100 }], "?force=true");
      return "";
    },
  ],
  [
    "secret list",
    async ({ call, given }) => {
      try {
        return JSON.stringify(await call("GET", `/workers/scripts/${given.name}/secrets`));
      } catch (error) {
        throw isMissing(error) ? new WranglerError("secret list", `Worker "${given.name}" not found`) : error;
      }
    },
  ],
  [
    "secret put",
    async ({ call, given, words, input }) => {
      const [name] = words;
      const put = () =>
        call("PUT", `/workers/scripts/${given.name}/secrets`, { name, type: "secret_text", text: input });
      await put().catch(async (error) => {
        if (!isMissing(error)) throw error;
        // A secret may come first: wrangler makes a Worker that answers nothing then.
        await call("PUT", `/workers/scripts/${given.name}`, uploadForm("export default { fetch() {} }"));
        await put();
      });
      return "";
    },
  ],
  [
    "delete",
    async ({ call, given }) => {
      await call("DELETE", `/workers/services/${given.name}?force=${given.force === true}`);
      return "";
    },
  ],
  [
    "kv bulk put",
    async ({ call, given, words: [file = ""] }) => {
      await call(
        "PUT",
        `/storage/kv/namespaces/${given["namespace-id"]}/bulk`,
        JSON.parse(fs.readFileSync(file, "utf8")),
      );
      return "";
    },
  ],
  [
    "kv bulk delete",
    async ({ call, given, words: [file = ""] }) => {
      await call(
        "DELETE",
        `/storage/kv/namespaces/${given["namespace-id"]}/bulk`,
        JSON.parse(fs.readFileSync(file, "utf8")),
      );
      return "";
    },
  ],
];
