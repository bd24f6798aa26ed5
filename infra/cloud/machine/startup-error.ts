/** Versions that the runtime refuses to start, and why. */
export class VersionStartupError extends Error {
  /** By version. */
  readonly reasons: ReadonlyMap<string, string>;
  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons.values()].join("\n"));
    this.reasons = reasons;
  }
}
