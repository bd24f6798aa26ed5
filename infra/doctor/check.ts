/** The result of one look of `postern doctor`. */

export interface Check {
  readonly what: string;
  /** `not provable`: no GET with this token shows it, which is no failure. */
  readonly state: "ok" | "missing" | "not provable";
  readonly why: string;
  /** Of what is missing. */
  readonly remedy?: string;
}

export const ok = (what: string, why: string): Check => ({ what, state: "ok", why });
export const missing = (what: string, why: string, remedy: string): Check => ({ what, state: "missing", why, remedy });
export const notProvable = (what: string, why: string): Check => ({ what, state: "not provable", why });
