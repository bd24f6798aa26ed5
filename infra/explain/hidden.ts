/** Masks tokens in explanations, which are pasted into tickets and chats. */

/** A JWT: three base64url parts, the first of which is a JSON object. */
const tokenPattern = /(?<![\w-])e[wy][\w-]+=*\.[\w-]+=*\.[\w-]*=*/g;

export const maskTokens = (text: string): string => text.replace(tokenPattern, "•••");
