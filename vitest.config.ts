import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { FailuresAtOnce } from "./test/failures.ts";
import { vectorsIn } from "./test/wycheproof/vectors.ts";

/**
 * What people read is compared without colour, wherever the tests run: some libraries colour where they see `CI`. The
 * programs that tests start, wrangler above all, are compiled once, which is half of what most of them take.
 */
const env = { NO_COLOR: "1", NODE_COMPILE_CACHE: path.join(import.meta.dirname, ".build/compile-cache") };

/** A folder of vectors that are not kept here: `testvectors_v1` of C2SP/wycheproof. */
const { POSTERN_WYCHEPROOF: wycheproof } = process.env;

const filesThatImport = (module: RegExp): string[] =>
  fs
    .globSync("test/**/*.test.ts", { cwd: import.meta.dirname })
    .filter((file) => module.test(fs.readFileSync(path.join(import.meta.dirname, file), "utf8")));

/** Files of which a part runs only in full: those that ask `test/full.ts`. */
const keepingSomething = filesThatImport(/from "[./]+full\.ts"/);
/** Edge tests with more random trials in full. */
const tryingMore = filesThatImport(/from "[./]+\/runs\.ts"/);

/** A test's time-out ends one that hangs, on a busy machine too; it measures nothing. */
const longestMs = 300_000;
/** One second by default, which a busy machine needs for nothing. */
const longestPollMs = 30_000;

export default defineConfig({
  test: {
    globalSetup: ["./test/leftovers/setup.ts"],
    reporters: ["default", new FailuresAtOnce()],
    // What a test writes is shown where it fails.
    silent: "passed-only",
    // Tests often wait; one more than there are cores keeps all of them at work.
    maxWorkers: os.availableParallelism() + 1,
    projects: [
      {
        // What runs at the edge is tested in workerd. One isolate for all files: they share nothing but the registry.
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/functions/wrangler.json" } })],
        test: {
          name: "edge",
          include: ["test/functions/**/*.test.ts"],
          provide: { full: false },
          isolate: false,
          testTimeout: longestMs,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/functions/wrangler.json" } })],
        test: {
          name: "full-edge",
          include: tryingMore,
          provide: { full: true },
          isolate: false,
          testTimeout: longestMs,
        },
      },
      {
        // Needs Wycheproof's files, so it is run by itself.
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/functions/wrangler.json" } })],
        test: {
          name: "wycheproof",
          include: ["test/wycheproof/**/*.test.ts"],
          provide: { wycheproof: wycheproof === undefined ? null : vectorsIn(wycheproof) },
          testTimeout: longestMs,
        },
      },
      {
        test: {
          name: "tools",
          include: [
            "test/control/**/*.test.ts",
            "test/infra/**/*.test.ts",
            "test/e2e/**/*.test.ts",
            "test/cloud/**/*.test.ts",
            "test/compatibility/**/*.test.ts",
            "test/reference/**/*.test.ts",
          ],
          environment: "node",
          env,
          exclude: ["**/*.full.test.ts"],
          // Files share a few processes, so that the compiler, its schemas and esbuild are loaded once in each and not once a file.
          pool: "forks",
          isolate: false,
          testTimeout: longestMs,
          hookTimeout: longestMs,
          expect: { poll: { timeout: longestPollMs } },
        },
      },
      {
        // What takes long: whole files, and what other files keep for it. Each has a process of its own.
        test: {
          name: "full",
          include: ["test/**/*.full.test.ts", ...keepingSomething],
          environment: "node",
          env: { ...env, POSTERN_TESTS: "full" },
          pool: "forks",
          testTimeout: longestMs,
          hookTimeout: longestMs,
          expect: { poll: { timeout: longestPollMs } },
        },
      },
      {
        // Users, machines that die and clocks that go: alone on the machine, one file after the other.
        test: {
          name: "rollouts",
          include: ["test/rollouts/**/*.test.ts"],
          environment: "node",
          env,
          pool: "forks",
          fileParallelism: false,
          testTimeout: longestMs,
        },
      },
      {
        // Installs wranglers from npm's registry, so it is run by itself.
        test: {
          name: "wranglers",
          include: ["test/wranglers/**/*.test.ts"],
          environment: "node",
          env,
          pool: "forks",
          testTimeout: longestMs,
          hookTimeout: longestMs,
        },
      },
      {
        // Packs this repository and installs it from a registry on loopback, so it is run by itself.
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          environment: "node",
          env,
          pool: "forks",
          // One process, which packs once.
          isolate: false,
          fileParallelism: false,
          testTimeout: longestMs,
          hookTimeout: longestMs,
        },
      },
      {
        // Needs redis-server, which .ci/run installs.
        test: { name: "redis", include: ["test/redis/**/*.test.ts"], environment: "node", env, testTimeout: longestMs },
      },
      {
        // Needs bash, curl and the ports of the examples, so it is run by itself.
        test: {
          name: "readme",
          include: ["test/readme/**/*.test.ts"],
          environment: "node",
          env,
          testTimeout: longestMs,
          fileParallelism: false,
        },
      },
      {
        // Needs java, curl, wget and python3, which .ci/run installs.
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          environment: "node",
          env,
          pool: "forks",
          testTimeout: longestMs,
          hookTimeout: longestMs,
        },
      },
    ],
  },
});
