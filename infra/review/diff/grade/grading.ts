/** How changes of each filter are graded. The reference shows this table. */
import type { FilterSpec } from "../../../../functions/gateway/part.ts";
import type { ChangeKind } from "../../core/risks.ts";

/** The change kind for each event of a filter. */
export interface Grading {
  /** Added, or newly active: `mode: shadow` becomes `enforce`. */
  readonly added: ChangeKind;
  /** Removed, or no longer active. */
  readonly dropped: ChangeKind;
  /** A value, `percent` or `when` protects less. */
  readonly weaker: ChangeKind;
  /** A number is raised tenfold or more, or removed. */
  readonly multiplied: ChangeKind;
  /** A value protects more. */
  readonly stronger: ChangeKind;
  /** A value changes, in neither direction. */
  readonly other: ChangeKind;
}

const identityGrading: Grading = {
  added: "identity-strengthened",
  dropped: "identity-weakened",
  weaker: "identity-weakened",
  multiplied: "identity-weakened",
  stronger: "identity-strengthened",
  other: "identity-changed",
};

const accessGrading: Grading = {
  added: "access-strengthened",
  dropped: "access-weakened",
  weaker: "access-weakened",
  multiplied: "access-weakened",
  stronger: "access-strengthened",
  other: "access-changed",
};

const limitGrading: Grading = {
  added: "limit-lowered",
  dropped: "limit-removed",
  weaker: "limit-raised",
  multiplied: "limit-multiplied",
  stronger: "limit-lowered",
  other: "limit-changed",
};

const defaultGrading: Grading = {
  added: "filter-added",
  dropped: "filter-removed",
  weaker: "filter-weakened",
  multiplied: "filter-weakened",
  stronger: "filter-strengthened",
  other: "filter-changed",
};

/** Filters that change the response or the service's request. */
const destinationGrading: Grading = {
  added: "destination-changed",
  dropped: "destination-changed",
  weaker: "destination-changed",
  multiplied: "destination-changed",
  stronger: "destination-changed",
  other: "destination-changed",
};

/** Filters that send the caller's identity to a service: every change of them is `caller-changed`. */
export const callerGrading: Grading = {
  added: "caller-changed",
  dropped: "caller-changed",
  weaker: "caller-changed",
  multiplied: "caller-changed",
  stronger: "caller-changed",
  other: "caller-changed",
};

/** Filters with another grading than that of their phase. */
const gradingByKind: Readonly<Record<string, Grading>> = {
  // Removing cors closes access for other origins; removing csrf opens it.
  cors: {
    ...defaultGrading,
    added: "browser-opened",
    weaker: "browser-opened",
    multiplied: "browser-opened",
    stronger: "browser-closed",
  },
  csrf: {
    ...defaultGrading,
    added: "browser-closed",
    dropped: "browser-opened",
    weaker: "browser-opened",
    multiplied: "browser-opened",
    stronger: "browser-closed",
  },
  validate: {
    ...defaultGrading,
    dropped: "validation-weakened",
    weaker: "validation-weakened",
    multiplied: "validation-weakened",
    other: "validation-changed",
  },
  // The upstream's timeout still applies.
  timeout: { ...limitGrading, dropped: "filter-removed" },
  mirror: {
    ...defaultGrading,
    added: "requests-copied",
    weaker: "requests-copied",
    multiplied: "requests-copied",
    other: "requests-copied",
  },
  redirect: destinationGrading,
  respond: destinationGrading,
  rewrite: destinationGrading,
};

/** @param use the filter's kind */
export const gradingOf = (use: string, { phase, boundsBody }: Pick<FilterSpec, "phase" | "boundsBody">): Grading => {
  const special = Object.hasOwn(gradingByKind, use) ? gradingByKind[use] : undefined;
  if (special) return special;
  if (phase === "identity") return identityGrading;
  if (phase === "access") return accessGrading;
  return phase === "limits" || boundsBody ? limitGrading : defaultGrading;
};
