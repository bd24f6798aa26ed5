/** `postern/config`: the optional `postern.config.ts` of a project, which says where things are that are elsewhere by default. */
import * as z from "zod";

const folder = (fallback: string) =>
  z
    .string()
    .regex(/^(?![./])(?!.*(?:\.\.|\/$|\/\/))[\w./-]{1,200}$/, "a folder of the project, such as gateway/filters")
    .default(fallback);

const target = () =>
  z
    .strictObject({
      url: z
        .string()
        .regex(
          /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):\d+$/,
          "a local cloud's URL, such as http://127.0.0.1:8799",
        )
        .optional()
        .describe("A local cloud that runs there"),
      account: z
        .string()
        .regex(/^[0-9a-f]{32}$/, "an account's id has 32 hexadecimal digits")
        .optional()
        .describe("The id of an account of Cloudflare; the shell has its token"),
      environment: z
        .string()
        .regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/, "the name of a file of routes/environments")
        .optional()
        .describe(
          "The environment where no `--env` is given; by default `local` for a URL, and `production` for an account",
        ),
    })
    .refine(
      ({ url, account }) => (url === undefined) !== (account === undefined),
      "give `url` or `account`, and not both",
    );

export const projectConfig = () =>
  z
    .strictObject({
      filters: folder("functions/filters").describe("The folder of the project's own filters"),
      upstreams: folder("functions/upstreams").describe("The folder of its own upstreams"),
      targets: z
        .record(
          z
            .string()
            .regex(/^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/, "a target's name is lower case letters, digits and hyphens")
            .refine((name) => name !== "cloudflare" && name !== "local", "`cloudflare` and `local` are there already"),
          target(),
        )
        .default({})
        .describe("What `--target` takes besides `cloudflare`, `local` and a URL, by name"),
    })
    .refine(({ filters, upstreams }) => filters !== upstreams, {
      error: "filters and upstreams are in different folders",
      path: ["upstreams"],
    });

export type ProjectConfig = z.output<ReturnType<typeof projectConfig>>;
export type ConfigTarget = ProjectConfig["targets"][string];

/** Type-checks a configuration: `export default defineConfig({ … })`. */
export const defineConfig = (config: z.input<ReturnType<typeof projectConfig>>): typeof config => config;
