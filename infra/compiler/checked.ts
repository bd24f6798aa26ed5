/** What the checker makes of a manifest: every default filled in, every part's configuration parsed, places kept. */
import type { Manifest } from "../../functions/gateway/config.ts";
import type { AboutFilter, AboutUpstream } from "../../functions/gateway/part.ts";
import type { Mode } from "../../functions/gateway/plan.ts";
import type { Path, Source } from "./read.ts";

export interface Named<T> {
  readonly name: string;
  readonly file: string;
  readonly value: T;
}

export interface CheckedFilter {
  /** `jwt`, or `transfer/body-limit` where a route adds it. */
  readonly id: string;
  readonly use: string;
  readonly about: AboutFilter;
  readonly mode: Mode;
  readonly percent: string;
  readonly config: unknown;
  /** Of its configuration. */
  readonly at: Path;
}

export interface CheckedUpstream {
  readonly use: string;
  readonly about: AboutUpstream;
  readonly timeout: string;
  readonly config: unknown;
}

export interface CheckedRoute {
  readonly name: string;
  readonly methods: readonly string[];
  /** With the tier's base. */
  readonly path: string;
  /** All that run, in order: the tier's but those dropped, then its own. */
  readonly chain: readonly CheckedFilter[];
  /** False where one of its filters is broken, and the chain shows only the others. */
  readonly whole: boolean;
  readonly settings: Manifest["routes"][string];
}

/** A manifest that holds: every default filled in, every part's configuration parsed. */
export interface CheckedTier {
  readonly source: Source;
  readonly manifest: Manifest;
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  readonly routes: readonly CheckedRoute[];
}
