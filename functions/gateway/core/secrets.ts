/** Secrets: named in manifests, kept by the platform, read when a gate is linked. */
import * as z from "zod";
import type { Deps } from "./types.ts";

/** Bindings of a gate that no manifest names. */
const taken = /^(?:VERSION|CONSUMERS|REVOCATIONS|(?:GATE|SERVICE|STATE|POSTERN)_.*)$/;

/** `{ secret: PAY_SIGNING_KEY }` */
export const secret = () =>
  z.strictObject({
    secret: z
      .string()
      .regex(
        /^[A-Z][A-Z0-9_]{2,62}$/,
        "a secret is named, never written: PAY_SIGNING_KEY; `postern secrets set` takes its value",
      )
      .refine((name) => !taken.test(name), "this name belongs to Postern; call the secret otherwise")
      .describe("The secret's name; `postern secrets set` takes its value"),
  });

/** @throws where it is not set, so that the platform refuses the version: without it a gate would fail at each request */
export const secretOf = (name: string, { env }: Pick<Deps, "env">): string => {
  const value = env[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`the secret ${name} is not set; set it with \`postern secrets set ${name} --env <environment>\``);
};
