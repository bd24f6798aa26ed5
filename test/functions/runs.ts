/** How many random trials an edge test makes: fewer before each commit, more in `npm run test:full`. */
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Whether this is `npm run test:full`. Edge tests run in workerd, which has no environment variables. */
    readonly full: boolean;
  }
}

export const runs = (quick: number, full: number): number => (inject("full") ? full : quick);
