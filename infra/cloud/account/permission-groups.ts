/** Permission groups of API tokens, for what the local cloud has. Names, ids and scopes are the platform's own. */

export type PermissionScope = "user" | "account" | "zone";

interface PermissionGroup {
  readonly id: string;
  readonly scope: PermissionScope;
}

/** https://developers.cloudflare.com/fundamentals/api/reference/permissions/ */
export const permissionGroups = {
  "API Tokens Read": { id: "0cc3a61731504c89b99ec1be78b77aa0", scope: "user" },
  "API Tokens Write": { id: "686d18d5ac6c441c867cbf6771e58a0a", scope: "user" },
  "Memberships Read": { id: "3518d0f75557482e952c6762d3e64903", scope: "user" },
  "User Details Read": { id: "8acbe5bb0d54464ab867149d7f7cf8ac", scope: "user" },
  "Account API Tokens Read": { id: "eb56a6953c034b9d97dd838155666f06", scope: "account" },
  "Account API Tokens Write": { id: "5bc3f8b21c554832afc660159ab75fa4", scope: "account" },
  "Account Settings Read": { id: "c1fde68c7bcc44588cbb6ddbc16d6480", scope: "account" },
  "Billing Read": { id: "7cf72faf220841aabcfdfab81c43c4f6", scope: "account" },
  "Workers KV Storage Read": { id: "8b47d2786a534c08a1f94ee8f9f599ef", scope: "account" },
  "Workers KV Storage Write": { id: "f7f0eda5697f475c90846e879bab8666", scope: "account" },
  "Workers Scripts Read": { id: "1a71c399035b4950a1bd1466bbe4f420", scope: "account" },
  "Workers Scripts Write": { id: "e086da7e2179491d91ee5f35b3ca210a", scope: "account" },
  "Workers Tail Read": { id: "05880cd1bdc24d8bae0be2136972816b", scope: "account" },
  "DNS Read": { id: "82e64a83756745bbbb1c9c2701bf816b", scope: "zone" },
  "DNS Write": { id: "4755a26eedb94da69e1066d98aa820be", scope: "zone" },
  "SSL and Certificates Read": { id: "7b7216b327b04b8fbc8f524e1f9b7531", scope: "zone" },
  "SSL and Certificates Write": { id: "c03055bc037c4ea9afb9a9f104b7b721", scope: "zone" },
  "Workers Routes Read": { id: "2072033d694d415a936eaeb94e6405b8", scope: "zone" },
  "Workers Routes Write": { id: "28f4b596e7d643029c524985477ae49a", scope: "zone" },
  "Zone Read": { id: "c8fed203ed3043cba015a93ad1616f1f", scope: "zone" },
  "Zone Transform Rules Read": { id: "211a4c0feb3e43b3a2d41f1443a433e7", scope: "zone" },
  "Zone Transform Rules Write": { id: "0ac90a90249747bca6b047d97f0803e9", scope: "zone" },
} as const satisfies Readonly<Record<string, PermissionGroup>>;

export type PermissionName = keyof typeof permissionGroups;

const names = Object.keys(permissionGroups) as readonly PermissionName[];

export const isPermissionName = (name: string): name is PermissionName => Object.hasOwn(permissionGroups, name);

/** @returns undefined if the local cloud has nothing that the group is for */
export const permissionNameOf = (id: string): PermissionName | undefined =>
  names.find((name) => permissionGroups[name].id === id);
