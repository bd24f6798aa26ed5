/**
 * Whether this is `npm run test:full`, which also has what takes long: whole files (`*.full.test.ts`), and what other files keep for it
 * by this. Those files run there again.
 */
export const full = process.env.POSTERN_TESTS === "full";
