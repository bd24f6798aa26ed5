/** Examples of requests that a part refuses, by problem code. Tests run each one, and check that `explain` names the marked line. */

export interface CodeExample {
  /** The route's filters, as a YAML list. The line that `explain` has to name ends in `#!`. */
  readonly filters: string;
  /** The method of the route, whose path is `/a`; by default GET. */
  readonly method?: string;
  /** A step of a test case without `expect`, in one line of YAML; by default `send: GET /a`. */
  readonly step?: string;
}

/** By code. A test requires one for each code of the part. */
export type CodeExamples = Readonly<Record<string, CodeExample>>;
