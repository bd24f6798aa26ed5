/** A test run of one file, which `leftovers.full.test.ts` starts and ends. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["fixture.ts"],
    globalSetup: ["./setup.ts"],
    pool: "forks",
    testTimeout: 300_000,
  },
});
