/** How a change of each filter is graded: the table that a diff goes by, and that the reference shows. */
import type { FilterSpec } from "../../../../functions/gateway/part.ts";
import type { ChangeKind } from "../../core/risks.ts";

/** What each thing that can happen to a filter is told as. */
export interface Grading {
  /** It is new, or begins to act: `mode: shadow` becomes `enforce`. */
  readonly added: ChangeKind;
  /** It is gone, or acts no more. */
  readonly dropped: ChangeKind;
  /** A value of it, its `percent` or its `when` protects less. */
  readonly weaker: ChangeKind;
  /** A number of it lets through ten times as much, or is gone. */
  readonly manifold: ChangeKind;
  /** One protects more. */
  readonly stronger: ChangeKind;
  /** A value is another one, and which of the two protects more cannot be told. */
  readonly other: ChangeKind;
}

const identityGrading: Grading = {
  added: "identity-strengthened",
  dropped: "identity-weakened",
  weaker: "identity-weakened",
  manifold: "identity-weakened",
  stronger: "identity-strengthened",
  other: "identity-changed",
};

const accessGrading: Grading = {
  added: "access-strengthened",
  dropped: "access-weakened",
  weaker: "access-weakened",
  manifold: "access-weakened",
  stronger: "access-strengthened",
  other: "access-changed",
};

const limitGrading: Grading = {
  added: "limit-lowered",
  dropped: "limit-removed",
  weaker: "limit-raised",
  manifold: "limit-multiplied",
  stronger: "limit-lowered",
  other: "limit-changed",
};

const defaultGrading: Grading = {
  added: "filter-added",
  dropped: "filter-removed",
  weaker: "filter-weakened",
  manifold: "filter-weakened",
  stronger: "filter-strengthened",
  other: "filter-changed",
};

/** It decides what is answered, or what the service is asked. */
const destinationGrading: Grading = {
  added: "destination-changed",
  dropped: "destination-changed",
  weaker: "destination-changed",
  manifold: "destination-changed",
  stronger: "destination-changed",
  other: "destination-changed",
};

/** Whatever happens to what tells a service who is calling, the service is told something else. */
export const callerGrading: Grading = {
  added: "caller-changed",
  dropped: "caller-changed",
  weaker: "caller-changed",
  manifold: "caller-changed",
  stronger: "caller-changed",
  other: "caller-changed",
};

/** Filters that are graded otherwise than their phase says. */
const gradingByKind: Readonly<Record<string, Grading>> = {
  // Without cors pages of other origins read nothing; without csrf they send whatever they like, with cookies.
  cors: {
    ...defaultGrading,
    added: "browser-opened",
    weaker: "browser-opened",
    manifold: "browser-opened",
    stronger: "browser-closed",
  },
  csrf: {
    ...defaultGrading,
    added: "browser-closed",
    dropped: "browser-opened",
    weaker: "browser-opened",
    manifold: "browser-opened",
    stronger: "browser-closed",
  },
  validate: {
    ...defaultGrading,
    dropped: "validation-weakened",
    weaker: "validation-weakened",
    manifold: "validation-weakened",
    other: "validation-changed",
  },
  // The tier's and the upstream's own times still bound it.
  timeout: { ...limitGrading, dropped: "filter-removed" },
  mirror: {
    ...defaultGrading,
    added: "requests-copied",
    weaker: "requests-copied",
    manifold: "requests-copied",
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
