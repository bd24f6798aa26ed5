/** How the local cloud is called; there is one account, and everybody on this machine knows its token. */

/** Any other id stands for it as well. */
export const accountId = "00000000000000000000000000000001";

/** The API listens on this machine only. A page in a browser cannot send it. */
export const localToken = "token-of-the-local-cloud";
