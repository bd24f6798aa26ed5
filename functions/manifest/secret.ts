/** Schema of a secret: named in manifests, stored by the platform. */
import * as z from "zod";

/** Names reserved for a gate's own bindings. */
const reservedNames = /^(?:VERSION|CONSUMERS|REVOCATIONS|(?:GATE|SERVICE|STATE|POSTERN)_.*)$/;

/** `{ secret: PAY_SIGNING_KEY }` */
export const secret = () =>
  z.strictObject({
    secret: z
      .string()
      .regex(
        /^[A-Z][A-Z0-9_]{2,62}$/,
        "a secret is named, never written: PAY_SIGNING_KEY; `postern secrets set` takes its value",
      )
      .refine((name) => !reservedNames.test(name), "this name is reserved; use another")
      .describe("The secret's name; `postern secrets set` takes its value"),
  });
