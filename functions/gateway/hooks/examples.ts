/** How a request meets a code of a part. Tests run each example, and hold `explain` to the line that it marks. */

export interface CodeExample {
  /** The filters of a route, as a YAML list. The line that `explain` names for the code ends in `#!`. */
  readonly filters: string;
  /** Of the route, which is `/a`; by default GET. */
  readonly method?: string;
  /** A step of a test case without what it expects, in one line of YAML; by default `send: GET /a`. */
  readonly step?: string;
}

/** By code: each code that the part can answer with has one. */
export type CodeExamples = Readonly<Record<string, CodeExample>>;
