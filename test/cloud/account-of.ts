/** The state of an account in a form that can be compared. */
import type { Cloud } from "../../infra/cloud/cloud.ts";

/** Without what differs from one account to the next. */
export const accountOf = ({ control }: Cloud) =>
  [...control.account().workers.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, classes, migrationTag, routes, subdomain, versions, deployments }) => ({
      name,
      classes: classes.map(({ className, sqlite }) => ({ className, sqlite })),
      migrationTag,
      routes: routes.map(({ pattern, zoneName }) => ({ pattern, zoneName })),
      subdomain,
      versions: versions.map(({ id: _, createdOn, etag, bindings, modules, ...version }) => ({
        ...version,
        bindings: bindings.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        modules: modules.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      })),
      deployments: deployments.map(({ source, versions: shares }) => ({
        source,
        shares: shares.map(({ version_id, percentage }) => [
          versions.find(({ id }) => id === version_id)?.number,
          percentage,
        ]),
      })),
    }));
