/** The local cloud's one account and its token, which everybody on this computer may know. */

/** Any other account id stands for this account as well. */
export const accountId = "00000000000000000000000000000001";

/** The API listens on loopback only. A page in a browser cannot send this token. */
export const localToken = "token-of-the-local-cloud";
